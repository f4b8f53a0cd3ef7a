"""Frequencies, periods and growth of systems whose answers are known."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from torch import Tensor

from symplectic_ops import (
    EllipticHamiltonian,
    NonFiniteError,
    SkewSymmetricHamiltonian,
    StructureError,
    _dtypes,
    expm,
    frequencies,
    growth_rates,
    hamiltonian_residual,
    periods,
)
from symplectic_ops.testing import generators


def springs(*stiffness: float) -> Tensor:
    """Uncoupled springs of unit mass: energy ½ Σ (k q² + p²), frequencies √k."""
    d = len(stiffness)
    K, zero = torch.diag(torch.tensor(stiffness, dtype=torch.float64)), torch.zeros(d, d, dtype=torch.float64)
    return torch.cat([torch.cat([zero, torch.eye(d, dtype=torch.float64)], 1), torch.cat([-K, zero], 1)])


def test_springs_swing_at_the_square_roots_of_their_stiffness_lowest_first() -> None:
    torch.testing.assert_close(frequencies(springs(9.0, 0.25, 4.0)), torch.tensor([0.5, 2.0, 3.0]).double())


def test_a_mode_comes_back_after_two_pi_over_its_frequency() -> None:
    H = springs(7.0)
    period = 2 * math.pi / float(frequencies(H))
    torch.testing.assert_close(expm(period * H), torch.eye(2, dtype=torch.float64))


def test_equal_frequencies_in_single_precision_keep_their_digits() -> None:
    """Rounding at working precision would move such a pair by the square root of itself."""
    shear = torch.eye(4, dtype=torch.float64)
    shear[0, 2], shear[0, 3], shear[1, 2], shear[1, 3] = 3.0, 5.0, 5.0, -2.0
    H = (shear @ springs(4.0, 4.0) @ shear.inverse()).float()
    assert hamiltonian_residual(H) == 0
    torch.testing.assert_close(frequencies(H), torch.tensor([2.0, 2.0]), rtol=0, atol=1e-6)


def test_a_saddle_does_not_turn_and_grows_as_fast_as_it_decays() -> None:
    saddle = springs(-4.0)
    assert frequencies(saddle).tolist() == [0.0]
    torch.testing.assert_close(growth_rates(saddle), torch.tensor([2.0, -2.0]).double())


def test_a_spiral_pair_has_one_frequency_twice_and_both_rates() -> None:
    a, w = 0.3, 2.0
    turn = torch.tensor([[a, w], [-w, a]], dtype=torch.float64)
    zero = torch.zeros(2, 2, dtype=torch.float64)
    H = torch.cat([torch.cat([turn, zero], 1), torch.cat([zero, -turn.mT], 1)])
    assert hamiltonian_residual(H) == 0
    torch.testing.assert_close(frequencies(H), torch.tensor([w, w]).double())
    torch.testing.assert_close(growth_rates(H), torch.tensor([a, a, -a, -a]).double())


@given(generators(EllipticHamiltonian, norms=(0.1, 10.0)))
def test_elliptic_generators_neither_grow_nor_decay(H: Tensor) -> None:
    assert growth_rates(H).abs().max() <= 1e-6 * torch.linalg.matrix_norm(H)
    assert frequencies(H).min() > 0


@given(generators(SkewSymmetricHamiltonian))
def test_skew_symmetric_generators_neither_grow_nor_decay(H: Tensor) -> None:
    assert growth_rates(H).abs().max() <= 1e-13 * torch.linalg.matrix_norm(H)


def test_every_block_has_a_spectrum_of_its_own() -> None:
    H = torch.stack([springs(1.0, 4.0), springs(9.0, 16.0)]).float()
    assert frequencies(H).shape == (2, 2) and growth_rates(H).shape == (2, 4)
    torch.testing.assert_close(frequencies(H), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))


def test_a_period_is_two_pi_over_its_frequency_longest_first_and_endless_at_rest() -> None:
    found = periods(springs(4.0, 0.0, 9.0))
    torch.testing.assert_close(found, torch.tensor([math.inf, math.pi, 2 * math.pi / 3]).double())


def test_a_device_without_double_precision_has_its_spectrum_computed_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands for such a device: one that refuses to make its float32 numbers float64 in place."""
    monkeypatch.setattr(_dtypes, "has_double", lambda device: False)
    H = springs(4.0).float()
    assert (frequencies(H).dtype, frequencies(H).device) == (H.dtype, H.device)
    torch.testing.assert_close(frequencies(H), torch.tensor([2.0]))


@pytest.mark.parametrize("measure", [frequencies, periods, growth_rates])
def test_nan_has_no_spectrum(measure: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(NonFiniteError, match=r"`H\[1\]` contains NaN or infinity"):
        measure(torch.stack([torch.eye(2), torch.full((2, 2), torch.nan)]))


@pytest.mark.parametrize("measure", [frequencies, periods, growth_rates])
@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64])
def test_only_real_floating_point_numbers_have_a_spectrum(
    measure: Callable[[Tensor], Tensor], dtype: torch.dtype
) -> None:
    with pytest.raises(TypeError, match=rf"`H` must be real floating point; got {dtype}"):
        measure(torch.tensor([[0, 1], [-2, 0]]).to(dtype))


@pytest.mark.parametrize("measure", [frequencies, periods, growth_rates])
def test_an_odd_matrix_is_refused(measure: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(StructureError, match=r"`H` must end in an even square .* got \(3, 3\)"):
        measure(torch.eye(3))
