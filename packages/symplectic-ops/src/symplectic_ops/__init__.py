"""Structured linear dynamics: parameterise a Hamiltonian matrix, exponentiate it, follow its flow."""

from ._version import __version__ as __version__
from .errors import NonFiniteError as NonFiniteError
from .errors import StructureError as StructureError
from .expm import expm as expm
from .flow import flow as flow
from .form import apply_form as apply_form
from .form import form as form
from .form import symplectic_inverse as symplectic_inverse
from .parameterisations import EllipticHamiltonian as EllipticHamiltonian
from .parameterisations import Hamiltonian as Hamiltonian
from .parameterisations import SkewHamiltonian as SkewHamiltonian
from .parameterisations import SkewSymmetricHamiltonian as SkewSymmetricHamiltonian
from .parameterisations import elliptic_hamiltonian as elliptic_hamiltonian
from .parameterisations import hamiltonian as hamiltonian
from .parameterisations import skew_hamiltonian as skew_hamiltonian
from .parameterisations import skew_symmetric_hamiltonian as skew_symmetric_hamiltonian
from .residuals import hamiltonian_residual as hamiltonian_residual
from .residuals import is_hamiltonian as is_hamiltonian
from .residuals import is_orthogonal as is_orthogonal
from .residuals import is_skew_hamiltonian as is_skew_hamiltonian
from .residuals import is_symplectic as is_symplectic
from .residuals import orthogonal_residual as orthogonal_residual
from .residuals import skew_hamiltonian_residual as skew_hamiltonian_residual
from .residuals import symplectic_residual as symplectic_residual
