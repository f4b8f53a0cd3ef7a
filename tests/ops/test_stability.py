"""The verdict on a Hamiltonian system, where it is known from theory, and that it survives small changes."""

import math

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
    Stability,
    StructureError,
    expm,
    form,
    growth_rates,
    stability,
    symplectic_inverse,
)
from symplectic_ops.testing import generators

both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def oscillators(*omega: float) -> Tensor:
    """Energy Σ ½ω (q² + p²); a negative ω is an oscillator of negative energy, which turns the other way."""
    W = torch.diag(torch.tensor(omega, dtype=torch.float64))
    zero = torch.zeros_like(W)
    return torch.cat([torch.cat([zero, W], 1), torch.cat([-W, zero], 1)])


def trojan(mass_ratio: float) -> Tensor:
    """A small body near the Lagrange point L4 of two large ones, in their rotating frame; (x, y, pₓ, p_y)."""
    c = -3 * math.sqrt(3) / 4 * (1 - 2 * mass_ratio)
    M = torch.tensor([[1 / 4, c, 0, -1], [c, -5 / 4, 1, 0], [0, 1, 1, 0], [-1, 0, 0, 1]], dtype=torch.float64)
    return form(2, dtype=torch.float64) @ M


def twisted(H: Tensor, seed: int = 0) -> Tensor:
    """The same system in other canonical coordinates."""
    generator = torch.Generator().manual_seed(seed)
    S = expm(Hamiltonian(len(H) // 2).random(scale=0.4, generator=generator, dtype=torch.float64))
    return Hamiltonian(len(H) // 2).project(S @ H @ symplectic_inverse(S))


ROUTH = (1 - math.sqrt(23 / 27)) / 2  # the mass ratio at which the frequencies of a Trojan meet


def beside(*systems: Tensor) -> Tensor:
    """One system of several that know nothing of each other."""
    quarters = [[quarter for row in H.chunk(2, -2) for quarter in row.chunk(2, -1)] for H in systems]
    a, b, c, d = (torch.block_diag(*blocks) for blocks in zip(*quarters, strict=True))
    return torch.cat([torch.cat([a, b], 1), torch.cat([c, d], 1)])


SADDLE = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
# Two pairs with a single eigenvector: what is computed of their four depends exactly.
NILPOTENT = torch.tensor([[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, -1, 0]], dtype=torch.float64)

KNOWN = {
    "a spring": (oscillators(2.0), Stability.STABLE),
    "an oscillator of negative energy": (oscillators(-2.0), Stability.STABLE),
    "three alike": (oscillators(2.0, 2.0, 2.0), Stability.STABLE),
    "opposite energies, different frequencies": (oscillators(1.0, -2.0), Stability.STABLE),
    "opposite energies, one frequency": (oscillators(1.0, -1.0), Stability.MARGINAL),
    "nothing at all": (torch.zeros(4, 4, dtype=torch.float64), Stability.MARGINAL),
    "a free particle": (torch.tensor([[0.0, 1.0], [0.0, 0.0]], dtype=torch.float64), Stability.MARGINAL),
    "a free particle beside a spring": (
        form(2, dtype=torch.float64) @ torch.diag(torch.tensor([4.0, 0.0, 1.0, 1.0], dtype=torch.float64)),
        Stability.MARGINAL,
    ),
    "a turn that grows linearly": (
        torch.tensor([[0, 2, 1, 0], [-2, 0, 0, 1], [0, 0, 0, 2], [0, 0, -2, 0]], dtype=torch.float64),
        Stability.MARGINAL,
    ),
    "what grows like the cube of time": (NILPOTENT, Stability.MARGINAL),
    "a saddle": (SADDLE, Stability.UNSTABLE),
    "a saddle beside what grows like the cube of time": (beside(NILPOTENT, SADDLE), Stability.UNSTABLE),
    "a spiral": (
        torch.tensor([[0.1, 2, 0, 0], [-2, 0.1, 0, 0], [0, 0, -0.1, 2], [0, 0, -2, -0.1]], dtype=torch.float64),
        Stability.UNSTABLE,
    ),
    "a Trojan of Jupiter": (trojan(9.5e-4), Stability.STABLE),
    "a Trojan where its frequencies meet": (trojan(ROUTH), Stability.MARGINAL),
    "a Trojan of two equal stars": (trojan(0.5), Stability.UNSTABLE),
}
every_system = pytest.mark.parametrize(("H", "verdict"), KNOWN.values(), ids=KNOWN)


@both_dtypes
@every_system
def test_a_system_is_judged_as_theory_has_it(H: Tensor, verdict: Stability, dtype: torch.dtype) -> None:
    assert stability(H.to(dtype)) == verdict


@every_system
def test_the_verdict_does_not_depend_on_canonical_coordinates(H: Tensor, verdict: Stability) -> None:
    assert [int(stability(twisted(H, seed))) for seed in range(10)] == [verdict] * 10


@every_system
def test_the_verdict_does_not_depend_on_the_unit_of_time(H: Tensor, verdict: Stability) -> None:
    assert stability(1e-6 * H) == stability(1e6 * H) == verdict


def test_a_trojan_is_lost_beyond_the_mass_ratio_of_routh() -> None:
    H = torch.stack([trojan(ROUTH * (1 + step)) for step in (-1e-3, -1e-6, 1e-6, 1e-3)])
    assert stability(H).tolist() == [Stability.STABLE, Stability.STABLE, Stability.UNSTABLE, Stability.UNSTABLE]


@given(generators(EllipticHamiltonian, norms=(0.1, 10.0)))
def test_elliptic_generators_are_stable(H: Tensor) -> None:
    assert stability(H) == Stability.STABLE


@given(generators(SkewSymmetricHamiltonian))
def test_skew_symmetric_generators_are_never_unstable(H: Tensor) -> None:
    assert stability(H) != Stability.UNSTABLE


@given(generators(pairs=(1, 3), norms=(0.1, 10.0)), st.integers(0, 2**32 - 1))
def test_a_stable_system_stays_stable_after_small_changes(H: Tensor, seed: int) -> None:
    d = len(H) // 2
    generator = torch.Generator().manual_seed(seed)
    changes = Hamiltonian(d).random(50, generator=generator, dtype=torch.float64)
    changed = H + 1e-13 * torch.linalg.matrix_norm(H) * changes / torch.linalg.matrix_norm(changes)[:, None, None]
    if stability(H) == Stability.STABLE:
        assert (growth_rates(changed) <= 1e-11 * torch.linalg.matrix_norm(H)).all()
    if stability(H) == Stability.UNSTABLE:
        assert (growth_rates(changed)[:, 0] > 0).all()


@pytest.mark.parametrize("name", ["opposite energies, one frequency", "nothing at all", "a free particle"])
def test_a_marginal_system_can_be_lost_by_a_small_change(name: str) -> None:
    H = KNOWN[name][0]
    changes = Hamiltonian(len(H) // 2).random(50, scale=1e-4, dtype=torch.float64)
    assert growth_rates(H + changes).max() > 1e-5


def test_a_tolerance_says_how_large_a_change_the_verdict_has_to_survive() -> None:
    H = oscillators(1.0, -1.01)
    assert stability(H) == Stability.STABLE
    assert stability(H, tolerance=0.1) == Stability.MARGINAL


def test_a_system_of_no_pairs_is_stable() -> None:
    assert stability(torch.zeros(3, 0, 0)).tolist() == [Stability.STABLE] * 3


def test_verdicts_come_one_for_each_matrix() -> None:
    H = torch.stack([oscillators(1.0), torch.zeros(2, 2, dtype=torch.float64)]).expand(3, 2, 2, 2)
    assert stability(H).tolist() == [[1, 0]] * 3


@pytest.mark.parametrize("other", [torch.eye(4), SkewHamiltonian(2)(torch.ones(6)), torch.full((2, 2), torch.nan)])
def test_only_hamiltonian_matrices_are_judged(other: Tensor) -> None:
    with pytest.raises(StructureError, match=r"`H` must be Hamiltonian to be judged\. Read its `growth_rates`"):
        stability(other)


def test_an_odd_matrix_is_refused() -> None:
    with pytest.raises(StructureError, match=r"`H` must end in an even square .* got \(3, 3\)"):
        stability(torch.eye(3))
