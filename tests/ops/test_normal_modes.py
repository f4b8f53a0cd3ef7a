"""Normal modes: the canonical coordinates that take a system apart, and which systems have them."""

import math

import pytest
import torch
from hypothesis import given
from torch import Tensor
from torch.autograd import gradcheck

from symplectic_ops import (
    EllipticHamiltonian,
    Hamiltonian,
    SkewSymmetricHamiltonian,
    StructureError,
    apply_form,
    expm,
    flow,
    form,
    frequencies,
    hamiltonian_matrix,
    normal_modes,
)
from symplectic_ops.testing import assert_orthogonal, assert_symplectic, generators


def assert_modes(H: Tensor, tolerance: float = 1e-12) -> None:
    """S is symplectic, SᵀMS = diag(ω, ω), and the ω are those of the spectrum."""
    omega, S = normal_modes(H)
    assert_symplectic(S, tolerance=tolerance)
    scale = float(torch.linalg.matrix_norm(S).square().max() * torch.linalg.matrix_norm(H).max())
    diagonal = torch.diag_embed(torch.cat([omega, omega], dim=-1))
    torch.testing.assert_close(S.mT @ -apply_form(H) @ S, diagonal, rtol=0, atol=tolerance * scale)
    torch.testing.assert_close(omega.abs(), frequencies(H), rtol=0, atol=tolerance * scale)


@given(generators(EllipticHamiltonian, norms=(0.1, 10.0)))
def test_an_elliptic_system_falls_apart_into_oscillators_of_positive_energy(H: Tensor) -> None:
    assert_modes(H)
    assert (normal_modes(H).frequencies > 0).all()


@given(generators(EllipticHamiltonian, norms=(0.1, 10.0)))
def test_its_opposite_turns_the_other_way(H: Tensor) -> None:
    assert_modes(-H)
    torch.testing.assert_close(normal_modes(-H).frequencies, -normal_modes(H).frequencies)


@given(generators(SkewSymmetricHamiltonian))
def test_a_skew_symmetric_system_falls_apart_in_orthogonal_coordinates(H: Tensor) -> None:
    assert_modes(H)
    assert_orthogonal(normal_modes(H).basis)


def test_two_masses_between_three_springs_swing_together_and_against_each_other() -> None:
    """Unit masses and springs: frequencies 1 and √3, directions (1, 1) and (1, −1)."""
    M = torch.eye(4, dtype=torch.float64)
    M[:2, :2] = torch.tensor([[2.0, -1.0], [-1.0, 2.0]])
    omega, S = normal_modes(apply_form(M))
    torch.testing.assert_close(omega, torch.tensor([1.0, math.sqrt(3)]).double())
    first, second = S[:2, [0, 2]], S[:2, [1, 3]]  # what each mode moves of the two positions
    torch.testing.assert_close(first[0], first[1])
    torch.testing.assert_close(second[0], -second[1])


def test_each_mode_turns_by_itself() -> None:
    H = EllipticHamiltonian(3).random(generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    omega, S = normal_modes(H)
    start = torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    t = torch.linspace(0, 5, 11, dtype=torch.float64)
    modes = torch.linalg.solve(S, flow(H, S @ start, t).mT).mT
    expected = torch.zeros(11, 6, dtype=torch.float64)
    expected[:, 1], expected[:, 4] = torch.cos(omega[1] * t), -torch.sin(omega[1] * t)
    torch.testing.assert_close(modes, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "H",
    [
        form(3, dtype=torch.float64),  # one frequency three times
        form(2, dtype=torch.float64) @ torch.diag(torch.tensor([1.0, -1.0, 1.0, -1.0]).double()),  # of both energies
        torch.zeros(4, 4, dtype=torch.float64),
    ],
)
def test_coinciding_frequencies_are_taken_apart_in_any_orthogonal_coordinates(H: Tensor) -> None:
    turn = expm(SkewSymmetricHamiltonian(len(H) // 2).random(dtype=torch.float64))
    assert_modes(turn @ H @ turn.mT, tolerance=1e-14)


def test_coinciding_frequencies_are_taken_apart_in_any_canonical_coordinates() -> None:
    M = expm(Hamiltonian(3).random(scale=0.5, dtype=torch.float64))
    assert_modes(apply_form(M.mT @ M))  # the unit oscillator, sheared


def test_matrices_of_both_kinds_may_stand_in_one_batch() -> None:
    kinds = [
        EllipticHamiltonian(2).random(dtype=torch.float64),
        -EllipticHamiltonian(2).random(dtype=torch.float64),
        SkewSymmetricHamiltonian(2).random(dtype=torch.float64),
    ]
    assert_modes(torch.stack(kinds).expand(2, 3, 4, 4))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_modes_come_in_the_dtype_of_the_matrix(dtype: torch.dtype) -> None:
    assert {x.dtype for x in normal_modes(form(2, dtype=dtype))} == {dtype}


def test_frequencies_have_gradients() -> None:
    params = torch.randn(2, EllipticHamiltonian(2).dim, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda p: normal_modes(EllipticHamiltonian(2)(p)).frequencies, (params,))


def test_frequencies_have_gradients_where_curvatures_coincide() -> None:
    two_springs = torch.tensor([4.0, 0, 0, 0, 9.0, 0, 0, 1.0, 0, 1.0], dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda M: normal_modes(hamiltonian_matrix(M)).frequencies, (two_springs,))


def test_a_system_of_no_pairs_has_no_modes() -> None:
    omega, S = normal_modes(torch.zeros(3, 0, 0))
    assert omega.shape == (3, 0) and S.shape == (3, 0, 0)


def test_a_saddle_is_refused_by_its_place() -> None:
    saddle = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(StructureError, match=r"`H\[1\]` has no normal modes to rely on: its energy is indefinite"):
        normal_modes(torch.stack([form(1), saddle]))


def test_a_free_particle_is_refused() -> None:
    with pytest.raises(StructureError, match="`H` has no normal modes to rely on"):
        normal_modes(torch.tensor([[0.0, 1.0], [0.0, 0.0]]))


def test_a_matrix_that_is_not_hamiltonian_is_refused() -> None:
    with pytest.raises(StructureError, match="`H` must be Hamiltonian to have normal modes"):
        normal_modes(torch.eye(2))
