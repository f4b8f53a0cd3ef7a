"""Real matrices [[A, B], [−B, A]] as complex ones of half the size, and back.

With z = q + ip the motion dq/dt = Aq + Bp, dp/dt = −Bq + Ap is dz/dt = (A − iB) z. Products of such matrices are such
matrices, and take half the multiplications. Skew-symmetric Hamiltonian matrices become the skew-Hermitian ones.
"""

import torch
from torch import Tensor

SMALL = 32  # rows; in matrices up to this size there is little to spare


def has_complex_form(A: Tensor) -> bool:
    """Whether matrices of the size of A (..., n, n) are faster in their complex form."""
    return not A.is_complex() and A.shape[-1] % 2 == 0 and A.shape[-1] > SMALL


def to_complex(A: Tensor) -> Tensor:
    """The complex form (..., d, d) of the nearest matrix [[A, B], [−B, A]] to A (..., 2d, 2d)."""
    (a, b), (c, d) = (row.chunk(2, dim=-1) for row in A.chunk(2, dim=-2))
    return torch.complex(a + d, c - b) / 2


def to_real(Z: Tensor) -> Tensor:
    """The matrix [[Re Z, −Im Z], [Im Z, Re Z]] (..., 2d, 2d) whose complex form is Z (..., d, d)."""
    upper, lower = torch.cat([Z.real, -Z.imag], dim=-1), torch.cat([Z.imag, Z.real], dim=-1)
    return torch.cat([upper, lower], dim=-2)
