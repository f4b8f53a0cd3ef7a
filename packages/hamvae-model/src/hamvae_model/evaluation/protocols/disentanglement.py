"""Table 2 (a): does a judge see the wanted motion when only the content, or only the motion, is real?"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ...clips import as_images
from ...config.choices import PRIORS
from ...data import Exact
from ...judge import Judge
from ...metrics import mse
from ..answers import answers
from ..draws import Drawn, balanced, contents_from_prior, motions_from_prior
from ..held_out import HeldOut


@torch.no_grad()
def disentanglement(held_out: HeldOut, judge: Judge, *, samples: int, seed: int = 0) -> dict[str, dict[str, float]]:
    """The judge's answers (see `answers.answers`) to class-balanced samples under the two protocols in use.

    Formulas: docs/protocols.md.

    Args:
        samples: of each kind, at least 1000; rounded up to as many for each class.
        seed: of what is drawn from priors, and of which clips give the rest.

    Returns:
        motion_from_fitted_prior: content from real clips, the starting state from the Gaussian fitted to the starts of
            training clips. For composed characters also `nearest_frame_mse`: of each frame, the error to the nearest
            true frame of that character and class, which ghosts and frames off the orbit raise.
        motion_from_standard_prior: the same, the state from N(0, I): the protocol of Khan & Storkey (2021).
        content_from_prior: the motion of real clips kept, content from N(0, I): the protocol of C-DSVAE (Bai et al.,
            2021) and those who follow it.

    Raises: UsageError: too few samples, or a class that no held-out clip shows.
    """
    count = balanced(samples, len(held_out.source.classes))
    figures = {}
    for prior in PRIORS:
        drawn = motions_from_prior(held_out, prior, count, torch.Generator().manual_seed(seed))
        figures[f"motion_from_{prior}_prior"] = _judged(held_out, judge, drawn, compare=True)
    drawn = contents_from_prior(held_out, count, torch.Generator().manual_seed(seed))
    return figures | {"content_from_prior": _judged(held_out, judge, drawn, compare=False)}


def _judged(held_out: HeldOut, judge: Judge, drawn: Iterator[Drawn], *, compare: bool) -> dict[str, float]:
    log_p, wanted, distances = [], [], []
    for clips, labels, images in drawn:
        log_p.append(judge.actions(images))
        wanted.append(labels)
        if compare and (exact := held_out.source.exact) is not None:
            distances.append(_nearest_frame(held_out, exact, clips, labels, images))
    figures = answers(torch.cat(log_p), torch.cat(wanted))
    return figures | ({"nearest_frame_mse": float(torch.cat(distances).double().mean())} if distances else {})


def _nearest_frame(held_out: HeldOut, exact: Exact, clips: Tensor, labels: Tensor, images: Tensor) -> Tensor:
    """MSE (b, t) of each frame to the nearest true one of the same character and class."""
    source, motions = held_out.source, len(exact.motions)
    of_class = motions // len(source.classes)
    nearest = torch.full(images.shape[:2], torch.inf, device=images.device)
    for direction in range(of_class):
        true = exact.performance(clips // motions, labels * of_class + direction)
        for frame in as_images(source.clips(held_out.split, true).frames.to(images.device)).unbind(1):
            nearest = torch.minimum(nearest, mse(images, frame.unsqueeze(1)))
    return nearest
