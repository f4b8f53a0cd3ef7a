"""Table 1: sixteen frames from one."""

import torch
from torch import Tensor

from ...metrics import Figures, FrameScores
from ..held_out import HeldOut, Latents


@torch.no_grad()
def generation(held_out: HeldOut) -> dict[str, Figures]:
    """Frames generated from the first frame of every held-out clip, against the clip itself. Nothing is random.

    As many frames as two windows (16, twice what training sees) are rolled from the first frame. A clip that repeats
    is its own truth for ever; one that ends must be that long, or it is only reconstructed.

    Formulas: docs/protocols.md.

    Returns rows, of which the first stands alone where no clip is long enough:
        reconstruction: windows through the model.
        first_frame: content, position and momentum all from the first frame, the momentum's history masked.
        content_from_all: the same, but content from all frames of the window.
    """
    rows: dict[str, Figures] = {"reconstruction": {**held_out.reconstructions.figures()}}
    if len(held_out.long):
        rows["first_frame"] = _rolled(held_out, held_out.first)
        rows["content_from_all"] = _rolled(held_out, Latents(held_out.whole.content, held_out.first.state))
    return rows


def _rolled(held_out: HeldOut, start: Latents) -> Figures:
    def score(clips: Tensor, truth: Tensor, times: Tensor) -> FrameScores:
        labels = held_out.labels[clips].to(held_out.device)
        images = held_out.network.render(start.content[clips], start.state[clips], labels, times - times[:, :1])
        return FrameScores.of(images, truth)

    return FrameScores.joined([score(*part) for part in held_out.two_windows()]).figures_and_curves()
