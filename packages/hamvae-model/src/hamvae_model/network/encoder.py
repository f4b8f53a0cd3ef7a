"""Frames to features: the trunk θ₂ that content and motion share, and where the two part.

Content is *what* is shown, so its branch keeps the strongest response wherever it is: a hairstyle counts the same
whichever way the head turns, and pose finds it hard to leak into z. Motion is *where* things are, so its branch keeps
the layout.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..config import ModelConfig
from .layers import activation, initialise

PATCH = 4  # pixels a side that become channels before the first convolution: full-size maps are what costs on a CPU


class Features(NamedTuple):
    """Features of frames, each (…, feature_dim)."""

    content: Tensor
    motion: Tensor


class Encoder(nn.Module):
    """Images (m, 3, size, size) in [0, 1] to features, each frame by itself."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        first, second, third = config.encoder_widths
        self.trunk = nn.Sequential(
            nn.PixelUnshuffle(PATCH),
            nn.Conv2d(3 * PATCH**2, first, 3, padding=1),
            activation(),
            nn.Conv2d(first, second, 4, stride=2, padding=1),
            activation(),
        )
        self.content = nn.Sequential(nn.Conv2d(second, config.feature_dim, 1), activation())
        side = config.image_size // PATCH // 4
        self.motion = nn.Sequential(
            nn.Conv2d(second, third, 4, stride=2, padding=1),
            activation(),
            nn.Flatten(),
            nn.Linear(third * side**2, config.feature_dim),
            activation(),
        )
        initialise(self)

    def forward(self, images: Tensor) -> Features:
        shared = self.trunk(images.contiguous(memory_format=torch.channels_last))
        return Features(content=self.content(shared).amax((-2, -1)), motion=self.motion(shared))
