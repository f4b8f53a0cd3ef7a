"""The energy of a state, and its drift along a trajectory."""

import pytest
import torch
from torch import Tensor

from symplectic_ops import EllipticHamiltonian, Hamiltonian, StructureError, energy, energy_drift, flow, form


def spring(stiffness: float) -> Tensor:
    return torch.tensor([[0.0, 1.0], [-stiffness, 0.0]], dtype=torch.float64)


def test_the_energy_of_a_spring_is_half_k_q_squared_plus_half_p_squared() -> None:
    assert energy(spring(4.0), torch.tensor([3.0, 2.0], dtype=torch.float64)) == 0.5 * (4 * 9 + 4)


def test_the_energy_of_the_form_is_half_the_square_of_the_state() -> None:
    s = torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert energy(form(2), s) == 15


def test_autocasting_does_not_round_an_energy() -> None:
    H, s = EllipticHamiltonian(3).random(), torch.randn(6)
    with torch.autocast("cpu", torch.bfloat16):
        found = energy(H, s)
    assert torch.equal(found, energy(H, s))


def test_energies_broadcast_over_batch_and_blocks() -> None:
    H = Hamiltonian(2)(torch.randn(9, 10, dtype=torch.float64))
    s = torch.randn(5, 7, 9, 4, dtype=torch.float64)
    found = energy(H, s)
    assert found.shape == (5, 7, 9)
    torch.testing.assert_close(found[2, 3, 4], energy(H[4], s[2, 3, 4]))


def test_the_drift_is_the_relative_change_since_the_first_state() -> None:
    H = EllipticHamiltonian(2).random(3, dtype=torch.float64)
    s = torch.randn(5, 7, 3, 4, dtype=torch.float64)
    E = energy(H, s)
    torch.testing.assert_close(energy_drift(H, s), E / E[:, :1] - 1)


def test_the_flow_hardly_drifts_and_explicit_steps_do() -> None:
    """Euler's forward step multiplies the energy of the unit oscillator by 1 + h²."""
    H, s0, h = spring(1.0), torch.tensor([1.0, 0.0], dtype=torch.float64), 0.01
    assert energy_drift(H, flow(H, s0, torch.arange(0, 100, h))).abs().max() < 1e-13
    step, euler = torch.eye(2, dtype=torch.float64) + h * H, [s0]
    for _ in range(100):
        euler.append(step @ euler[-1])
    expected = (1 + h**2) ** torch.arange(101, dtype=torch.float64) - 1
    torch.testing.assert_close(energy_drift(H, torch.stack(euler)), expected, rtol=1e-9, atol=1e-13)


def test_where_positive_and_negative_energies_cancel_the_drift_is_relative_to_both_together() -> None:
    saddle = torch.tensor([[0.0, 1.0], [1.0, 0.0]])  # energy ½(p² − q²)
    s = torch.tensor([[2.0, 2.0], [2.0, 2.2]])
    torch.testing.assert_close(energy_drift(saddle, s), torch.tensor([0.0, 0.42 / 4]))


def test_what_rests_does_not_drift() -> None:
    assert not energy_drift(torch.zeros(3, 2, 2), torch.randn(5, 4, 3, 2)).any()
    assert not energy_drift(form(1), torch.zeros(4, 2)).any()


def test_a_state_that_rests_has_no_energy_for_rounding_to_be_divided_by() -> None:
    """Energy is curved in every direction but one, and the state lies along that one: what is left are roundings."""
    axes, _ = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64))
    M = axes @ torch.diag(torch.arange(6.0).double()) @ axes.mT
    s = axes[:, 0] * torch.tensor([[1.0], [-3.0], [7.0]], dtype=torch.float64)
    assert energy_drift(form(3, dtype=torch.float64) @ M, s).abs().max() < 1e-12


def test_the_drift_of_single_precision_states_is_seen_below_their_rounding() -> None:
    s = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    s[1, 1] = 1e-5  # changes the energy by 1e-10 of itself
    torch.testing.assert_close(energy_drift(form(1), s)[1], torch.tensor(1e-10), rtol=1e-5, atol=0)


def test_an_odd_matrix_is_refused() -> None:
    with pytest.raises(StructureError, match=r"`H` must end in an even square .* got \(3, 3\)"):
        energy_drift(torch.eye(3), torch.zeros(5, 3))


@pytest.mark.parametrize("s", [torch.zeros(3), torch.zeros(()), torch.zeros(4, dtype=torch.float64)])
def test_a_state_of_another_kind_is_refused(s: Tensor) -> None:
    with pytest.raises(
        StructureError, match=r"`s` must be states \(\.\.\., 4\) in torch\.float32 to go with `H` \(4, 4\)"
    ):
        energy(form(2), s)


@pytest.mark.parametrize("shape", [(4,), (5, 3), (0, 4), (7, 3, 4)])
def test_what_is_no_trajectory_is_refused(shape: tuple[int, ...]) -> None:
    H = torch.zeros(2, 4, 4) if len(shape) == 3 else torch.zeros(4, 4)
    with pytest.raises(StructureError, match=r"`s` must be a trajectory \(\.\.\., t, (2, )?4\) of `H`.*got"):
        energy_drift(H, torch.zeros(shape))
