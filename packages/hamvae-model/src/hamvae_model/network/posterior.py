"""What a clip says about its latents: three diagonal Gaussians, eqs. (15) and (16)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..config import ModelConfig
from .layers import activation, initialise

LOG_DEVIATION_RANGE = (-7.0, 2.0)  # beyond these the exponential would only cost digits


@dataclass(frozen=True)
class Gaussian:
    """A diagonal Gaussian: mean and log standard deviation, both (b, dim)."""

    mean: Tensor
    log_deviation: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """μ + σ ⊙ ε, where the noise ε (b, dim) is from N(0, I)."""
        return self.mean + self.log_deviation.exp() * noise

    def divergence(self) -> Tensor:
        """KL from the standard normal N(0, I), in nats, (b,)."""
        variance = (2 * self.log_deviation).exp()
        return 0.5 * (self.mean**2 + variance - 1 - 2 * self.log_deviation).sum(-1)


class Posterior(nn.Module):
    """The content head and, for each class k, a position head γ_k and a momentum head δ_k.

    The content head averages over the frames it is given before its last map, so that any number of
    frames will do: one image, or a whole clip.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.pairs, self.classes = config.pairs, len(config.classes)
        width, motion = config.feature_dim, 2 * config.pairs * len(config.classes)
        self.content_features = nn.Sequential(nn.Linear(width, width), activation())
        self.content_head = nn.Linear(width, 2 * config.content_dim)
        self.position_head = nn.Linear(width, motion)
        self.momentum_features = nn.Sequential(nn.Conv1d(width, width, config.history), activation())
        self.momentum_head = nn.Linear(width, motion)
        initialise(self)
        for head in (self.content_head, self.position_head, self.momentum_head):
            nn.init.normal_(head.weight, std=0.5 / width**0.5)  # start near the prior's scale, not at He's

    def content(self, features: Tensor, seen: Tensor) -> Gaussian:
        """q(z | x): features (b, t, f), seen bool (b, t) with at least one frame of each clip."""
        weight = seen.to(features.dtype).unsqueeze(-1)
        mean = (self.content_features(features) * weight).sum(1) / weight.sum(1)
        return _gaussian(self.content_head(mean))

    def position(self, features: Tensor, labels: Tensor) -> Gaussian:
        """q(q | x_t, u): features (b, f) of the reference frame, labels (b,)."""
        return _gaussian(self._of_class(self.position_head(features), labels))

    def momentum(self, features: Tensor, seen: Tensor, labels: Tensor) -> Gaussian:
        """q(p | x_{t−w+1..t}, u): features (b, w, f) ending in the reference frame; frames not seen count as zero."""
        window = features * seen.to(features.dtype).unsqueeze(-1)
        hidden = self.momentum_features(window.transpose(1, 2)).squeeze(-1)
        return _gaussian(self._of_class(self.momentum_head(hidden), labels))

    def _of_class(self, heads: Tensor, labels: Tensor) -> Tensor:
        return torch.unflatten(heads, -1, (self.classes, 2 * self.pairs))[torch.arange(len(labels)), labels]


def _gaussian(parameters: Tensor) -> Gaussian:
    mean, log_deviation = parameters.float().chunk(2, dim=-1)
    return Gaussian(mean, (log_deviation - 2).clamp(*LOG_DEVIATION_RANGE))
