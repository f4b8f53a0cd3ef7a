"""The laws of the exponential, over random matrices of every size and scale; docs/maths.md has their proofs.

Tolerances follow from one promise, which test_accuracy.py tests: the computed X is within

    δ(A) = 10 n ε (1 + κ(A)) ‖X‖_F

of exp(A), κ the condition number of the exponential at A, here as scipy computes it. To first order in δ, what a law
combines gives what it may miss by. Rounding A, and products of what was computed, add a tenth of δ at most.
"""

import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from symplectic_ops import (
    Hamiltonian,
    SkewHamiltonian,
    SkewSymmetricHamiltonian,
    expm,
    is_symplectic,
    symplectic_inverse,
)
from symplectic_ops.testing import assert_orthogonal, assert_skew_hamiltonian, assert_symplectic, generators, matrices

both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
any_matrix = matrices(sizes=(1, 6), norms=(1e-6, 3.0))
multiples = st.floats(-1, 1)


def hamiltonian_matrices(space: type = Hamiltonian) -> st.SearchStrategy[Tensor]:
    return generators(space, pairs=(1, 3), norms=(1e-6, 3.0))


def size(A: Tensor) -> float:
    return float(torch.linalg.matrix_norm(A.double()))


def delta(A: Tensor) -> float:
    """δ(A), and a tenth of it for what rounded A itself."""
    return relative_delta(A) * size(expm(A))


def relative_delta(A: Tensor) -> float:
    condition = float(scipy.linalg.expm_cond(A.double().numpy()))
    return 11 * len(A) * torch.finfo(A.dtype).eps * (1 + condition)


pytestmark = pytest.mark.usefixtures("either_way")


@both_dtypes
@given(any_matrix, multiples, multiples)
def test_multiples_of_one_matrix_exponentiate_additively(dtype: torch.dtype, A: Tensor, s: float, t: float) -> None:
    first, second, both = ((factor * A).to(dtype) for factor in (s, t, s + t))
    X, Y = expm(first), expm(second)
    allowed = delta(first) * size(Y) + size(X) * delta(second) + delta(both)
    assert size(X @ Y - expm(both)) <= allowed


@both_dtypes
@given(any_matrix)
def test_the_opposite_matrix_gives_the_inverse(dtype: torch.dtype, A: Tensor) -> None:
    A = A.to(dtype)
    X, Y = expm(A), expm(-A)
    identity = torch.eye(len(A), dtype=dtype)
    assert size(X @ Y - identity) <= delta(A) * size(Y) + size(X) * delta(-A)


@both_dtypes
@given(any_matrix)
def test_the_transpose_gives_the_transpose(dtype: torch.dtype, A: Tensor) -> None:
    A = A.to(dtype)
    assert size(expm(A.mT) - expm(A).mT) <= 2 * delta(A)


@both_dtypes
@given(any_matrix, st.integers(0, 2**32 - 1))
def test_similar_matrices_have_similar_exponentials(dtype: torch.dtype, A: Tensor, seed: int) -> None:
    """P is unit triangular of whole numbers, and so is its inverse: neither is rounded."""
    source = torch.Generator().manual_seed(seed)
    P = torch.eye(len(A)) + torch.randint(-1, 2, A.shape, generator=source).tril(-1)
    P, inverse = P.to(dtype), torch.linalg.inv(P.double()).round().to(dtype)
    A = A.to(dtype)
    B = P @ A @ inverse
    stretch = size(P) * size(inverse)
    # Rounding B moves it by n ε stretch ‖A‖ at most, and its exponential by κ times that.
    allowed = delta(B) * (1 + stretch * size(A) / size(B)) + stretch * delta(A)
    assert size(expm(B) - P @ expm(A) @ inverse) <= allowed


@both_dtypes
@given(any_matrix)
def test_the_determinant_is_the_exponential_of_the_trace(dtype: torch.dtype, A: Tensor) -> None:
    """d det = det · tr(X⁻¹ dX). The determinant is computed in double precision."""
    A = A.to(dtype)
    determinant = torch.linalg.det(expm(A).double())
    expected = A.double().trace().exp()
    assert abs(determinant - expected) <= 2 * size(expm(-A)) * delta(A) * expected


@both_dtypes
@given(hamiltonian_matrices())
def test_the_exponential_of_a_hamiltonian_matrix_is_symplectic(dtype: torch.dtype, H: Tensor) -> None:
    """‖SᵀJS − J‖ ≤ 2 ‖S‖ δ, a tolerance that grows with ‖S‖²."""
    H = H.to(dtype)
    assert_symplectic(expm(H), tolerance=2 * relative_delta(H))


@both_dtypes
@given(hamiltonian_matrices())
def test_time_turned_back_is_the_symplectic_inverse(dtype: torch.dtype, H: Tensor) -> None:
    H = H.to(dtype)
    assert size(expm(-H) - symplectic_inverse(expm(H))) <= delta(-H) + delta(H)


@both_dtypes
@given(hamiltonian_matrices(SkewSymmetricHamiltonian))
def test_the_exponential_of_a_skew_symmetric_hamiltonian_matrix_is_orthogonal(dtype: torch.dtype, H: Tensor) -> None:
    H = H.to(dtype)
    assert_orthogonal(expm(H), tolerance=2 * relative_delta(H))


@both_dtypes
@given(hamiltonian_matrices(SkewHamiltonian))
def test_the_exponential_of_a_skew_hamiltonian_matrix_is_skew_hamiltonian(dtype: torch.dtype, W: Tensor) -> None:
    W = W.to(dtype)
    assert_skew_hamiltonian(expm(W), tolerance=relative_delta(W))


@given(generators(SkewHamiltonian, norms=(0.1, 5.0)))
def test_the_exponential_of_a_skew_hamiltonian_matrix_is_not_symplectic(W: Tensor) -> None:
    assert not is_symplectic(expm(W))


def test_positive_momentum_moves_position_forward() -> None:
    """No law can see the sign of J; this pins it."""
    q, p = expm(0.1 * Hamiltonian(1)(torch.tensor([1.0, 0.0, 1.0]))) @ torch.tensor([0.0, 1.0])
    assert q > 0
    assert 0 < p < 1
