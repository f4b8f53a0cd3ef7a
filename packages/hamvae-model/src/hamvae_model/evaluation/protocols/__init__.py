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
        score: rows of figures, from the clips, a `Judge` (or None where it is not `judged`), the number of samples
            and a seed.
        judged: it asks a judge.
        drawn: it draws at random; the others say the same for every seed.
        exact: it needs a source that can render what nobody recorded.
    """

    score: Callable[[HeldOut, Any, int, int], Mapping[str, Any]]
    judged: bool = False
    drawn: bool = False
    exact: bool = False


PROTOCOLS: dict[str, Protocol] = {
    "generation": Protocol(
        score=lambda held_out, judge, samples, seed: (
            generation(held_out) | static_floor(held_out) | copy_floor(held_out)
        ),
    ),
    "disentanglement": Protocol(
        score=lambda held_out, judge, samples, seed: disentanglement(held_out, judge, samples=samples, seed=seed),
        judged=True,
        drawn=True,
    ),
    "identity": Protocol(
        score=lambda held_out, judge, samples, seed: identity(held_out, judge, samples=samples, seed=seed),
        judged=True,
        drawn=True,
        exact=True,
    ),
    "swap": Protocol(
        score=lambda held_out, judge, samples, seed: {"swap": swap(held_out, seed=seed)},
        drawn=True,
        exact=True,
    ),
    "roll": Protocol(
        score=lambda held_out, judge, samples, seed: {"roll": roll(held_out)},
    ),
}
"""By the names of `config.choices.TABLES`, in their order."""
