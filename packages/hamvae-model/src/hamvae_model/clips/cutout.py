"""Cut a figure out of its background: pixels of the background's colour that hang together with the border."""

import torch
import torch.nn.functional as F
from torch import Tensor

TOLERANCE = 16
"""How far a channel may be from the background's colour: a model's black is not quite black."""


def cut_out(frames: Tensor, background: tuple[int, ...], tolerance: int = TOLERANCE) -> Tensor:
    """Frames uint8 (t, 3, h, w) with straight alpha, (t, 4, h, w): 0 in the background and 255 elsewhere.

    What is enclosed by the figure stays, also in the background's colour; so does what it casts its colour on.
    """
    colour = torch.tensor(background).view(1, 3, 1, 1)
    like = ((frames.int() - colour).abs() <= tolerance).all(1, keepdim=True).float()
    # Outside of the picture everything is background; it flows into its own colour until it has filled it.
    open_to = F.pad(like, (1, 1, 1, 1), value=1)
    reached = F.pad(torch.zeros_like(like), (1, 1, 1, 1), value=1)
    while not (grown := _neighbours(reached) * open_to).equal(reached):
        reached = grown
    alpha = (1 - reached[..., 1:-1, 1:-1]) * 255
    return torch.cat([frames, alpha.to(torch.uint8)], dim=1)


def _neighbours(mask: Tensor) -> Tensor:
    """The mask (t, 1, h, w) grown by a pixel up, down, left and right."""
    upright = F.max_pool2d(mask, (3, 1), stride=1, padding=(1, 0))
    return torch.maximum(upright, F.max_pool2d(mask, (1, 3), stride=1, padding=(0, 1)))
