"""The symplectic form J = [[0, I], [−I, 0]]; every sign in this package follows from it."""

import torch
from torch import Tensor

from ._dtypes import check_double
from .errors import StructureError


def form(d: int, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Tensor:
    """The matrix J of d position-momentum pairs, (2d, 2d).

    Raises:
        TypeError: float64 on a device without it.

    >>> form(1)
    tensor([[ 0.,  1.],
            [-1.,  0.]])
    """
    check_double(dtype, device)
    return apply_form(torch.eye(2 * d, dtype=dtype, device=device)) + 0  # no minus zeros


def apply_form(x: Tensor) -> Tensor:
    """J x for a stack of columns x (..., 2d, m), by swapping halves: no matrix is built.

    Raises:
        StructureError: x has fewer than two dimensions or an odd number of rows.

    >>> q_then_p = torch.tensor([[1.0], [2.0]])
    >>> apply_form(q_then_p).flatten()
    tensor([ 2., -1.])
    """
    if x.ndim < 2 or x.shape[-2] % 2:
        raise StructureError(
            f"`x` must be columns (..., 2d, m) because positions and momenta come in pairs; got {tuple(x.shape)}. "
            "Give a single vector its second dimension with `x.unsqueeze(-1)`."
        )
    position, momentum = x.chunk(2, dim=-2)
    return torch.cat([momentum, -position], dim=-2)


def symplectic_inverse(S: Tensor) -> Tensor:
    """−J Sᵀ J (..., 2d, 2d): the inverse of a symplectic S, exact and without a solve.

    For any other matrix it is still the adjoint of S with respect to J: a Hamiltonian matrix is one whose
    symplectic inverse is −H, a skew-Hamiltonian matrix one whose symplectic inverse is W itself.

    Raises:
        StructureError: S is not square of even size.

    >>> shear = torch.tensor([[1.0, 3.0], [0.0, 1.0]])
    >>> symplectic_inverse(shear)
    tensor([[ 1., -3.],
            [-0.,  1.]])
    """
    pairs(S, "S")
    (a, b), (c, d) = (row.chunk(2, dim=-1) for row in S.chunk(2, dim=-2))
    return torch.cat([torch.cat([d.mT, -b.mT], dim=-1), torch.cat([-c.mT, a.mT], dim=-1)], dim=-2)


def check_real(x: Tensor, name: str) -> None:
    """Refuse whole and complex numbers.

    Raises:
        TypeError: x is not real floating point; the sentence calls it `name`.
    """
    if not x.is_floating_point():
        raise TypeError(
            f"`{name}` must be real floating point; got {x.dtype}. Convert it first, for example `{name}.float()`."
        )


def pairs(x: Tensor, name: str) -> int:
    """The number d of position-momentum pairs of a matrix x (..., 2d, 2d), refusing any other shape.

    Raises:
        StructureError: x is not square of even size; the sentence calls it `name`.
    """
    if x.ndim < 2 or x.shape[-1] != x.shape[-2] or x.shape[-1] % 2:
        raise StructureError(
            f"`{name}` must end in an even square (..., 2d, 2d) because positions and momenta come in pairs; "
            f"got {tuple(x.shape)}. Pad the state by one channel, or use an unconstrained matrix if no symplectic "
            "structure is wanted."
        )
    return x.shape[-1] // 2
