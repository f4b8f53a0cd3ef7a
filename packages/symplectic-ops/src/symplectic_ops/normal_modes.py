"""Normal modes: the canonical coordinates in which a system falls apart into d oscillators."""

from typing import NamedTuple

import torch
from torch import Tensor

from ._dtypes import double
from .errors import StructureError, first_of
from .form import apply_form, check_real, pairs
from .residuals import is_hamiltonian, is_skew_symmetric_hamiltonian


class NormalModes(NamedTuple):
    """d oscillators: s = basis · (Q, P) with dQ/dt = ω P and dP/dt = −ω Q.

    Attributes:
        frequencies: ω (..., d) in radians per unit of time, smallest |ω| first; negative for an oscillator of negative
            energy, which turns the other way.
        basis: S (..., 2d, 2d), symplectic. Columns j and d + j are the directions of Q and P of mode j.
    """

    frequencies: Tensor
    basis: Tensor


def normal_modes(H: Tensor) -> NormalModes:
    r"""A symplectic S that brings the energy to :math:`S^T M S = \mathrm{diag}(ω, ω)`, hence H to J diag(ω, ω).

    For a definite energy, positive or negative, that is Williamson's normal form: with |M| = C Cᵀ the matrix i Cᵀ J C
    is Hermitian, and its eigenvectors are the modes. A skew-symmetric H, whatever its energy, acts on q + ip as a
    Hermitian matrix times −i, and S is orthogonal too. Neither way minds frequencies that coincide, and both work in
    double precision. S is unique but for a turn of each mode, and of modes of one frequency among each other.

    Args:
        H: (..., 2d, 2d), each matrix either J M with M definite, or skew-symmetric Hamiltonian.

    Returns:
        Frequencies and basis, in the dtype of H. The frequencies are differentiable where they are distinct.
        It reads numbers, so not under vmap.

    Raises:
        StructureError: H is not square of even size, not Hamiltonian, or of neither kind: a saddle has no such modes,
            and an indefinite energy need not.
        TypeError: H is not real floating point.

    References:
        J. Williamson, "On the algebraic problem concerning the normal forms of linear dynamical systems", Amer. J.
        Math. 58, 141, 1936.

    Example:
        >>> two_springs = hamiltonian_matrix(torch.tensor([4.0, 0, 0, 0, 9.0, 0, 0, 1.0, 0, 1.0]))
        >>> modes = normal_modes(two_springs)
        >>> modes.frequencies
        tensor([2., 3.])
        >>> M = -apply_form(two_springs)
        >>> (modes.basis.mT @ M @ modes.basis).diagonal().round(decimals=4)
        tensor([2., 3., 2., 3.])
    """
    pairs(H, "H")
    check_real(H, "H")
    if not bool(is_hamiltonian(H).all()):
        raise StructureError("`H` must be Hamiltonian to have normal modes. Take `Hamiltonian(d).project(H)`.")
    if not H.shape[-1]:
        return NormalModes(H.new_zeros(H.shape[:-1]), H)
    wide = double(H)
    M = -apply_form(wide)
    M = (M + M.mT) / 2
    curvature = torch.linalg.eigvalsh(M.detach())
    floor = H.shape[-1] * torch.finfo(M.dtype).eps * curvature.abs().amax(-1)
    positive, negative = curvature[..., 0] > floor, curvature[..., -1] < -floor
    definite = positive | negative
    turning = ~definite & is_skew_symmetric_hamiltonian(H).to(M.device)
    neither = ~(definite | turning)
    if bool(neither.any()):
        raise StructureError(
            f"`H{first_of(neither)}` has no normal modes to rely on: its energy is indefinite and it is not "
            "skew-symmetric. Read `stability` and `growth_rates`, or take the complex modes of `torch.linalg.eig`."
        )
    # Both ways for all, each with something harmless where it does not apply.
    sign = torch.where(negative, -1.0, 1.0).to(M)
    of_energy = _modes_of_energy(_choose(definite, sign[..., None, None] * M, torch.eye(H.shape[-1]).to(M)))
    of_turning = _modes_of_turning(_choose(turning, wide, torch.zeros_like(wide)))
    return NormalModes(
        torch.where(definite[..., None], sign[..., None] * of_energy.frequencies, of_turning.frequencies).to(H),
        _choose(definite, of_energy.basis, of_turning.basis).to(H),
    )


def _modes_of_energy(P: Tensor) -> NormalModes:
    """Those of J P with P (..., 2d, 2d) positive definite."""
    # Not the symmetric root: that has no derivative by its eigenvectors where curvatures coincide.
    C = torch.linalg.cholesky(P)
    K = C.mT @ apply_form(C)  # skew-symmetric, and i K has the eigenvalues ±ω
    omega, u = torch.linalg.eigh(1j * (K - K.mT) / 2)
    d = P.shape[-1] // 2
    omega, u = omega[..., d:], u[..., d:]
    scaled = torch.cat([u.imag, u.real], dim=-1) * (2 * torch.cat([omega, omega], dim=-1)).sqrt().unsqueeze(-2)
    basis = torch.linalg.solve_triangular(C.mT, scaled, upper=True)
    return NormalModes(omega, basis)


def _modes_of_turning(H: Tensor) -> NormalModes:
    """Those of [[A, B], [−B, A]] (..., 2d, 2d): of q + ip, which moves by −i (B + iA)."""
    A, B = H.chunk(2, dim=-2)[0].chunk(2, dim=-1)
    omega, u = torch.linalg.eigh(torch.complex(B, A))
    order = omega.abs().argsort(-1)
    omega, u = omega.gather(-1, order), u.gather(-1, order.unsqueeze(-2).expand_as(u))
    return NormalModes(
        omega, torch.cat([torch.cat([u.real, -u.imag], dim=-1), torch.cat([u.imag, u.real], dim=-1)], dim=-2)
    )


def _choose(which: Tensor, one: Tensor, other: Tensor) -> Tensor:
    return torch.where(which[..., None, None], one, other)
