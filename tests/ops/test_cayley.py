"""The Cayley transform: structure kept by one solve, its way back, and where it does not exist."""

import math

import pytest
import torch
from hypothesis import given
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from symplectic_ops import (
    Hamiltonian,
    NonFiniteError,
    SkewSymmetricHamiltonian,
    StructureError,
    cayley,
    cayley_inverse,
    expm,
    form,
)
from symplectic_ops.testing import assert_hamiltonian, assert_orthogonal, assert_symplectic, generators

tame = generators(norms=(1e-6, 1.5))  # no eigenvalue reaches 2
turning = generators(SkewSymmetricHamiltonian)


def size(A: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(A)


@given(tame)
def test_a_hamiltonian_matrix_becomes_symplectic_and_comes_back(H: Tensor) -> None:
    S = cayley(H)
    assert_symplectic(S, tolerance=1e-14)
    back = cayley_inverse(S)
    assert_hamiltonian(back, tolerance=1e-15 * (1 + 1 / float(size(H))) * float(size(S)) ** 2)
    assert size(back - H) <= 1e-14 * size(S) ** 2


@given(turning)
def test_a_skew_symmetric_one_becomes_orthogonal_however_large(H: Tensor) -> None:
    assert_orthogonal(cayley(H), tolerance=1e-14)


def test_structure_survives_where_the_exponential_has_long_overflowed() -> None:
    saddle = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert_symplectic(cayley(1e6 * saddle))


def test_a_spring_turns_by_twice_the_arc_tangent_of_half_its_step() -> None:
    angle = 2 * math.atan(0.7 / 2)
    turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]).double()
    torch.testing.assert_close(cayley(0.7 * form(1, dtype=torch.float64)), turn)


def test_it_is_the_implicit_midpoint_rule() -> None:
    """s₁ = s₀ + H (s₀ + s₁) / 2."""
    H, s0 = Hamiltonian(3).random(scale=0.3, dtype=torch.float64), torch.randn(6, dtype=torch.float64)
    s1 = cayley(H) @ s0
    torch.testing.assert_close(s1, s0 + H @ (s0 + s1) / 2)


def test_it_leaves_the_exponential_at_third_order() -> None:
    H = Hamiltonian(2).random(dtype=torch.float64)
    steps = (1e-2, 1e-3)
    for step in steps:
        leading = torch.linalg.matrix_power(step * H, 3) / 12
        torch.testing.assert_close(cayley(step * H) - expm(step * H), leading, rtol=0, atol=float(20 * step**4))


def test_batches_are_carried_along() -> None:
    H = Hamiltonian(2).random(3, 5, scale=0.3, dtype=torch.float64)
    assert cayley(H).shape == H.shape
    torch.testing.assert_close(cayley(H)[1, 4], cayley(H[1, 4]))
    torch.testing.assert_close(cayley_inverse(cayley(H)), H)


def test_gradients_of_every_order_reach_the_generator() -> None:
    H = Hamiltonian(2).random(2, scale=0.3, dtype=torch.float64).requires_grad_()
    assert gradcheck(cayley, (H,)) and gradgradcheck(cayley, (H,))
    S = cayley(H).detach().requires_grad_()
    assert gradcheck(cayley_inverse, (S,)) and gradgradcheck(cayley_inverse, (S,))


def test_it_works_under_vmap() -> None:
    H = Hamiltonian(2).random(3, scale=0.3)
    torch.testing.assert_close(torch.func.vmap(cayley)(H), cayley(H))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_dtype_comes_back_as_it_went(dtype: torch.dtype) -> None:
    assert cayley(form(2, dtype=dtype)).dtype == cayley_inverse(form(2, dtype=dtype)).dtype == dtype


def test_an_eigenvalue_of_two_is_refused_with_a_way_out() -> None:
    saddle = 2 * torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(StructureError, match=r"`H` has the eigenvalue 2 .* Take a shorter step, such as H / 2"):
        cayley(saddle)


def test_which_matrix_of_a_batch_is_refused_is_said() -> None:
    H = torch.zeros(2, 3, 2, 2)
    H[1, 2] = 2 * torch.eye(2)
    with pytest.raises(StructureError, match=r"`H\[1, 2\]` has the eigenvalue 2"):
        cayley(H)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_half_a_turn_is_refused_exact_or_rounded(dtype: torch.dtype) -> None:
    for half_turn in (-torch.eye(4, dtype=dtype), expm(math.pi * form(2, dtype=dtype))):
        with pytest.raises(StructureError, match=r"`S` has the eigenvalue −1 .* without half turns"):
            cayley_inverse(half_turn)


def test_nan_is_refused() -> None:
    with pytest.raises(NonFiniteError, match="`H` contains NaN or infinity"):
        cayley(torch.full((2, 2), torch.nan))


def test_whole_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match=r"`H` must be real or complex floating point; got torch\.int64"):
        cayley(torch.eye(2, dtype=torch.int64))


def test_a_matrix_that_is_not_square_is_refused() -> None:
    with pytest.raises(StructureError, match=r"`S` must be square matrices \(\.\.\., n, n\); got \(2, 3\)"):
        cayley_inverse(torch.zeros(2, 3))
