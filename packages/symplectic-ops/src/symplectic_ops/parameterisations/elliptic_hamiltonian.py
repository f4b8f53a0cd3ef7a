"""Hamiltonian matrices of positive definite energy: H = J M, M ⪰ εI."""

import torch
from torch import Tensor, nn

from ..errors import StructureError
from ..form import apply_form, pairs, symplectic_inverse
from ..residuals import is_hamiltonian, tolerance_of
from ._door import Layer, constrain


class EllipticHamiltonian(nn.Module):
    """Hamiltonian matrices of d pairs whose energy ½ sᵀMs is at least ½ ε‖s‖²: 2d² + d parameters.

    H = J (L Lᵀ + εI), with L lower triangular and its diagonal the softplus of a parameter, so positive. Every
    orbit stays on an ellipsoid and the spectrum lies on the imaginary axis. The map from parameters to matrices
    with M ≻ εI is smooth, one to one and onto; unlike a free diagonal, it has no point where gradients vanish. The
    parameters are the lower triangle of L, row by row.

    Args:
        d: position-momentum pairs.
        epsilon: the least curvature of the energy, in units of H (per unit of time).

    Raises:
        StructureError: epsilon is not positive.

    >>> space = EllipticHamiltonian(1, epsilon=0.5)
    >>> growth_rates(space(torch.tensor([0.0, 3.0, -1.0]))).abs().max() < 1e-6
    tensor(True)
    """

    structure = "elliptic"
    rows: Tensor
    columns: Tensor

    def __init__(self, d: int, epsilon: float = 1e-3) -> None:
        super().__init__()
        if not epsilon > 0:
            raise StructureError(
                f"`epsilon` must be positive, because at zero an orbit may run away to infinity; got {epsilon}. "
                "Use `Hamiltonian` if unbounded orbits are wanted."
            )
        self.d, self.epsilon = d, epsilon
        rows, columns = torch.tril_indices(2 * d, 2 * d)
        self.dim = len(rows)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)

    def forward(self, params: Tensor) -> Tensor:
        """The matrices (*, 2d, 2d) with parameters (*, dim).

        Raises:
            StructureError: the last dimension of `params` is not `dim`.
        """
        if params.ndim < 1 or params.shape[-1] != self.dim:
            raise StructureError(
                f"EllipticHamiltonian({self.d}) takes parameters (..., {self.dim}); got {tuple(params.shape)}. "
                f"Make the last dimension {self.dim}."
            )
        entries = torch.where(self.rows == self.columns, _softplus(params), params)
        L = params.new_zeros(*params.shape[:-1], 2 * self.d, 2 * self.d)
        L[..., self.rows, self.columns] = entries
        return apply_form(L @ L.mT + self.epsilon * self._identity(params))

    def right_inverse(self, H: Tensor) -> Tensor:
        """The parameters (*, dim) of matrices H (*, 2d, 2d) of this space.

        On the boundary, where M − εI is singular, there is none; the parameters of a matrix within rounding of H
        are returned.

        Raises:
            StructureError: H has another size, is not Hamiltonian, or its energy is not bounded below by ½ ε‖s‖².
        """
        if pairs(H, "H") != self.d:
            raise StructureError(
                f"EllipticHamiltonian({self.d}) holds {2 * self.d} × {2 * self.d} matrices; got {tuple(H.shape)}. "
                f"Build EllipticHamiltonian({H.shape[-1] // 2}) for these."
            )
        M = -apply_form(H)
        curvature, axes = torch.linalg.eigh((M + M.mT) / 2)
        size = curvature.abs().amax(-1, keepdim=True) if self.d else curvature
        excess = curvature - self.epsilon
        if not bool(is_hamiltonian(H).all()) or not bool((excess >= -tolerance_of(H) * size).all()):
            raise StructureError(
                f"`H` must be an elliptic Hamiltonian matrix (−J H symmetric with eigenvalues of at least "
                f"{self.epsilon:g}). Assign `project(H)`, the nearest matrix of this space, if that is what you mean."
            )
        # The triangular factor comes from a QR of the square root, not from Cholesky, which fails on the boundary.
        floor = 2 * self.d * torch.finfo(H.dtype).eps * size
        R = torch.linalg.qr(torch.maximum(excess, floor).sqrt().unsqueeze(-1) * axes.mT).R
        L = (R * R.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-1)).mT
        entries = L[..., self.rows, self.columns]
        return torch.where(self.rows == self.columns, _softplus_inverse(entries), entries)

    def project(self, A: Tensor) -> Tensor:
        """The nearest matrix of this space to A (*, 2d, 2d) in the Frobenius norm: eigenvalues of M raised to ε."""
        M = -apply_form((A - symplectic_inverse(A)) / 2)
        curvature, axes = torch.linalg.eigh((M + M.mT) / 2)
        nearest = (axes * curvature.clamp(min=self.epsilon).unsqueeze(-2)) @ axes.mT
        return apply_form((nearest + nearest.mT) / 2)

    def extra_repr(self) -> str:
        return f"d={self.d}, dim={self.dim}, epsilon={self.epsilon:g}"

    def _identity(self, like: Tensor) -> Tensor:
        return torch.eye(2 * self.d, dtype=like.dtype, device=like.device)


def _softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ), smooth to the last bit (torch.nn.functional.softplus switches to a straight line at 20)."""
    return torch.logaddexp(x, torch.zeros_like(x))


def _softplus_inverse(y: Tensor) -> Tensor:
    return y + torch.log(-torch.expm1(-y))


def elliptic_hamiltonian(layer: Layer, name: str = "weight", *, epsilon: float = 1e-3) -> Layer:
    """Constrain `layer.weight` (..., 2d, 2d) to elliptic Hamiltonian matrices and return the layer.

    Raises:
        StructureError: the weight is not square of even size, or epsilon is not positive.

    >>> layer = elliptic_hamiltonian(torch.nn.Linear(4, 4, bias=False))
    >>> s = torch.tensor([1.0, 0.0, 0.0, 0.0])
    >>> bool(energy(layer.weight, s) > 0)
    True
    """
    return constrain(layer, name, lambda d: EllipticHamiltonian(d, epsilon=epsilon))
