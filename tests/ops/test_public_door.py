"""The one door of the package, seen from outside it."""

import inspect
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import symplectic_ops

PUBLIC = {
    *{"NonFiniteError", "StructureError", "blocks", "explain", "Explanation", "expm", "expm_frechet", "flow", "Flow"},
    *{"form", "apply_form", "symplectic_inverse", "energy", "energy_drift"},
    *{"frequencies", "periods", "growth_rates", "normal_modes", "NormalModes", "plot", "stability", "Stability"},
    *{"cayley", "cayley_inverse", "symplectify"},
    *{"AnyMatrix", "Hamiltonian", "EllipticHamiltonian", "SkewSymmetricHamiltonian", "SkewHamiltonian"},
    *{"hamiltonian", "elliptic_hamiltonian", "skew_symmetric_hamiltonian", "skew_hamiltonian"},
    *{"hamiltonian_matrix", "elliptic_hamiltonian_matrix"},
    *{"skew_symmetric_hamiltonian_matrix", "skew_hamiltonian_matrix"},
    *{"elliptic_hamiltonian_residual", "skew_symmetric_hamiltonian_residual"},
    *{"is_elliptic_hamiltonian", "is_skew_symmetric_hamiltonian"},
    *{"hamiltonian_residual", "skew_hamiltonian_residual", "symplectic_residual", "orthogonal_residual"},
    *{"is_hamiltonian", "is_skew_hamiltonian", "is_symplectic", "is_orthogonal"},
}


def test_every_public_name_is_there() -> None:
    assert all(hasattr(symplectic_ops, name) for name in PUBLIC)


def test_nothing_else_is_offered() -> None:
    offered = {name for name, value in vars(symplectic_ops).items() if not name.startswith("_")}
    modules = {name for name in offered - PUBLIC if inspect.ismodule(getattr(symplectic_ops, name))}
    assert offered - modules == PUBLIC


def test_every_public_name_is_documented() -> None:
    assert all(inspect.getdoc(getattr(symplectic_ops, name)) for name in PUBLIC)


def test_the_version_is_that_of_the_installed_distribution() -> None:
    try:
        assert symplectic_ops.__version__ == version("symplectic-ops")
    except PackageNotFoundError:
        assert symplectic_ops.__version__ == "0+sources"


def test_using_the_package_needs_no_library_of_its_extras() -> None:
    extras = ("hypothesis", "matplotlib", "numba")
    assert not loaded_among(extras)


def test_nothing_is_loaded_that_only_compiling_needs() -> None:
    """torch's compiler takes longer to load than torch."""
    assert not loaded_among(("torch._dynamo", "torch._inductor", "triton"))


def loaded_among(modules: tuple[str, ...]) -> list[str]:
    code = f"import sys, symplectic_ops; print(*[name for name in {modules} if name in sys.modules])"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return outcome.stdout.split()


def test_the_errors_are_the_kinds_of_error_python_has_for_them() -> None:
    assert issubclass(symplectic_ops.StructureError, ValueError)
    assert issubclass(symplectic_ops.NonFiniteError, ArithmeticError)
