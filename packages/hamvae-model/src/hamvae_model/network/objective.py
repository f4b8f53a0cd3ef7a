"""The evidence lower bound of eq. (17), as named terms that are summed last."""

from collections.abc import Mapping

from torch import Tensor

from ..clips import as_images
from ..config import ObjectiveConfig
from .views import Explanation, Views


def terms(explanation: Explanation, views: Views, *, variance: float, length: int) -> dict[str, Tensor]:
    """The terms for clips of `length` frames, of which the views hold a random few.

    Each is a scalar in nats per clip, averaged over the batch; all are to be small. `reconstruction` is
    −log p(x₁:T | z, q₁:T) up to its constant T·m/2·log 2πα², estimated without bias from the decoded frames. The
    divergences are from N(0, I), which stands at the reference frame: for an orthogonal flow (skew-symmetric
    operators) that is the same prior at every frame, for the others a prior on that frame.
    """
    error = (explanation.images.float() - as_images(views.targets)) ** 2
    return {
        "content": explanation.content.divergence().mean(),
        "position": explanation.position.divergence().mean(),
        "momentum": explanation.momentum.divergence().mean(),
        "reconstruction": length / (2 * variance) * error.flatten(2).sum(-1).mean(),
    }


def bound(terms: Mapping[str, Tensor], weights: ObjectiveConfig) -> Tensor:
    """The weighted negative bound, a scalar in nats per clip."""
    return (
        terms["reconstruction"]
        + weights.content_weight * terms["content"]
        + weights.position_weight * terms["position"]
        + weights.momentum_weight * terms["momentum"]
    )
