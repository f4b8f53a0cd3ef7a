"""What each space is closed under, and the laws its flow obeys; docs/maths.md has the reasons."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from symplectic_ops import (
    EllipticHamiltonian,
    Hamiltonian,
    SkewHamiltonian,
    SkewSymmetricHamiltonian,
    StructureError,
    energy_drift,
    flow,
    form,
    is_hamiltonian,
    is_symplectic,
)
from symplectic_ops.spaces import Space
from symplectic_ops.testing import (
    assert_elliptic_hamiltonian,
    assert_hamiltonian,
    assert_orthogonal,
    assert_skew_hamiltonian,
    assert_skew_symmetric_hamiltonian,
    assert_symplectic,
    states_like,
)

THREE = [Hamiltonian, EllipticHamiltonian, SkewSymmetricHamiltonian]
every_hamiltonian_space = pytest.mark.parametrize("space", THREE, ids=[space.__name__ for space in THREE])
seeds = st.integers(0, 2**32 - 1)
pairs = st.integers(1, 4)
times = st.floats(-2, 2)
LIE_ALGEBRAS = [
    (Hamiltonian, assert_hamiltonian),
    (SkewSymmetricHamiltonian, assert_skew_symmetric_hamiltonian),
]
every_lie_algebra = pytest.mark.parametrize(("space", "check"), LIE_ALGEBRAS)


def two(space: Space, seed: int) -> Tensor:
    return space.random(2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def system(space: type[Space], d: int, seed: int) -> tuple[Tensor, Tensor]:
    """A generator of the order of one per unit of time, and a state."""
    H = space(d).random(dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return H, states_like(H, seed)


def at(*t: float) -> Tensor:
    return torch.tensor(t, dtype=torch.float64)


@every_lie_algebra
@given(pairs, seeds, times)
def test_sums_and_multiples_stay_in_a_lie_algebra(
    space: type[Space], check: Callable[..., None], d: int, seed: int, c: float
) -> None:
    G, H = two(space(d), seed)
    check(G + c * H)


@every_lie_algebra
@given(pairs, seeds)
def test_commutators_stay_in_a_lie_algebra(space: type[Space], check: Callable[..., None], d: int, seed: int) -> None:
    G, H = two(space(d), seed)
    commutator = G @ H - H @ G
    check(commutator, tolerance=1e-14 * (1 + float((G @ H).norm() / commutator.norm().clamp(min=1e-9))))


@given(pairs, seeds, st.floats(0.01, 100))
def test_sums_and_positive_multiples_of_elliptic_matrices_are_elliptic(d: int, seed: int, c: float) -> None:
    """They form a convex cone: ε adds up in sums, and is multiplied with its matrix."""
    space = EllipticHamiltonian(d, epsilon=0.25)
    G, H = two(space, seed)
    assert_elliptic_hamiltonian(G + H, epsilon=0.5)
    assert_elliptic_hamiltonian(c * H, epsilon=c * 0.25)


@given(pairs, seeds)
def test_a_negative_multiple_of_an_elliptic_matrix_is_not_elliptic(d: int, seed: int) -> None:
    space = EllipticHamiltonian(d)
    with pytest.raises(StructureError):
        space.right_inverse(-two(space, seed)[0])


@given(pairs, seeds, times)
def test_sums_squares_and_anticommutators_of_skew_hamiltonian_matrices_are_skew_hamiltonian(
    d: int, seed: int, c: float
) -> None:
    V, W = two(SkewHamiltonian(d), seed)
    for made in (V + c * W, V @ V, V @ W + W @ V):
        assert_skew_hamiltonian(made)


def test_a_product_of_two_hamiltonian_matrices_is_not_hamiltonian() -> None:
    G, H = two(Hamiltonian(2), 0)
    assert not is_hamiltonian(G @ H)


@every_hamiltonian_space
@given(pairs, seeds, times)
def test_the_flow_is_symplectic(space: type[Space], d: int, seed: int, t: float) -> None:
    """The propagator, column by column."""
    H, _ = system(space, d, seed)
    S = flow(H.expand(2 * d, 2 * d, 2 * d), torch.eye(2 * d, dtype=torch.float64), at(t))[0].mT
    assert_symplectic(S, tolerance=1e-14)
    if space is SkewSymmetricHamiltonian:
        assert_orthogonal(S, tolerance=1e-14)


@every_hamiltonian_space
@given(pairs, seeds, times)
def test_backward_undoes_forward(space: type[Space], d: int, seed: int, t: float) -> None:
    H, s0 = system(space, d, seed)
    there = flow(H, s0, at(t))[0]
    torch.testing.assert_close(flow(H, there, at(-t))[0], s0, rtol=0, atol=1e-12 * float(there.norm() ** 2 + 1))


@every_hamiltonian_space
@given(pairs, seeds, times, times)
def test_one_time_after_another_is_their_sum(
    space: type[Space], d: int, seed: int, first: float, second: float
) -> None:
    H, s0 = system(space, d, seed)
    in_two = flow(H, flow(H, s0, at(first))[0], at(second))[0]
    scale = float(flow(H, s0, at(first, second, first + second)).norm(dim=-1).max())
    torch.testing.assert_close(in_two, flow(H, s0, at(first + second))[0], rtol=0, atol=1e-11 * scale)


@every_hamiltonian_space
@given(pairs, seeds)
def test_the_flow_keeps_the_energy(space: type[Space], d: int, seed: int) -> None:
    H, s0 = system(space, d, seed)
    s = flow(H, s0, torch.linspace(-2, 2, 9, dtype=torch.float64))
    growth = s.norm(dim=-1).square() / s[0].norm().square()
    assert (energy_drift(H, s).abs() <= 1e-12 * (1 + growth) * condition(H)).all()


def condition(H: Tensor) -> float:
    """How much smaller than ‖M‖‖s‖² the energy of a state can be."""
    curvature = torch.linalg.svdvals(H)
    return float(curvature[0] / curvature[-1])


def test_the_flow_of_a_skew_hamiltonian_matrix_is_not_symplectic() -> None:
    """W = I stretches every direction: a law that could not fail here would say nothing of the others."""
    S = flow(torch.eye(2).expand(2, 2, 2), torch.eye(2), torch.tensor([1.0]))[0].mT
    assert not is_symplectic(S)
    assert is_symplectic(flow(form(1).expand(2, 2, 2), torch.eye(2), torch.tensor([1.0]))[0].mT)
