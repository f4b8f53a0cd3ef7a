"""Constraining a weight of an existing layer to a space, starting from its nearest point there."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ..form import pairs

Layer = TypeVar("Layer", bound=nn.Module)


class Space(Protocol):
    """What a door needs of a space: its nearest-point projection."""

    def project(self, A: Tensor) -> Tensor: ...


def constrain(layer: Layer, name: str, space: Callable[[int], nn.Module]) -> Layer:
    """Register `space(d)` on `layer.name`, whose weight (..., 2d, 2d) is first moved to its nearest point."""
    weight = getattr(layer, name)
    parameterisation = space(pairs(weight, name))
    parameterisation.to(weight.device)
    with torch.no_grad():
        weight.copy_(parameterisation.project(weight))  # type: ignore[operator]
    parametrize.register_parametrization(layer, name, parameterisation)
    return layer
