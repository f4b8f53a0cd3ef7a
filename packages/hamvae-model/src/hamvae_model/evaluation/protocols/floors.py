"""The floors under Table 1: what sixteen frames score that no model has made."""

import torch
from torch import Tensor

from ...clips.clip import as_images
from ...data import Source
from ...metrics import Figures, FrameScores
from ..held_out import HeldOut, longer

COMPARED_AT_ONCE = 250  # first frames of training clips


@torch.no_grad()
def static_floor(held_out: HeldOut) -> dict[str, Figures]:
    """The row `static`: the first frame shown all the time, scored as in `generation`. No row without long clips."""
    if not len(held_out.long):
        return {}
    still = [FrameScores.of(truth[:, :1].expand_as(truth), truth) for _, truth, _ in held_out.two_windows()]
    return {"static": FrameScores.joined(still).figures_and_curves()}


@torch.no_grad()
def copy_floor(held_out: HeldOut) -> dict[str, Figures]:
    """The row `copy`: instead of each clip, the training clip of its class whose first frame is the nearest.

    Nearest in mean squared error. No row without long clips, or if a class has none to copy.
    """
    copies = _nearest(held_out)
    if not len(held_out.long) or (copies[held_out.long] < 0).any():
        return {}
    frames = torch.arange(2 * held_out.source.length)
    copied = [
        FrameScores.of(_images(held_out.source, "train", copies[clips], frames).to(truth.device), truth)
        for clips, truth, _ in held_out.two_windows()
    ]
    return {"copy": FrameScores.joined(copied).figures_and_curves()}


def _nearest(held_out: HeldOut) -> Tensor:
    """For each held-out clip, the training clip of its class with the nearest first frame; -1 where there is none."""
    source = held_out.source
    found = torch.full((len(held_out.clips),), -1)
    training = longer(source, "train", torch.arange(source.splits["train"]))
    for label in torch.unique(held_out.labels[held_out.long]).tolist():
        asking = held_out.long[held_out.labels[held_out.long] == label]
        first = _images(source, held_out.split, asking, torch.zeros(1, dtype=torch.long)).flatten(1)
        least = torch.full((len(asking),), torch.inf)
        like = training[source.labels("train", training) == label]
        for some in torch.split(like, COMPARED_AT_ONCE) if len(like) else ():  # of nothing, one part that is empty
            begun = _images(source, "train", some, torch.zeros(1, dtype=torch.long)).flatten(1)
            distance = torch.cdist(first, begun).min(1)
            nearer = distance.values < least
            found[asking[nearer]] = some[distance.indices[nearer]]
            least = torch.minimum(least, distance.values)
    return found


def _images(source: Source, split: str, clips: Tensor, indices: Tensor) -> Tensor:
    return as_images(source.frames(split, clips, indices.expand(len(clips), -1)).cpu())
