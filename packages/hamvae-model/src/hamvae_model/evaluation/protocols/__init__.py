"""The protocols of docs/protocols.md, each in a file, and what each of them asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..held_out import HeldOut
from .disentanglement import disentanglement as disentanglement
from .floors import copy_floor as copy_floor
from .floors import static_floor as static_floor
from .generation import generation as generation
from .identity import identity as identity
from .roll import roll as roll
from .swap import swap as swap


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What makes a table.

    Args:
        title: what people read above it.
        score: rows of figures, from the clips, a `Judge` (or None where it is not `judged`), the number of samples
            and a seed.
        judged: it asks a judge.
        drawn: it draws at random; the others say the same for every seed.
        exact: it needs a source that can render what nobody recorded.
    """

    title: str
    score: Callable[[HeldOut, Any, int, int], Mapping[str, Any]]
    judged: bool = False
    drawn: bool = False
    exact: bool = False


PROTOCOLS: dict[str, Protocol] = {
    "generation": Protocol(
        title="Generation: 16 frames from one (the paper's Table 1)",
        score=lambda held_out, judge, samples, seed: (
            generation(held_out) | static_floor(held_out) | copy_floor(held_out)
        ),
    ),
    "disentanglement": Protocol(
        title="Disentanglement: what a judge of actions says (Table 2 a)",
        score=lambda held_out, judge, samples, seed: disentanglement(held_out, judge, samples=samples, seed=seed),
        judged=True,
        drawn=True,
    ),
    "identity": Protocol(
        title="Identity: attributes kept when the motion changes, accuracy (Table 2 b)",
        score=lambda held_out, judge, samples, seed: identity(held_out, judge, samples=samples, seed=seed),
        judged=True,
        drawn=True,
        exact=True,
    ),
    "swap": Protocol(
        title="Exact swap: one character in another's motion against the known render",
        score=lambda held_out, judge, samples, seed: {"swap": swap(held_out, seed=seed)},
        drawn=True,
        exact=True,
    ),
    "roll": Protocol(
        title="Long roll: MSE far from the first frame, and what should not drift",
        score=lambda held_out, judge, samples, seed: {"roll": roll(held_out)},
    ),
}
"""By the names of `config.choices.TABLES`, in their order."""
