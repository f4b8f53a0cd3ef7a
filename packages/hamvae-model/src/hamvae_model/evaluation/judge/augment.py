"""What a decoder does to a picture, done on purpose: a judge that learnt through this judges content, not artefacts."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

SHIFT = 2  # pixels, in each direction
BLUR = 3  # pixels a side of the box that is blurred with, at full strength
GAIN, OFFSET = 0.1, 0.05  # of brightness, up and down
NOISE = 0.05  # the largest standard deviation


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Clips (b, t, 3, h, w) in [0, 1], each shifted, blurred, lit and made noisy in its own random way.

    All frames of a clip are treated alike, but for the noise. A third of the clips is not blurred.
    """
    count = len(images)
    device = images.device

    def uniform(low: float, high: float) -> Tensor:
        return (low + (high - low) * torch.rand(count, 1, 1, 1, 1, generator=generator)).to(device)

    shifted = _shifted(images, torch.randint(2 * SHIFT + 1, (2, count), generator=generator).to(device))
    blurred = torch.unflatten(avg_pool2d(shifted.flatten(0, 1), BLUR, 1, BLUR // 2), 0, images.shape[:2])
    soft = torch.lerp(shifted, blurred, uniform(-0.5, 1).clamp(min=0))
    lit = uniform(1 - GAIN, 1 + GAIN) * soft + uniform(-OFFSET, OFFSET)
    noise = torch.randn(images.shape, generator=generator).to(device)
    return (lit + uniform(0, NOISE) * noise).clamp(0, 1)


def _shifted(images: Tensor, corners: Tensor) -> Tensor:
    """Each clip seen from a corner (2, b) of a frame that is continued over its edges."""
    height, width = images.shape[-2:]
    wide = torch.unflatten(pad(images.flatten(0, 1), (SHIFT,) * 4, mode="replicate"), 0, images.shape[:2])
    down, across = corners.tolist()
    views = [
        clip[..., top : top + height, left : left + width] for clip, top, left in zip(wide, down, across, strict=True)
    ]
    return torch.stack(views)
