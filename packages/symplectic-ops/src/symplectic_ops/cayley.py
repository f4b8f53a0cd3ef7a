"""The Cayley transform: from Hamiltonian to symplectic matrices and back by one linear solve."""

import math

import torch
from torch import Tensor

from ._dtypes import WORKING_DTYPES, without_autocast
from ._torch import readable
from .errors import StructureError, check_finite, first_of


def cayley(H: Tensor) -> Tensor:
    """(I − ½H)⁻¹ (I + ½H): symplectic if H is Hamiltonian, orthogonal if H is skew-symmetric.

    It differs from exp(H) by H³/12 to leading order, and is the step of the implicit midpoint rule. Unlike a truncated
    series it leaves no group: its structure is exact but for rounding, also where the exponential has long
    overflowed. For the flow of H at real times take `expm`.

    Args:
        H: (..., n, n), real or complex floating point, without the eigenvalue 2.

    Returns:
        (..., n, n), dtype and device of H. Differentiable to any order; without the eigenvalue −1.

    Raises:
        StructureError: H is not square, or has an eigenvalue within rounding of 2. Not checked under the transforms of
            torch.func and torch.compile.
        TypeError: not floating point.
        NonFiniteError: NaN or infinity. Not checked there either.

    Example:
        >>> cayley(torch.tensor([[0.0, 2.0], [-2.0, 0.0]]))  # a quarter turn; the exponential turns by 2 radians
        tensor([[ 0.,  1.],
                [-1.,  0.]])
    """
    half, identity = _prepared(H, "H")
    half = half / 2
    S = _solve(identity - half, identity + half)
    _check_regular(half, (S + identity) / 2, "H", "2", "Take a shorter step, such as H / 2.")
    return S.to(H.dtype)


def cayley_inverse(S: Tensor) -> Tensor:
    """2 (S + I)⁻¹ (S − I), the H with `cayley(H)` = S: Hamiltonian if S is symplectic.

    Args:
        S: (..., n, n), real or complex floating point, without the eigenvalue −1 (no half turns).

    Returns:
        (..., n, n), dtype and device of S. Differentiable to any order; without the eigenvalue 2.

    Raises:
        StructureError: S is not square, or has an eigenvalue within rounding of −1. Not checked under the transforms of
            torch.func and torch.compile.
        TypeError: not floating point.
        NonFiniteError: NaN or infinity. Not checked there either.

    Example:
        >>> cayley_inverse(torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
        tensor([[ 0.,  2.],
                [-2.,  0.]])
    """
    work, identity = _prepared(S, "S")
    H = 2 * _solve(work + identity, work - identity)
    remedy = "Take a shorter step of the same motion, one without half turns."
    _check_regular(work, (identity - H / 2) / 2, "S", "−1", remedy)
    return H.to(S.dtype)


def _prepared(x: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """x in its working dtype, and the identity of its size."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise StructureError(f"`{name}` must be square matrices (..., n, n); got {tuple(x.shape)}.")
    if x.dtype not in WORKING_DTYPES:
        raise TypeError(
            f"`{name}` must be real or complex floating point; got {x.dtype}. Convert it first, for example "
            f"`{name}.float()`."
        )
    check_finite(x, name)
    work = x.to(WORKING_DTYPES[x.dtype])
    return work, torch.eye(x.shape[-1], dtype=work.dtype, device=x.device)


def _solve(K: Tensor, right: Tensor) -> Tensor:
    """K⁻¹ right, and NaN where K is singular."""
    with without_autocast(K.device):
        X, singular = torch.linalg.solve_ex(K, right)
    return torch.where(singular[..., None, None] == 0, X, torch.nan)


def _check_regular(x: Tensor, inverse: Tensor, name: str, eigenvalue: str, remedy: str) -> None:
    """Refuse an I ± x so near a singular matrix that rounding x and I could make it one; `inverse` is its inverse."""
    if not readable(x):
        return
    size = torch.linalg.matrix_norm(x.detach()) + math.sqrt(x.shape[-1])
    bad = ~(size * torch.linalg.matrix_norm(inverse.detach()) < 0.1 / torch.finfo(x.dtype).eps)  # NaN is bad
    if bool(bad.any()):
        raise StructureError(
            f"`{name}{first_of(bad)}` has the eigenvalue {eigenvalue} to within rounding, where no Cayley transform "
            f"exists. {remedy}"
        )
