"""Hamiltonian matrices of positive definite energy: H = J M, M ⪰ εI."""

import torch
from torch import Tensor

from ..errors import StructureError
from ..form import apply_form, symplectic_inverse
from ..residuals import is_hamiltonian, tolerance_of
from ._space import Layer, Space, constrain


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
        super().__init__()
        if not epsilon > 0:
            raise StructureError(
                f"`epsilon` must be positive, because at zero an orbit may run away to infinity; got {epsilon}. "
                "Use `Hamiltonian` if unbounded orbits are wanted."
            )
        row, column = torch.tril_indices(2 * d, 2 * d)
        self.d, self.dim, self.epsilon = d, len(row), epsilon
        self.register_buffer("row", row, persistent=False)
        self.register_buffer("column", column, persistent=False)

    def forward(self, params: Tensor) -> Tensor:
        self._check_params(params)
        entries = torch.where(self.row == self.column, _softplus(params), params)
        L = params.new_zeros(*params.shape[:-1], 2 * self.d, 2 * self.d)
        L[..., self.row, self.column] = entries
        return apply_form(L @ L.mT + self.epsilon * torch.eye(2 * self.d, dtype=L.dtype, device=L.device))

    def right_inverse(self, H: Tensor) -> Tensor:
        """The parameters (*, dim) of matrices H (*, 2d, 2d) of this space.

        Where M − εI is singular there are none: those of a matrix within rounding of H are returned.

        Raises:
            StructureError: H has another size, is not Hamiltonian, or its energy is less than ½ ε‖s‖² somewhere.
        """
        self._check_size(H)
        curvature, axes = torch.linalg.eigh(_symmetric_part(-apply_form(H)))
        size = torch.linalg.vector_norm(curvature, dim=-1, keepdim=True)
        excess = curvature - self.epsilon
        if not bool(is_hamiltonian(H).all() & (excess >= -tolerance_of(H) * size).all()):
            raise StructureError(
                f"`H` must be Hamiltonian with an energy matrix −J H whose eigenvalues are at least {self.epsilon:g}. "
                "Assign `project(H)`, the nearest matrix of this space, if that is what you mean."
            )
        # L comes from a QR decomposition of the square root, since Cholesky fails where M − εI is singular.
        floor = H.shape[-1] * torch.finfo(H.dtype).eps * size
        R = torch.linalg.qr(torch.maximum(excess, floor).sqrt().unsqueeze(-1) * axes.mT).R
        L = (R * R.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-1)).mT
        entries = L[..., self.row, self.column]
        return torch.where(self.row == self.column, _softplus_inverse(entries), entries)

    def project(self, A: Tensor) -> Tensor:
        """The nearest matrix of this space to A (*, 2d, 2d) in the Frobenius norm: eigenvalues of M raised to ε."""
        curvature, axes = torch.linalg.eigh(_symmetric_part(-apply_form((A - symplectic_inverse(A)) / 2)))
        return apply_form(_symmetric_part((axes * curvature.clamp(min=self.epsilon).unsqueeze(-2)) @ axes.mT))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, epsilon={self.epsilon:g}"


def elliptic_hamiltonian(layer: Layer, name: str = "weight", *, epsilon: float = 1e-3) -> Layer:
    """Constrain `layer.weight` (..., 2d, 2d) to elliptic Hamiltonian matrices and return the layer.

    Raises:
        StructureError: the weight is not square of even size, or epsilon is not positive.

    >>> layer = elliptic_hamiltonian(torch.nn.Linear(4, 4, bias=False))
    >>> bool(energy(layer.weight, torch.tensor([1.0, 0.0, 0.0, 0.0])) > 0)
    True
    """
    return constrain(layer, name, EllipticHamiltonian, epsilon=epsilon)


def _symmetric_part(M: Tensor) -> Tensor:
    return (M + M.mT) / 2


def _softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ), smooth to the last bit (torch.nn.functional.softplus becomes a straight line beyond 20)."""
    return torch.logaddexp(x, torch.zeros_like(x))


def _softplus_inverse(y: Tensor) -> Tensor:
    return y + torch.log(-torch.expm1(-y))
