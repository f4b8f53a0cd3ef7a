"""The evidence lower bound of eq. (17), as named terms that are summed last."""

from dataclasses import dataclass

from torch import Tensor

from ..clips.clip import as_images
from ..config.run import ObjectiveConfig
from .hamvae import Explanation, Views


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Each in nats per clip, averaged over the batch; all are to be small.

    `reconstruction` is −log p(x₁:T | z, q₁:T) up to its constant T·m/2·log 2πα², estimated without bias from the
    decoded frames. The divergences are from N(0, I), which stands at the reference frame: for an orthogonal flow
    (skew-symmetric operators) that is the same prior at every frame, for the others a prior on that frame.
    """

    reconstruction: Tensor
    content: Tensor
    position: Tensor
    momentum: Tensor

    def bound(self, weights: ObjectiveConfig) -> Tensor:
        """The weighted negative bound, a scalar in nats per clip."""
        return (
            self.reconstruction
            + weights.content_weight * self.content
            + weights.position_weight * self.position
            + weights.momentum_weight * self.momentum
        )


def terms(explanation: Explanation, views: Views, *, variance: float, length: int) -> Terms:
    """The terms of the bound for clips of `length` frames, of which the views hold a random few."""
    error = (explanation.images.float() - as_images(views.targets)) ** 2
    return Terms(
        reconstruction=length / (2 * variance) * error.flatten(2).sum(-1).mean(),
        content=explanation.content.divergence().mean(),
        position=explanation.position.divergence().mean(),
        momentum=explanation.momentum.divergence().mean(),
    )
