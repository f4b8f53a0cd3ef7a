"""Table 2 (b): is the character still the same when it moves another way?"""

from collections import defaultdict
from collections.abc import Iterator

import torch
from torch import Tensor

from ...config.choices import PRIORS
from ...judge import Judge
from ..draws import Drawn, balanced, in_turn, motions_from_prior, swaps
from ..held_out import HeldOut, composed


@torch.no_grad()
def identity(held_out: HeldOut, judge: Judge, *, samples: int, seed: int = 0) -> dict[str, dict[str, float]]:
    """Share of samples in which the judge sees the value of each attribute that the content has.

    Formulas: docs/protocols.md.

    Args:
        samples: of each kind, at least 1000.
        seed: of pairings and of what is drawn from priors.

    Returns, for each attribute:
        swap: content of one clip, motion of another character's clip in another motion.
        motion_from_fitted_prior, motion_from_standard_prior: content of a clip, motion from a prior; see
            `disentanglement`.

    Raises: UsageError: too few samples, or clips from files, whose attributes nobody knows, or one character alone.
    """
    exact, count = composed(held_out), balanced(samples, len(held_out.source.classes))
    generator = torch.Generator().manual_seed(seed)
    figures = {
        "swap": _kept(held_out, judge, swaps(held_out, exact, in_turn(held_out.clips, count, generator), generator))
    }
    for prior in PRIORS:  # the very samples of `disentanglement`
        drawn = motions_from_prior(held_out, prior, count, torch.Generator().manual_seed(seed))
        figures[f"motion_from_{prior}_prior"] = _kept(held_out, judge, drawn)
    return figures


def _kept(held_out: HeldOut, judge: Judge, drawn: Iterator[Drawn]) -> dict[str, float]:
    source = held_out.source
    right: defaultdict[str, list[Tensor]] = defaultdict(list)
    for clips, _, images in drawn:
        truth = dict(zip(source.attributes, source.values(held_out.split, clips).unbind(1), strict=True))
        for attribute, log_p in judge.values(images).items():
            right[attribute].append(log_p.argmax(1).cpu() == truth[attribute])
    return {attribute: float(torch.cat(parts).double().mean()) for attribute, parts in right.items()}
