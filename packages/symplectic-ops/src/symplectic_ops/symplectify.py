"""The symplectic matrix in a matrix that has drifted from one."""

import math

import torch
from torch import Tensor

from ._dtypes import double
from .errors import StructureError, check_finite, first_of
from .form import check_real, pairs, symplectic_inverse

STEPS = 50  # a matrix near the group takes three
EPSILON = torch.finfo(torch.float64).eps


def symplectify(S: Tensor) -> Tensor:
    r"""The symplectic factor Q of the polar decomposition S = Q R, where R is skew-Hamiltonian and near I.

    Newton's iteration Q ← ½(Q + (Q⁺)⁻¹) from Q = S, with the symplectic inverse Q⁺ where orthogonal matrices have the
    transpose. It converges quadratically and is stable: a long product of symplectic matrices loses its drift in three
    steps. The work is done in double precision and rounded once.

    *Nearest in this sense:* Q minimises ‖P⁻¹S − I‖_F over the symplectic P, to first order in that distance, because
    R − I is orthogonal to the Hamiltonian matrices, the directions in which P can move. The answer does not depend on
    canonical coordinates: from P S T comes P Q T, for all symplectic P and T. What is nearest in ‖P − S‖_F would.

    Args:
        S: (..., 2d, 2d), real. S⁺S must have no eigenvalue that is zero or negative. That holds near the group while
            ‖S‖² times a rounding of its dtype is well below one. A single pair needs det S > 0, and has Q = S / √det S.

    Returns:
        Q (..., 2d, 2d), dtype and device of S. Differentiable to any order. It reads numbers, so not under vmap.

    Raises:
        StructureError: S is not square of even size, or has no such factor.
        TypeError: S is not real floating point.
        NonFiniteError: S holds NaN or infinity.

    References:
        N. J. Higham, D. S. Mackey, N. Mackey, F. Tisseur, "Functions Preserving Matrix Groups and Iterations for the
        Matrix Square Root", SIAM J. Matrix Anal. Appl. 26, 849, 2005.

    Example:
        >>> symplectify(1.001 * torch.tensor([[1.0, 3.0], [0.0, 1.0]]))
        tensor([[1., 3.],
                [0., 1.]])
    """
    n = 2 * pairs(S, "S")
    check_real(S, "S")
    Q, near = double(S), torch.zeros(S.shape[:-2], dtype=torch.bool)
    for _ in range(STEPS):
        inverse, singular = torch.linalg.inv_ex(symplectic_inverse(Q))
        # One step more: where a value has half of its digits now, its derivative has none yet.
        if bool(near.all()):
            rounded: Tensor = ((Q + inverse) / 2).to(S)
            return rounded
        size, change = (torch.linalg.matrix_norm(x.detach()) for x in (Q, inverse - Q))
        rounding = n * EPSILON * size.square()  # relative, of an inverse: the condition number of Q⁺ is ‖Q‖²
        near = (change <= (math.sqrt(EPSILON) + rounding) * size) & (rounding < 0.1) & (singular == 0)
        Q = (Q + inverse) / 2
    raise _without_factor(S, near)


def _without_factor(S: Tensor, near: Tensor) -> StructureError:
    check_finite(S, "S")
    return StructureError(
        f"`S{first_of(~near)}` is near no symplectic matrix: S⁺S has an eigenvalue that is zero or negative, or S is "
        "too large for its digits. Symplectify a long product more often, while it is still near the group."
    )
