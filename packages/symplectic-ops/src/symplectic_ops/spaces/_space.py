"""What every space of generators offers."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import count
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .._dtypes import check_double
from ..errors import StructureError
from ..expm import Structure
from ..form import pairs

Layer = TypeVar("Layer", bound=nn.Module)
Normal = Callable[[int, int], Tensor]


class Space(nn.Module, ABC):
    """A set of generators (2d, 2d) with coordinates; usable with torch.nn.utils.parametrize.

    Args:
        d: position-momentum pairs, at least one.

    Attributes:
        d: position-momentum pairs.
        dim: number of parameters.
        structure: the name `expm` knows the space by; None for all matrices.

    Raises:
        StructureError: d is not a positive whole number.
    """

    structure: ClassVar[Structure | None]
    d: int
    dim: int

    def __init__(self, d: int) -> None:
        super().__init__()
        if not isinstance(d, int) or d < 1:
            raise StructureError(
                f"`d` must be a number of position-momentum pairs, a whole one from 1 on; got {d!r}. It is half the "
                "size of the matrices."
            )
        self.d, self.dim = d, self.dimension(d)

    @staticmethod
    @abstractmethod
    def dimension(d: int) -> int:
        """How many parameters a matrix of d pairs has."""

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
            NonFiniteError: H holds NaN or infinity.
        """

    def project(self, A: Tensor) -> Tensor:
        """The nearest matrix of this space to A (*, 2d, 2d) in the Frobenius norm.

        Raises:
            StructureError: A has another size.
            NonFiniteError: A holds NaN or infinity, in the elliptic space; the others let it through.
        """
        self._check_size(A, "A")
        return self._nearest(A)

    def random(
        self,
        *leading: int,
        scale: float = 1.0,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> Tensor:
        """Independent random matrices (*leading, 2d, 2d) of this space.

        No direction of phase space is preferred: an orthogonal symplectic change of coordinates leaves the
        distribution as it is.

        Args:
            *leading: the batch; none for a single matrix.
            scale: the root mean square of the singular values, per unit of time: E‖H‖²_F = 2d · scale² for every d.
                The singular values of a skew-symmetric H are its frequencies, in radians per unit of time.
            generator: where chance comes from; torch's own if there is none.
            dtype: torch's default dtype if there is none.
            device: torch's default device if there is none.

        Raises:
            StructureError: the scale is negative, or smaller than the space allows.
            TypeError: float64 on a device without it.
        """
        check_double(dtype, device)
        if not scale >= 0:
            raise StructureError(f"`scale` must be a number ≥ 0; got {scale}.")
        return self._random(
            lambda *size: torch.randn(*leading, *size, generator=generator, dtype=dtype, device=device), scale
        )

    def extra_repr(self) -> str:
        return f"d={self.d}, dim={self.dim}"

    @abstractmethod
    def _nearest(self, A: Tensor) -> Tensor:
        """`project`, for a matrix of the right size."""

    @abstractmethod
    def _random(self, normal: Normal, scale: float) -> Tensor:
        """`random`, from normal(rows, columns): standard normal numbers (*leading, rows, columns)."""

    def _check_params(self, params: Tensor) -> None:
        if params.ndim < 1 or params.shape[-1] != self.dim:
            raise StructureError(
                f"{type(self).__name__}({self.d}) takes parameters (..., {self.dim}); got {tuple(params.shape)}. "
                f"Make the last dimension {self.dim}."
            )

    def _check_size(self, H: Tensor, name: str = "H") -> None:
        d = pairs(H, name)
        if d != self.d:
            raise StructureError(
                f"{type(self).__name__}({self.d}) holds matrices (..., {2 * self.d}, {2 * self.d}); got "
                f"{tuple(H.shape)}. Build {type(self).__name__}({d}) for these."
            )


def matrix(space: type[Space], params: Tensor, **options: float) -> Tensor:
    """The matrices of `space(d, **options)` with parameters (*, dim), for the one d that has as many.

    Raises:
        StructureError: no d has as many; the sentence names those nearest.
    """
    given = params.shape[-1] if params.ndim else 0
    d = next(d for d in count(1) if space.dimension(d) >= given)
    if space.dimension(d) != given:
        sizes = " or ".join(f"{space.dimension(near)} (d = {near})" for near in (d - 1, d) if near)
        raise StructureError(
            f"`params` must end in the parameters of one {space.__name__}, such as {sizes}; got {tuple(params.shape)}."
        )
    whole: Tensor = space(d, **options).to(params.device)(params)
    return whole


def constrain(layer: Layer, name: str, space: type[Space], **options: float) -> Layer:
    """Register `space(d, **options)` on `layer.name`, whose weight (..., 2d, 2d) first moves to its nearest point."""
    if parametrize.is_parametrized(layer, name):
        raise StructureError(
            f"`{name}` is constrained already. Free it first: "
            f"`torch.nn.utils.parametrize.remove_parametrizations(layer, {name!r})`."
        )
    weight = getattr(layer, name)
    parameterisation = space(pairs(weight, name), **options).to(weight.device)
    with torch.no_grad():
        weight.copy_(parameterisation.project(weight))
    parametrize.register_parametrization(layer, name, parameterisation)
    return layer
