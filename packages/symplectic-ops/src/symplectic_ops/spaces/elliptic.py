"""Hamiltonian matrices of positive definite energy: H = J M, M ⪰ εI."""

import math

import torch
from torch import Tensor

from .._dtypes import WORKING_DTYPES, without_autocast
from ..errors import StructureError, check_finite
from ..form import apply_form, check_real
from ..residuals import is_elliptic_hamiltonian
from ._space import Layer, Normal, Space, constrain, matrix


class EllipticHamiltonian(Space):
    """Hamiltonian matrices of d pairs whose energy ½ sᵀMs is at least ½ ε‖s‖²: 2d² + d parameters.

    H = J (L Lᵀ + εI), with L lower triangular and its diagonal the softplus of a parameter, hence positive. Every
    orbit stays on an ellipsoid, and the spectrum of H on the imaginary axis. The map from parameters to matrices
    with M ≻ εI is smooth, one to one and onto; with a free diagonal it would be two to one and have dead points
    where the gradient vanishes. The parameters are the lower triangle of L, row by row.

    Args:
        d: position-momentum pairs.
        epsilon: the least curvature of the energy, per unit of time like H.

    Raises:
        StructureError: epsilon is not positive.

    >>> H = EllipticHamiltonian(1, epsilon=0.5)(torch.tensor([0.0, 3.0, -1.0]))
    >>> bool(growth_rates(H).abs().max() < 1e-6)
    True
    """

    structure = "elliptic"
    row: Tensor
    column: Tensor

    def __init__(self, d: int, epsilon: float = 1e-3) -> None:
        super().__init__(d)
        if not epsilon > 0:
            raise StructureError(
                f"`epsilon` must be positive, because at zero an orbit may run away to infinity; got {epsilon}. "
                "Use `Hamiltonian` if unbounded orbits are wanted."
            )
        row, column = torch.tril_indices(2 * d, 2 * d)
        self.epsilon = epsilon
        self.register_buffer("row", row, persistent=False)
        self.register_buffer("column", column, persistent=False)

    @staticmethod
    def dimension(d: int) -> int:
        return 2 * d**2 + d

    def forward(self, params: Tensor) -> Tensor:
        self._check_params(params)
        entries = torch.where(self.row == self.column, _softplus(params), params)
        L = params.new_zeros(*params.shape[:-1], 2 * self.d, 2 * self.d)
        L[..., self.row, self.column] = entries
        return self._above_epsilon(L)

    def right_inverse(self, H: Tensor) -> Tensor:
        """The parameters (*, dim) of matrices H (*, 2d, 2d) of this space.

        Where M − εI is singular there are none: those of a matrix within rounding of H are returned.

        Raises:
            StructureError: H has another size, is not Hamiltonian, or its energy is less than ½ ε‖s‖² somewhere.
            NonFiniteError: H holds NaN or infinity.
        """
        self._check_size(H)
        check_finite(H, "H")
        if not bool(is_elliptic_hamiltonian(H, self.epsilon).all()):
            raise StructureError(
                f"`H` must be Hamiltonian with an energy matrix −J H whose eigenvalues are at least {self.epsilon:g}. "
                "Assign `project(H)`, the nearest matrix of this space, if that is what you mean."
            )
        # L comes from a QR decomposition of the square root, since Cholesky fails where M − εI is singular.
        curvature, axes = _energy_axes(H)
        floor = (
            2 * self.d * torch.finfo(curvature.dtype).eps * torch.linalg.vector_norm(curvature, dim=-1, keepdim=True)
        )
        R = torch.linalg.qr(torch.maximum(curvature - self.epsilon, floor).sqrt().unsqueeze(-1) * axes.mT).R
        L = (R * R.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-1)).mT
        entries = L[..., self.row, self.column]
        return torch.where(self.row == self.column, _softplus_inverse(entries), entries).to(H.dtype)

    def _nearest(self, A: Tensor) -> Tensor:
        """The Hamiltonian part of A, the eigenvalues of its M raised to ε."""
        check_real(A, "A")
        check_finite(A, "A")
        curvature, axes = _energy_axes(A)
        with without_autocast(A.device):
            M = (axes * curvature.clamp(min=self.epsilon).unsqueeze(-2)) @ axes.mT
        return apply_form(_symmetric_part(M)).to(A.dtype)

    def _random(self, normal: Normal, scale: float) -> Tensor:
        """M = εI + cG Gᵀ, G normal with twice as many columns as rows: axes of M typically below 1 : 30.

        With n rows and m columns E tr GGᵀ = nm and E tr (GGᵀ)² = nm(n + m + 1); c solves E‖M‖² = n scale².
        """
        if scale < self.epsilon:
            raise StructureError(
                f"`scale` must be at least the `epsilon` of the space, {self.epsilon:g}, because no singular value is "
                f"smaller; got {scale}."
            )
        n, m = 2 * self.d, 4 * self.d
        half_linear, quadratic, constant = self.epsilon * m, m * (n + m + 1), scale**2 - self.epsilon**2
        c = (math.sqrt(half_linear**2 + quadratic * constant) - half_linear) / quadratic
        return self._above_epsilon(math.sqrt(c) * normal(n, m))

    def _above_epsilon(self, G: Tensor) -> Tensor:
        """J (G Gᵀ + εI) of G (*, 2d, m)."""
        with without_autocast(G.device):
            return apply_form(G @ G.mT + self.epsilon * torch.eye(2 * self.d, dtype=G.dtype, device=G.device))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, epsilon={self.epsilon:g}"


def elliptic_hamiltonian_matrix(params: Tensor, *, epsilon: float = 1e-3) -> Tensor:
    """The elliptic Hamiltonian matrices (*, 2d, 2d) with parameters (*, 2d² + d), as `EllipticHamiltonian(d)`.

    Raises:
        StructureError: 2d² + d numbers for no d, or epsilon is not positive.

    >>> elliptic_hamiltonian_matrix(torch.zeros(3), epsilon=0.5).round(decimals=4)  # L = log 2 · I
    tensor([[ 0.0000,  0.9805],
            [-0.9805, -0.0000]])
    """
    return matrix(EllipticHamiltonian, params, epsilon=epsilon)


def elliptic_hamiltonian(layer: Layer, name: str = "weight", *, epsilon: float = 1e-3) -> Layer:
    """Constrain `layer.weight` (..., 2d, 2d) to elliptic Hamiltonian matrices and return the layer.

    Raises:
        StructureError: the weight is not square of even size, or epsilon is not positive.

    >>> layer = elliptic_hamiltonian(torch.nn.Linear(4, 4, bias=False))
    >>> bool(energy(layer.weight, torch.tensor([1.0, 0.0, 0.0, 0.0])) > 0)
    True
    """
    return constrain(layer, name, EllipticHamiltonian, epsilon=epsilon)


def _energy_axes(A: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (*, 2d), lowest first, and eigenvectors (*, 2d, 2d) of the energy of the Hamiltonian part of A."""
    curvature, axes = torch.linalg.eigh(_symmetric_part(-apply_form(A.to(WORKING_DTYPES[A.dtype]))))
    return curvature, axes


def _symmetric_part(M: Tensor) -> Tensor:
    return (M + M.mT) / 2


def _softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ), smooth to the last bit (torch.nn.functional.softplus becomes a straight line beyond 20)."""
    return torch.logaddexp(x, torch.zeros_like(x))


def _softplus_inverse(y: Tensor) -> Tensor:
    return y + torch.log(-torch.expm1(-y))
