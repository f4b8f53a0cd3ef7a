"""What a decoder does to a picture, done on purpose: a judge that learned this judges content, not artefacts."""

import torch
from torch import Tensor
from torch.nn.functional import pad

SHIFT = 2  # pixels, in each direction
GAIN, OFFSET = 0.04, 0.02  # of brightness, up and down; skins of neighbouring shades must stay apart
NOISE = 0.04  # the largest standard deviation


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Clips (b, t, 3, h, w) in [0, 1], each shifted, blurred, lit and made noisy in its own random way.

    All frames of a clip are treated alike, but for the noise. A third of the clips is not blurred.
    """
    count, device = len(images), images.device

    def uniform(low: float, high: float) -> Tensor:
        return (low + (high - low) * torch.rand(count, 1, 1, 1, 1, generator=generator)).to(device)

    shifted = _shifted(images, torch.randint(2 * SHIFT + 1, (2, count), generator=generator).tolist())
    soft = torch.lerp(shifted, _blurred(shifted), uniform(-0.5, 1).clamp(min=0))
    lit = uniform(1 - GAIN, 1 + GAIN) * soft + uniform(-OFFSET, OFFSET)
    noise = torch.randn(images.shape, generator=generator).to(device)
    return (lit + uniform(0, NOISE) * noise).clamp(0, 1)


def _shifted(images: Tensor, corners: list[list[int]]) -> Tensor:
    """Each clip seen from a corner (2, b), down and across, of frames continued over their edges."""
    height, width = images.shape[-2:]
    views = [
        clip[..., top : top + height, left : left + width]
        for clip, top, left in zip(_continued(images, SHIFT), *corners, strict=True)
    ]
    return torch.stack(views)


def _blurred(images: Tensor) -> Tensor:
    """A pixel and its neighbours, ¼ ½ ¼ down and across; far cheaper here than a convolution of three channels."""
    wide = _continued(images, 1)
    rows = wide[..., :-2, :] / 4 + wide[..., 1:-1, :] / 2 + wide[..., 2:, :] / 4
    return rows[..., :-2] / 4 + rows[..., 1:-1] / 2 + rows[..., 2:] / 4


def _continued(images: Tensor, pixels: int) -> Tensor:
    """The frames with their edge pixels repeated outwards."""
    return torch.unflatten(pad(images.flatten(0, 1), (pixels,) * 4, mode="replicate"), 0, images.shape[:2])
