"""Hamiltonian matrices H = J M, M symmetric: the Lie algebra sp(2d, R)."""

from torch import Tensor

from ..form import apply_form, symplectic_inverse
from . import _numbering
from ._signed_entries import SignedEntries
from ._space import Layer, constrain, matrix


class Hamiltonian(SignedEntries):
    """All Hamiltonian matrices of d pairs: H = J M with M symmetric, 2d² + d parameters.

    exp(tH) is symplectic and keeps the energy ½ sᵀMs. Nothing keeps its orbits bounded: a random H usually has
    growing modes. The parameters are the upper triangle of M, row by row.

    Source: A. Khan and A. Storkey, "Hamiltonian prior to Disentangle Content and Motion in Image Sequences", CtrlGen
    workshop, NeurIPS 2021, where it is the operator called H.

    >>> space = Hamiltonian(1)
    >>> space(torch.tensor([4.0, 0.0, 1.0]))  # energy ½(4q² + p²): a spring twice as fast as the unit one
    tensor([[ 0.,  1.],
            [-4., -0.]])
    """

    structure = "hamiltonian"

    @staticmethod
    def dimension(d: int) -> int:
        return 2 * d**2 + d

    @staticmethod
    def template(d: int) -> Tensor:
        return apply_form(_numbering.symmetric(2 * d))

    def _nearest(self, A: Tensor) -> Tensor:
        """½(A + J Aᵀ J)."""
        return (A - symplectic_inverse(A)) / 2


def hamiltonian_matrix(params: Tensor) -> Tensor:
    """The Hamiltonian matrices (*, 2d, 2d) with parameters (*, 2d² + d), as `Hamiltonian(d)`.

    Raises:
        StructureError: 2d² + d numbers for no d.

    >>> hamiltonian_matrix(torch.tensor([1.0, 0.0, 1.0]))
    tensor([[ 0.,  1.],
            [-1., -0.]])
    """
    return matrix(Hamiltonian, params)


def hamiltonian(layer: Layer, name: str = "weight") -> Layer:
    """Constrain `layer.weight` (..., 2d, 2d) to Hamiltonian matrices and return the layer.

    Raises:
        StructureError: the weight is not square of even size.

    >>> layer = hamiltonian(torch.nn.Linear(4, 4, bias=False))
    >>> bool(is_hamiltonian(layer.weight))
    True
    """
    return constrain(layer, name, Hamiltonian)
