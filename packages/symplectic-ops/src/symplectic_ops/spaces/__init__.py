"""The spaces of generators, one file each: a module to compose with and a one-line function for a layer."""

from ._space import Space as Space
from .any_matrix import AnyMatrix as AnyMatrix
from .elliptic import EllipticHamiltonian as EllipticHamiltonian
from .elliptic import elliptic_hamiltonian as elliptic_hamiltonian
from .elliptic import elliptic_hamiltonian_matrix as elliptic_hamiltonian_matrix
from .hamiltonian import Hamiltonian as Hamiltonian
from .hamiltonian import hamiltonian as hamiltonian
from .hamiltonian import hamiltonian_matrix as hamiltonian_matrix
from .skew import SkewHamiltonian as SkewHamiltonian
from .skew import skew_hamiltonian as skew_hamiltonian
from .skew import skew_hamiltonian_matrix as skew_hamiltonian_matrix
from .skew_symmetric import SkewSymmetricHamiltonian as SkewSymmetricHamiltonian
from .skew_symmetric import skew_symmetric_hamiltonian as skew_symmetric_hamiltonian
from .skew_symmetric import skew_symmetric_hamiltonian_matrix as skew_symmetric_hamiltonian_matrix
