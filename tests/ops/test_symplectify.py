"""The symplectic matrix in a drifted one: which it is, what it removes, and where there is none."""

import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from symplectic_ops import (
    EllipticHamiltonian,
    Hamiltonian,
    NonFiniteError,
    SkewHamiltonian,
    StructureError,
    expm,
    is_skew_hamiltonian,
    symplectic_inverse,
    symplectic_residual,
    symplectify,
)
from symplectic_ops.testing import assert_symplectic, symplectic_matrices

seeds = st.integers(0, 2**32 - 1)
two_pairs = symplectic_matrices(pairs=(2, 2), norms=(1e-3, 1.0))


def change(d: int, seed: int, scale: float) -> Tensor:
    """A skew-Hamiltonian matrix: what leads straight away from the group."""
    generator = torch.Generator().manual_seed(seed)
    return SkewHamiltonian(d).random(scale=scale, generator=generator, dtype=torch.float64)


@given(symplectic_matrices(), seeds, st.floats(0, 0.3))
def test_a_polar_decomposition_is_taken_apart(S: Tensor, seed: int, scale: float) -> None:
    """S exp(W) with W skew-Hamiltonian has the factors S and exp(W)."""
    R = expm(change(len(S) // 2, seed, scale))
    torch.testing.assert_close(symplectify(S @ R), S, rtol=0, atol=1e-12 * float(S.norm()) ** 3)


@given(symplectic_matrices())
def test_a_symplectic_matrix_is_its_own(S: Tensor) -> None:
    torch.testing.assert_close(symplectify(S), S, rtol=0, atol=1e-14 * float(S.norm()) ** 3)


@given(two_pairs, two_pairs, seeds)
def test_the_answer_does_not_depend_on_canonical_coordinates(P: Tensor, T: Tensor, seed: int) -> None:
    S = torch.eye(4, dtype=torch.float64) + change(2, seed, 0.1) + 0.01 * T
    torch.testing.assert_close(symplectify(P @ S @ T), P @ symplectify(S) @ T, rtol=0, atol=1e-10)


def test_a_single_pair_is_divided_by_the_root_of_its_determinant() -> None:
    S = torch.tensor([[30.0, 2.0], [-7.0, 11.0]], dtype=torch.float64)
    torch.testing.assert_close(symplectify(S), S / torch.linalg.det(S).sqrt())


def test_what_is_left_is_skew_hamiltonian() -> None:
    S = expm(Hamiltonian(3).random(dtype=torch.float64)) + 0.02 * torch.randn(6, 6, dtype=torch.float64)
    assert is_skew_hamiltonian(symplectic_inverse(symplectify(S)) @ S)


def test_no_symplectic_matrix_near_it_is_nearer_to_first_order() -> None:
    S = torch.eye(4, dtype=torch.float64) + 1e-4 * torch.randn(4, 4, dtype=torch.float64)
    Q = symplectify(S)

    def distance(P: Tensor) -> Tensor:
        return torch.linalg.matrix_norm(symplectic_inverse(P) @ S - torch.eye(4))

    least = distance(Q)
    others = Q @ expm(Hamiltonian(2).random(200, scale=1e-4, dtype=torch.float64))
    assert (distance(others) > least * (1 - 1e-3)).all()


def test_a_long_product_in_single_precision_loses_its_drift() -> None:
    """20 000 steps round an ellipse, put right after every hundredth."""
    step = expm(EllipticHamiltonian(2).random(scale=0.5))
    hundred = torch.linalg.matrix_power(step, 100)
    drifting, kept = torch.eye(4), torch.eye(4)
    for _ in range(200):
        drifting, kept = hundred @ drifting, symplectify(hundred @ kept)
    assert symplectic_residual(drifting) > 1e-5
    assert symplectic_residual(kept) <= 2e-7


@pytest.mark.parametrize(("drift", "steps"), [(1e-1, 5), (1e-2, 4), (1e-4, 3), (1e-8, 2)])
def test_every_step_doubles_the_digits(drift: float, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of them finds nothing left to do, and makes derivatives as good as the value."""
    monkeypatch.setattr(sys.modules["symplectic_ops.symplectify"], "STEPS", steps)
    S = expm(Hamiltonian(2).random(50, scale=0.3, dtype=torch.float64)) + drift * change(2, 0, 0.3)
    assert_symplectic(symplectify(S), tolerance=1e-15)


def test_a_matrix_of_quite_another_size_finds_its_way() -> None:
    S = 1000 * expm(Hamiltonian(2).random(5, scale=0.5, dtype=torch.float64))
    torch.testing.assert_close(symplectify(S), S / 1000)


def test_batches_are_carried_along() -> None:
    S = expm(Hamiltonian(2).random(3, 5, dtype=torch.float64)) * 1.01
    assert symplectify(S).shape == S.shape
    torch.testing.assert_close(symplectify(S)[1, 4], symplectify(S[1, 4]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_answer_is_rounded_once(dtype: torch.dtype) -> None:
    S = (1.01 * expm(Hamiltonian(2).random(scale=0.3))).to(dtype)
    found = symplectify(S)
    assert found.dtype == dtype and torch.equal(found, symplectify(S.double()).to(dtype))


def test_gradients_are_those_of_the_polar_factor() -> None:
    S = (expm(Hamiltonian(2).random(2, scale=0.3, dtype=torch.float64)) * 1.05).requires_grad_()
    assert gradcheck(symplectify, (S,)) and gradgradcheck(symplectify, (S,))


def test_the_gradient_of_a_single_pair_is_that_of_its_closed_form() -> None:
    S = torch.tensor([[1.3, 0.2], [-0.7, 1.1]], dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 2, dtype=torch.float64)
    (found,) = torch.autograd.grad((symplectify(S) * weights).sum(), S)
    (expected,) = torch.autograd.grad((S / torch.linalg.det(S).sqrt() * weights).sum(), S)
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)


def test_an_empty_batch_stays_empty() -> None:
    assert symplectify(torch.zeros(0, 4, 4)).shape == (0, 4, 4)


@pytest.mark.parametrize(
    "S", [torch.diag(torch.tensor([1.0, -1.0])), torch.zeros(2, 2), torch.tensor([[1e9, 0.0], [0.0, 1e-9]])]
)
def test_what_is_near_no_symplectic_matrix_is_refused(S: Tensor) -> None:
    with pytest.raises(StructureError, match=r"`S\[1\]` is near no symplectic matrix.*Symplectify a long product more"):
        symplectify(torch.stack([torch.eye(2), S]))


def test_nan_is_refused() -> None:
    with pytest.raises(NonFiniteError, match="`S` contains NaN or infinity"):
        symplectify(torch.full((2, 2), torch.nan))


def test_whole_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match=r"got torch\.int64\. Convert it first"):
        symplectify(torch.eye(2, dtype=torch.int64))
