"""What a network looks at in one training step, what it is sampled with, and what it makes of both."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ..config import ModelConfig
from .posterior import Gaussian


@dataclass(frozen=True, kw_only=True)
class Views:
    """What one training step looks at in a batch of clips; uint8 frames.

    Args:
        window: (b, w, 3, h, w) frames that end in the reference frame.
        history: bool (b, w), which of them the momentum may see; the last always.
        content: bool (b, w), which of them the content may see; at least one.
        targets: (b, n, 3, h, w) frames to explain.
        offsets: float (b, n), their distance from the reference frame, in frames.
        labels: int64 (b,).
    """

    window: Tensor
    history: Tensor
    content: Tensor
    targets: Tensor
    offsets: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What posteriors are sampled with, from N(0, I): position and momentum (b, d), content (b, c)."""

    position: Tensor
    momentum: Tensor
    content: Tensor

    @classmethod
    def draw(cls, config: ModelConfig, batch: int, generator: torch.Generator) -> Self:
        """For a whole batch, on the generator's device (the CPU), so that a seed means the same everywhere."""
        sizes = {"position": config.pairs, "momentum": config.pairs, "content": config.content_dim}
        return cls(**{name: torch.randn(batch, size, generator=generator) for name, size in sizes.items()})


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A batch as the network sees it: the posteriors, and the decoded targets (b, n, 3, h, w) in [0, 1]."""

    content: Gaussian
    position: Gaussian
    momentum: Gaussian
    images: Tensor
