"""What other projects test with: strategies that keep their limits, assertions that fail when they should."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from torch import Tensor

from symplectic_ops import (
    EllipticHamiltonian,
    Hamiltonian,
    SkewHamiltonian,
    SkewSymmetricHamiltonian,
    form,
    is_elliptic_hamiltonian,
    is_hamiltonian,
    is_skew_hamiltonian,
    is_skew_symmetric_hamiltonian,
    is_symplectic,
)
from symplectic_ops.testing import (
    assert_elliptic_hamiltonian,
    assert_hamiltonian,
    assert_orthogonal,
    assert_skew_hamiltonian,
    assert_skew_symmetric_hamiltonian,
    assert_symplectic,
    generators,
    matrices,
    states_like,
    symplectic_matrices,
)


def one_norm(A: Tensor) -> float:
    return float(torch.linalg.matrix_norm(A, ord=1))


@given(matrices(sizes=(2, 3), norms=(0.5, 0.6)))
def test_matrices_keep_their_limits(A: Tensor) -> None:
    assert A.shape in {(2, 2), (3, 3)} and A.dtype == torch.float64
    assert 0.5 - 1e-12 <= one_norm(A) <= 0.6 + 1e-12


@given(generators(EllipticHamiltonian, pairs=(1, 2), norms=(0.5, 0.6)))
def test_generators_keep_their_limits_and_their_space(H: Tensor) -> None:
    assert H.shape in {(2, 2), (4, 4)} and H.dtype == torch.float64
    assert 0.5 - 1e-12 <= one_norm(H) <= 0.6 + 1e-12
    assert is_hamiltonian(H)


@given(
    generators(Hamiltonian),
    generators(EllipticHamiltonian),
    generators(SkewSymmetricHamiltonian),
    generators(SkewHamiltonian),
)
def test_generators_of_every_space_can_be_drawn(H: Tensor, E: Tensor, A: Tensor, W: Tensor) -> None:
    assert is_hamiltonian(H)
    assert is_elliptic_hamiltonian(E, epsilon=0.0)
    assert is_skew_symmetric_hamiltonian(A)
    assert is_skew_hamiltonian(W)


@given(symplectic_matrices(pairs=(1, 2), norms=(1e-3, 2.0)))
def test_symplectic_matrices_are_drawn_that_belong_to_the_group(S: Tensor) -> None:
    assert S.shape in {(2, 2), (4, 4)} and S.dtype == torch.float64
    assert is_symplectic(S)


def test_states_are_the_same_for_the_same_seed() -> None:
    H = torch.zeros(3, 4, 4)
    assert states_like(H, 1).shape == (3, 4)
    assert torch.equal(states_like(H, 1), states_like(H, 1))
    assert not torch.equal(states_like(H, 1), states_like(H, 2))


ASSERTIONS: list[tuple[Callable[..., None], Tensor, Tensor, str]] = [
    (assert_hamiltonian, form(1), torch.eye(2), r"not Hamiltonian: residual 1\.0e\+00 > "),
    (
        assert_elliptic_hamiltonian,
        form(1),
        -form(1),
        r"not elliptic Hamiltonian with ε = 0\.001: residual 1\.0e\+00 > ",
    ),
    (
        assert_skew_symmetric_hamiltonian,
        form(1),
        torch.eye(2),
        r"not skew-symmetric Hamiltonian: residual 1\.0e\+00 > ",
    ),
    (assert_skew_hamiltonian, torch.eye(2), form(1), r"not skew-Hamiltonian: residual 1\.0e\+00 > "),
    (assert_symplectic, form(1), 2 * torch.eye(2), r"not symplectic: residual 5\.3e-01 > "),
    (assert_orthogonal, form(1), 2 * torch.eye(2), r"not orthogonal: residual 5\.3e-01 > "),
]
every_assertion = pytest.mark.parametrize(("check", "member", "stranger", "sentence"), ASSERTIONS)


@every_assertion
def test_an_assertion_passes_members_and_says_how_far_off_a_stranger_is(
    check: Callable[..., None], member: Tensor, stranger: Tensor, sentence: str
) -> None:
    check(member)
    check(stranger, tolerance=1.01)
    with pytest.raises(AssertionError, match=sentence):
        check(torch.stack([member, stranger]))


@every_assertion
def test_an_assertion_fails_on_nan(check: Callable[..., None], member: Tensor, stranger: Tensor, sentence: str) -> None:
    with pytest.raises(AssertionError):
        check(torch.nan * member, tolerance=1.0)
