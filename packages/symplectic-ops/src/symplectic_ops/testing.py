"""Hypothesis strategies and assertions for code that makes or moves Hamiltonian systems.

Strategies draw a size, a scale and a seed rather than single entries: what fails is then one of few numbers, and
shrinks to a small, well-scaled matrix. This module needs the extra `testing`.
"""

from collections.abc import Callable

import torch
from hypothesis import strategies
from hypothesis.strategies import SearchStrategy
from torch import Tensor

from .expm import expm
from .residuals import (
    elliptic_hamiltonian_residual,
    hamiltonian_residual,
    orthogonal_residual,
    skew_hamiltonian_residual,
    skew_symmetric_hamiltonian_residual,
    symplectic_residual,
    tolerance_of,
)
from .spaces import Hamiltonian, Space


def matrices(*, sizes: tuple[int, int] = (1, 8), norms: tuple[float, float] = (1e-6, 10.0)) -> SearchStrategy[Tensor]:
    """Random matrices (n, n) of no structure, float64, with n and the 1-norm within these limits."""

    def build(n: int, magnitude: float, seed: int) -> Tensor:
        return _scaled(torch.randn(n, n, dtype=torch.float64, generator=_source(seed)), magnitude)

    return strategies.builds(build, strategies.integers(*sizes), _magnitudes(norms), _seeds())


def generators(
    space: Callable[[int], Space] = Hamiltonian,
    *,
    pairs: tuple[int, int] = (1, 4),
    norms: tuple[float, float] = (1e-6, 10.0),
) -> SearchStrategy[Tensor]:
    """Random matrices (2d, 2d) of a space, float64, with d and the 1-norm within these limits.

    A drawn matrix is scaled to its norm, so one of `EllipticHamiltonian` may have a smaller ε than its space.
    """

    def build(d: int, magnitude: float, seed: int) -> Tensor:
        return _scaled(space(d).random(dtype=torch.float64, generator=_source(seed)), magnitude)

    return strategies.builds(build, strategies.integers(*pairs), _magnitudes(norms), _seeds())


def symplectic_matrices(
    *, pairs: tuple[int, int] = (1, 4), norms: tuple[float, float] = (1e-6, 2.0)
) -> SearchStrategy[Tensor]:
    """Random symplectic matrices exp(G) exp(H), (2d, 2d), float64, with d and the 1-norms of G, H within these limits.

    One factor would not do: not every symplectic matrix is the exponential of a Hamiltonian one.
    """

    def build(d: int, magnitude: float, seed: int) -> Tensor:
        G, H = Hamiltonian(d).random(2, dtype=torch.float64, generator=_source(seed))
        return expm(_scaled(G, magnitude)) @ expm(_scaled(H, magnitude))

    return strategies.builds(build, strategies.integers(*pairs), _magnitudes(norms), _seeds())


def states_like(H: Tensor, seed: int) -> Tensor:
    """A random state (..., 2d) for generators H (..., 2d, 2d), the same one for the same seed."""
    return torch.randn(H.shape[:-1], dtype=torch.float64, generator=_source(seed)).to(H.dtype)


def assert_hamiltonian(A: Tensor, tolerance: float | None = None) -> None:
    """Fail unless every matrix of A is Hamiltonian; see `hamiltonian_residual` and `tolerance_of`."""
    _assert_small(hamiltonian_residual(A), A, tolerance, "Hamiltonian")


def assert_elliptic_hamiltonian(A: Tensor, epsilon: float = 1e-3, tolerance: float | None = None) -> None:
    """Fail unless every matrix of A is J M with M ⪰ εI; see `elliptic_hamiltonian_residual` and `tolerance_of`."""
    _assert_small(elliptic_hamiltonian_residual(A, epsilon), A, tolerance, f"elliptic Hamiltonian with ε = {epsilon:g}")


def assert_skew_symmetric_hamiltonian(A: Tensor, tolerance: float | None = None) -> None:
    """Fail unless every matrix of A is skew-symmetric and Hamiltonian.

    See `skew_symmetric_hamiltonian_residual` and `tolerance_of`.
    """
    _assert_small(skew_symmetric_hamiltonian_residual(A), A, tolerance, "skew-symmetric Hamiltonian")


def assert_skew_hamiltonian(A: Tensor, tolerance: float | None = None) -> None:
    """Fail unless every matrix of A is skew-Hamiltonian; see `skew_hamiltonian_residual` and `tolerance_of`."""
    _assert_small(skew_hamiltonian_residual(A), A, tolerance, "skew-Hamiltonian")


def assert_symplectic(S: Tensor, tolerance: float | None = None) -> None:
    """Fail unless every matrix of S is symplectic; see `symplectic_residual` and `tolerance_of`."""
    _assert_small(symplectic_residual(S), S, tolerance, "symplectic")


def assert_orthogonal(Q: Tensor, tolerance: float | None = None) -> None:
    """Fail unless every matrix of Q is orthogonal; see `orthogonal_residual` and `tolerance_of`."""
    _assert_small(orthogonal_residual(Q), Q, tolerance, "orthogonal")


def _assert_small(residual: Tensor, x: Tensor, tolerance: float | None, what: str) -> None:
    allowed = tolerance_of(x, tolerance)
    # Written so that NaN fails.
    assert bool((residual <= allowed).all()), f"not {what}: residual {float(residual.max()):.1e} > {allowed:.1e}"


def _scaled(A: Tensor, magnitude: float) -> Tensor:
    return A * (magnitude / A.abs().sum(-2).max())


def _source(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _magnitudes(limits: tuple[float, float]) -> SearchStrategy[float]:
    """As many small numbers as large ones: uniform in the logarithm."""
    low, high = limits
    return strategies.floats(0, 1).map(lambda u: low * (high / low) ** u)


def _seeds() -> SearchStrategy[int]:
    return strategies.integers(0, 2**32 - 1)
