"""How far a matrix is from each of the spaces, from the symplectic group and from the orthogonal one.

Matrices are real floating point; of any other dtype they raise a TypeError.
"""

import torch
from torch import Tensor

from ._dtypes import WORKING_DTYPES, without_autocast
from .errors import StructureError
from .form import apply_form, check_real, form, pairs, symplectic_inverse


def hamiltonian_residual(A: Tensor) -> Tensor:
    """Distance from A (..., 2d, 2d) to the nearest Hamiltonian matrix, relative to ‖A‖_F: (...), 0 to 1.

    >>> hamiltonian_residual(torch.eye(2))  # stretching both axes preserves no area
    tensor(1.)
    """
    work = _working(A, "A")
    return _relative(_norm(_skew_hamiltonian_part(work)), work).to(A.dtype)


def elliptic_hamiltonian_residual(A: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Distance from A (..., 2d, 2d) to the nearest H = J M with M ⪰ εI, relative to ‖A‖_F: (...).

    >>> spring, saddle = torch.tensor([[[0.0, 1.0], [-4.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]])
    >>> elliptic_hamiltonian_residual(spring)
    tensor(0.)
    >>> elliptic_hamiltonian_residual(saddle, epsilon=0.0).round(decimals=4)  # half of its energy is negative
    tensor(0.7071)
    """
    pairs(A, "A")
    work = _working(A, "A")
    M = -apply_form(work)
    finite = M.isfinite().all(-1).all(-1)[..., None]
    curvature = torch.linalg.eigvalsh(((M + M.mT) / 2).where(finite[..., None], 0))
    missing = (epsilon - curvature.where(finite, torch.nan)).clamp(min=0)
    distance = torch.hypot(_norm(M - M.mT) / 2, torch.linalg.vector_norm(missing, dim=-1))
    return _relative(distance, work).to(A.dtype)


def skew_symmetric_hamiltonian_residual(A: Tensor) -> Tensor:
    """Distance from A (..., 2d, 2d) to the nearest skew-symmetric Hamiltonian matrix, relative to ‖A‖_F: (...), 0 to 1.

    >>> skew_symmetric_hamiltonian_residual(torch.tensor([[0.0, 3.0], [-3.0, 0.0]]))
    tensor(0.)
    """
    # What is not Hamiltonian and what is not skew-symmetric of the rest are orthogonal to each other.
    work = _working(A, "A")
    other = _skew_hamiltonian_part(work)
    rest = work - other
    return _relative(torch.hypot(_norm(other), _norm(rest + rest.mT) / 2), work).to(A.dtype)


def skew_hamiltonian_residual(A: Tensor) -> Tensor:
    """Distance from A (..., 2d, 2d) to the nearest skew-Hamiltonian matrix, relative to ‖A‖_F: (...), 0 to 1.

    >>> skew_hamiltonian_residual(torch.eye(2))
    tensor(0.)
    """
    pairs(A, "A")
    work = _working(A, "A")
    return _relative(_norm(work - symplectic_inverse(work)) / 2, work).to(A.dtype)


def symplectic_residual(S: Tensor) -> Tensor:
    """‖SᵀJS − J‖_F / max(‖S‖²_F, 2d) for S (..., 2d, 2d): (...).

    The numerator is quadratic in S, and rounding the entries of S moves it by about ε‖S‖²; hence the scale. Every
    symplectic matrix has ‖S‖²_F ≥ 2d, so the maximum only keeps small matrices from being measured against nothing.

    >>> symplectic_residual(torch.tensor([[1.0, 3.0], [0.0, 1.0]]))
    tensor(0.)
    """
    d = pairs(S, "S")
    work = _working(S, "S")
    with without_autocast(S.device):
        moved = work.mT @ apply_form(work)
    return (_norm(moved - form(d, work.dtype, work.device)) / _square_scale(work)).to(S.dtype)


def orthogonal_residual(Q: Tensor) -> Tensor:
    """‖QᵀQ − I‖_F / max(‖Q‖²_F, n) for Q (..., n, n): (...).

    Raises:
        StructureError: Q is not square.

    >>> orthogonal_residual(torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    tensor(0.)
    """
    if Q.ndim < 2 or Q.shape[-1] != Q.shape[-2]:
        raise StructureError(f"`Q` must be square matrices (..., n, n); got {tuple(Q.shape)}.")
    work = _working(Q, "Q")
    with without_autocast(Q.device):
        product = work.mT @ work
    identity = torch.eye(Q.shape[-1], dtype=work.dtype, device=work.device)
    return (_norm(product - identity) / _square_scale(work)).to(Q.dtype)


def is_hamiltonian(A: Tensor, tolerance: float | None = None) -> Tensor:
    """Whether each matrix of A is Hamiltonian, (J A symmetric), to within `tolerance` (default: see `tolerance_of`)."""
    return hamiltonian_residual(A) <= tolerance_of(A, tolerance)


def is_elliptic_hamiltonian(A: Tensor, epsilon: float = 1e-3, tolerance: float | None = None) -> Tensor:
    """Whether each matrix of A is Hamiltonian with an energy M ⪰ εI, to within `tolerance`."""
    return elliptic_hamiltonian_residual(A, epsilon) <= tolerance_of(A, tolerance)


def is_skew_symmetric_hamiltonian(A: Tensor, tolerance: float | None = None) -> Tensor:
    """Whether each matrix of A is skew-symmetric and Hamiltonian, [[A, B], [−B, A]], to within `tolerance`."""
    return skew_symmetric_hamiltonian_residual(A) <= tolerance_of(A, tolerance)


def is_skew_hamiltonian(A: Tensor, tolerance: float | None = None) -> Tensor:
    """Whether each matrix of A is skew-Hamiltonian, (J A skew-symmetric), to within `tolerance`."""
    return skew_hamiltonian_residual(A) <= tolerance_of(A, tolerance)


def is_symplectic(S: Tensor, tolerance: float | None = None) -> Tensor:
    """Whether each matrix of S is symplectic, SᵀJS = J, to within `tolerance`."""
    return symplectic_residual(S) <= tolerance_of(S, tolerance)


def is_orthogonal(Q: Tensor, tolerance: float | None = None) -> Tensor:
    """Whether each matrix of Q is orthogonal, QᵀQ = I, to within `tolerance`."""
    return orthogonal_residual(Q) <= tolerance_of(Q, tolerance)


def tolerance_of(x: Tensor, tolerance: float | None = None) -> float:
    """`tolerance` itself, or ε^¾ of the dtype of x: 2e-12 in float64, 6e-6 in float32.

    That leaves room for thousands of roundings and still sees an error in the fifth digit.
    """
    return torch.finfo(x.dtype).eps ** 0.75 if tolerance is None else tolerance


def _working(x: Tensor, name: str) -> Tensor:
    """x where squares of its entries can be held: in half precision they overflow from 256 on."""
    check_real(x, name)
    return x.to(WORKING_DTYPES[x.dtype])


def _norm(x: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(x, dim=(-2, -1))
    return norm


def _relative(distance: Tensor, A: Tensor) -> Tensor:
    """distance / ‖A‖, where the zero matrix is measured against one."""
    whole = _norm(A)
    return distance / torch.where(whole == 0, 1, whole)


def _skew_hamiltonian_part(A: Tensor) -> Tensor:
    pairs(A, "A")
    return (A + symplectic_inverse(A)) / 2


def _square_scale(x: Tensor) -> Tensor:
    return _norm(x).square().clamp(min=max(x.shape[-1], 1))
