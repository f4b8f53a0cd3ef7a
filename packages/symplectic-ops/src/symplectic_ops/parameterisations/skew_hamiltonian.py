"""Skew-Hamiltonian matrices: J W skew-symmetric. Their exponential is not symplectic."""

from torch import Tensor

from ..form import apply_form, symplectic_inverse
from . import _numbering
from ._signed_entries import SignedEntries
from ._space import Layer, constrain


class SkewHamiltonian(SignedEntries):
    """All skew-Hamiltonian matrices of d pairs: (J W)ᵀ = −J W, 2d² − d parameters.

    W = [[A, B], [C, Aᵀ]] with B and C skew-symmetric; the square of every Hamiltonian matrix is one. exp(tW) is
    again skew-Hamiltonian and *not* symplectic. Not to be confused with `SkewSymmetricHamiltonian`.

    >>> SkewHamiltonian(1)(torch.tensor([3.0]))  # one pair: the multiples of the identity
    tensor([[3., 0.],
            [0., 3.]])
    """

    structure = "skew-hamiltonian"

    def __init__(self, d: int) -> None:
        super().__init__(d, 2 * d**2 - d, -apply_form(_numbering.skew(2 * d)))

    def project(self, A: Tensor) -> Tensor:
        """The nearest skew-Hamiltonian matrix to A (*, 2d, 2d) in the Frobenius norm: ½(A − J Aᵀ J)."""
        return (A + symplectic_inverse(A)) / 2


def skew_hamiltonian(layer: Layer, name: str = "weight") -> Layer:
    """Constrain `layer.weight` (..., 2d, 2d) to skew-Hamiltonian matrices and return the layer.

    Raises:
        StructureError: the weight is not square of even size.

    >>> layer = skew_hamiltonian(torch.nn.Linear(4, 4, bias=False))
    >>> bool(is_skew_hamiltonian(layer.weight))
    True
    """
    return constrain(layer, name, SkewHamiltonian)
