"""Skew-Hamiltonian matrices: J W skew-symmetric. Their exponential is not symplectic."""

from torch import Tensor

from ..form import apply_form, symplectic_inverse
from . import _numbering
from ._signed_entries import SignedEntries
from ._space import Layer, constrain, matrix


class SkewHamiltonian(SignedEntries):
    """All skew-Hamiltonian matrices of d pairs: (J W)ᵀ = −J W, 2d² − d parameters.

    W = [[A, B], [C, Aᵀ]] with B and C skew-symmetric; the square of every Hamiltonian matrix is one. exp(tW) is
    again skew-Hamiltonian and *not* symplectic. Not to be confused with `SkewSymmetricHamiltonian`.

    >>> SkewHamiltonian(1)(torch.tensor([3.0]))  # one pair: the multiples of the identity
    tensor([[3., 0.],
            [0., 3.]])
    """

    structure = "skew-hamiltonian"

    @staticmethod
    def dimension(d: int) -> int:
        return 2 * d**2 - d

    @staticmethod
    def template(d: int) -> Tensor:
        return -apply_form(_numbering.skew(2 * d))

    def _nearest(self, A: Tensor) -> Tensor:
        """½(A − J Aᵀ J)."""
        return (A + symplectic_inverse(A)) / 2


def skew_hamiltonian_matrix(params: Tensor) -> Tensor:
    """The skew-Hamiltonian matrices (*, 2d, 2d) with parameters (*, 2d² − d), as `SkewHamiltonian(d)`.

    Raises:
        StructureError: 2d² − d numbers for no d.

    >>> skew_hamiltonian_matrix(torch.arange(1.0, 7.0))
    tensor([[ 2.,  4.,  0., -6.],
            [ 3.,  5.,  6.,  0.],
            [ 0.,  1.,  2.,  3.],
            [-1.,  0.,  4.,  5.]])
    """
    return matrix(SkewHamiltonian, params)


def skew_hamiltonian(layer: Layer, name: str = "weight") -> Layer:
    """Constrain `layer.weight` (..., 2d, 2d) to skew-Hamiltonian matrices and return the layer.

    Raises:
        StructureError: the weight is not square of even size.

    >>> layer = skew_hamiltonian(torch.nn.Linear(4, 4, bias=False))
    >>> bool(is_skew_hamiltonian(layer.weight))
    True
    """
    return constrain(layer, name, SkewHamiltonian)
