"""What every space of generators offers."""

from abc import ABC, abstractmethod
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ..errors import StructureError
from ..expm import Structure
from ..form import pairs

Layer = TypeVar("Layer", bound=nn.Module)


class Space(nn.Module, ABC):
    """A set of generators (2d, 2d) with coordinates; usable with torch.nn.utils.parametrize.

    Attributes:
        d: position-momentum pairs.
        dim: number of parameters.
        structure: the name `expm` knows the space by.
    """

    structure: ClassVar[Structure]
    d: int
    dim: int

    @abstractmethod
    def forward(self, params: Tensor) -> Tensor:
        """The matrices (*, 2d, 2d) with parameters (*, dim).

        Raises:
            StructureError: the last dimension of `params` is not `dim`.
        """

    @abstractmethod
    def right_inverse(self, H: Tensor) -> Tensor:
        """The parameters (*, dim) of matrices H (*, 2d, 2d) of this space.

        Raises:
            StructureError: H has another size, or does not lie in this space.
        """

    @abstractmethod
    def project(self, A: Tensor) -> Tensor:
        """The nearest matrix of this space to A (*, 2d, 2d) in the Frobenius norm."""

    def extra_repr(self) -> str:
        return f"d={self.d}, dim={self.dim}"

    def _check_params(self, params: Tensor) -> None:
        if params.ndim < 1 or params.shape[-1] != self.dim:
            raise StructureError(
                f"{type(self).__name__}({self.d}) takes parameters (..., {self.dim}); got {tuple(params.shape)}. "
                f"Make the last dimension {self.dim}."
            )

    def _check_size(self, H: Tensor) -> None:
        d = pairs(H, "H")
        if d != self.d:
            raise StructureError(
                f"{type(self).__name__}({self.d}) holds matrices (..., {2 * self.d}, {2 * self.d}); got "
                f"{tuple(H.shape)}. Build {type(self).__name__}({d}) for these."
            )


def constrain(layer: Layer, name: str, space: type[Space], **options: float) -> Layer:
    """Register `space(d, **options)` on `layer.name`, whose weight (..., 2d, 2d) first moves to its nearest point."""
    weight = getattr(layer, name)
    parameterisation = space(pairs(weight, name), **options).to(weight.device)
    with torch.no_grad():
        weight.copy_(parameterisation.project(weight))
    parametrize.register_parametrization(layer, name, parameterisation)
    return layer
