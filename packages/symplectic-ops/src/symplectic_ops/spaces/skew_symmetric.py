"""Matrices both skew-symmetric and Hamiltonian: [[A, B], [−B, A]], a copy of u(d)."""

import torch
from torch import Tensor

from ..form import symplectic_inverse
from . import _numbering
from ._signed_entries import SignedEntries
from ._space import Layer, constrain, matrix


class SkewSymmetricHamiltonian(SignedEntries):
    """All skew-symmetric Hamiltonian matrices of d pairs: d² parameters.

    H = [[A, B], [−B, A]] with A skew-symmetric and B symmetric. exp(tH) is orthogonal and symplectic: it keeps the
    length of the state, so every orbit is bounded. The parameters are the strict upper triangle of A, then the
    upper triangle of B, row by row. Not to be confused with `SkewHamiltonian`.

    Source: A. Khan and A. Storkey, "Hamiltonian prior to Disentangle Content and Motion in Image Sequences", CtrlGen
    workshop, NeurIPS 2021, whose "skew-H" it is. As a Lie algebra it is sp(2d, R) ∩ so(2d) ≅ u(d).

    >>> SkewSymmetricHamiltonian(1)(torch.tensor([0.5]))
    tensor([[ 0.0000,  0.5000],
            [-0.5000,  0.0000]])
    """

    structure = "skew-symmetric"

    @staticmethod
    def dimension(d: int) -> int:
        return d**2

    @staticmethod
    def template(d: int) -> Tensor:
        a = _numbering.skew(d)
        b = _numbering.symmetric(d, start=1 + d * (d - 1) // 2)
        return torch.cat([torch.cat([a, b], dim=1), torch.cat([-b, a], dim=1)])

    def _nearest(self, A: Tensor) -> Tensor:
        """The skew-symmetric part of ½(A + J Aᵀ J)."""
        hamiltonian_part = (A - symplectic_inverse(A)) / 2
        return (hamiltonian_part - hamiltonian_part.mT) / 2


def skew_symmetric_hamiltonian_matrix(params: Tensor) -> Tensor:
    """The skew-symmetric Hamiltonian matrices (*, 2d, 2d) with parameters (*, d²), as `SkewSymmetricHamiltonian(d)`.

    Raises:
        StructureError: d² numbers for no d.

    >>> skew_symmetric_hamiltonian_matrix(torch.tensor([1.0, 0.0, 2.0, 3.0]))
    tensor([[ 0.,  1.,  0.,  2.],
            [-1.,  0.,  2.,  3.],
            [-0., -2.,  0.,  1.],
            [-2., -3., -1.,  0.]])
    """
    return matrix(SkewSymmetricHamiltonian, params)


def skew_symmetric_hamiltonian(layer: Layer, name: str = "weight") -> Layer:
    """Constrain `layer.weight` (..., 2d, 2d) to skew-symmetric Hamiltonian matrices and return the layer.

    Raises:
        StructureError: the weight is not square of even size.

    >>> layer = skew_symmetric_hamiltonian(torch.nn.Linear(4, 4, bias=False))
    >>> bool(is_orthogonal(expm(layer.weight)))
    True
    """
    return constrain(layer, name, SkewSymmetricHamiltonian)
