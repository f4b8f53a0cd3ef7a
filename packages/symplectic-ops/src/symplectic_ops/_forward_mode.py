"""Noticing forward-mode differentiation."""

from torch import Tensor
from torch.autograd import forward_ad


def has_tangent(x: Tensor) -> bool:
    """Whether x carries a direction of forward-mode differentiation."""
    return forward_ad.unpack_dual(x).tangent is not None  # type: ignore[no-untyped-call]
