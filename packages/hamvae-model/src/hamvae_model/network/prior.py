"""Where motions start: one Gaussian per class, fitted to the states the encoder finds in first frames.

N(0, I) is the prior that training uses. The states of real clips lie on thin orbits inside it, so most of its
draws decode to ghosts ("prior hole"). A Gaussian fitted to the aggregated posterior closes the hole, and its mean
is the typical beginning of a motion: a state to start from when an image says nothing about it.
"""

import torch
from torch import Tensor, nn

from ..config import ModelConfig
from .posterior import Gaussian

JITTER = 1e-6  # added to a covariance so that it factorises when a class has fewer clips than coordinates


class StartPrior(nn.Module):
    """N(μ_k, L_k L_kᵀ) over the state s^k of a clip's first frame; N(0, I) until fitted."""

    mean: Tensor
    factor: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        classes, side = len(config.classes), 2 * config.pairs
        self.register_buffer("mean", torch.zeros(classes, side))
        self.register_buffer("factor", torch.zeros(classes, side, side))
        self.factor.diagonal(dim1=-2, dim2=-1).fill_(1)

    @torch.no_grad()
    def fit(self, states: Gaussian, labels: Tensor) -> None:
        """Match the first two moments of the aggregated posterior; a class without clips keeps what it had.

        Args:
            states: posteriors over s of first frames, (m, 2d).
            labels: int64 (m,).
        """
        # On the CPU, because not every device has double precision.
        means, deviations, labels = states.mean.cpu().double(), states.log_deviation.cpu().double(), labels.cpu()
        for label in sorted(set(labels.tolist())):
            mean = means[labels == label]
            noise = (2 * deviations[labels == label]).exp().mean(0)
            centred = mean - mean.mean(0)
            covariance = centred.mT @ centred / len(mean) + (noise + JITTER).diag()
            self.mean[label] = mean.mean(0).to(self.mean)
            self.factor[label] = torch.linalg.cholesky(covariance).to(self.factor)

    def typical(self, labels: Tensor) -> Tensor:
        """The mean state (m, 2d) of each label (m,)."""
        return self.mean[labels]

    def sample(self, labels: Tensor, generator: torch.Generator | None) -> Tensor:
        """One state (m, 2d) for each label (m,)."""
        noise = torch.randn(len(labels), self.mean.shape[-1], generator=generator).to(self.mean)
        return self.mean[labels] + (self.factor[labels] @ noise.unsqueeze(-1)).squeeze(-1)
