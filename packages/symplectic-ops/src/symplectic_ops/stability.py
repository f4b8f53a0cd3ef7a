"""Whether a Hamiltonian system stays where it is: a verdict that holds in spite of rounding."""

from enum import IntEnum

import torch
from torch import Tensor

from ._dtypes import double
from .errors import StructureError
from .form import apply_form, check_real, pairs
from .residuals import is_hamiltonian, tolerance_of


class Stability(IntEnum):
    """What becomes of the orbits of a Hamiltonian matrix.

    UNSTABLE: almost every orbit grows without bound, exponentially.
    MARGINAL: none grows exponentially, but some may grow like a power of time, and the least Hamiltonian change of the
        matrix can make that exponential. A skew-symmetric matrix has bounded orbits even so.
    STABLE: every orbit is bounded, and remains so under every small enough Hamiltonian change.
    """

    UNSTABLE = -1
    MARGINAL = 0
    STABLE = 1


def stability(H: Tensor, tolerance: float | None = None) -> Tensor:
    """The `Stability` of each Hamiltonian matrix of H (..., 2d, 2d): (...), int8.

    By the theorem of Krein, Gelfand and Lidskii. An eigenvector v of an imaginary eigenvalue iω has the sign of
    −i vᴴJv; times ω it is the sign of the energy of that mode. The system is stable if every eigenvalue is imaginary
    and those that coincide have one sign, so that none is zero and none lacks an eigenvector; a definite energy is the
    plainest case. Eigenvalues of different signs can meet and leave the axis. It reads numbers, so not under vmap.

    Args:
        H: real Hamiltonian matrices.
        tolerance: the change of H, relative to ‖H‖_F, that the verdict allows for; by default `tolerance_of` the dtype.
            It moves an eigenvalue by that times its condition number, at most to the bound of Elsner, and what may
            coincide counts as coinciding.

    Raises:
        StructureError: H is not square of even size, or not Hamiltonian.
        TypeError: H is not real floating point.

    References:
        V. A. Yakubovich, V. M. Starzhinskii, "Linear Differential Equations with Periodic Coefficients", Wiley 1975,
        chapter III. L. Elsner, "An optimal bound for the spectral variation of two matrices", Linear Algebra Appl. 71,
        77, 1985.

    >>> spring, free, saddle = torch.tensor([[[0.0, 1.0], [-4.0, 0.0]], [[0, 1], [0, 0]], [[0, 1], [1, 0]]])
    >>> [Stability(int(verdict)).name for verdict in stability(torch.stack([spring, free, saddle]))]
    ['STABLE', 'MARGINAL', 'UNSTABLE']
    """
    if not pairs(H, "H"):
        return torch.full(H.shape[:-2], Stability.STABLE, dtype=torch.int8, device=H.device)
    check_real(H, "H")
    if not bool(is_hamiltonian(H).all()):
        raise StructureError("`H` must be Hamiltonian to be judged. Read its `growth_rates`, or project it.")
    wide = double(H)
    values, vectors = torch.linalg.eig(wide)
    inverse, singular = torch.linalg.inv_ex(vectors)
    condition = torch.linalg.vector_norm(inverse, dim=-1)  # of each eigenvalue, for the eigenvectors have length 1
    condition = condition.where((singular == 0)[..., None] & condition.isfinite(), torch.inf)
    change = tolerance_of(H, tolerance) * torch.linalg.matrix_norm(wide)[..., None]
    # Elsner's bound holds for every eigenvalue, whatever its condition: where eigenvectors depend, it is all there is.
    n = H.shape[-1]
    farthest = (2 * torch.linalg.matrix_norm(wide, 2)[..., None]) ** (1 - 1 / n) * change ** (1 / n)
    reach = torch.minimum(change * condition, farthest)
    unstable = (values.real > reach).any(-1)

    signature = vectors.mH @ apply_form(vectors) / 1j
    sign = signature.diagonal(dim1=-2, dim2=-1).real.sign()
    coinciding = (values[..., :, None] - values[..., None, :]).abs() <= reach[..., :, None] + reach[..., None, :]
    mixed = (coinciding & (sign[..., :, None] != sign[..., None, :])).any((-2, -1))
    # Two vectors of one sign can still span others: the signature must be definite on all that coincide.
    among = torch.where(coinciding, sign[..., :, None] * signature, 0)
    stable = ~mixed & (torch.linalg.eigvalsh((among + among.mH) / 2)[..., 0] > 0)
    verdict = torch.where(unstable, Stability.UNSTABLE, torch.where(stable, Stability.STABLE, Stability.MARGINAL))
    return verdict.to(H.device, torch.int8)
