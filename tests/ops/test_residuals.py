"""Distances from the classes of matrices, and the predicates built on them."""

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
    StructureError,
    elliptic_hamiltonian_residual,
    expm,
    form,
    hamiltonian_residual,
    is_elliptic_hamiltonian,
    is_hamiltonian,
    is_orthogonal,
    is_skew_hamiltonian,
    is_skew_symmetric_hamiltonian,
    is_symplectic,
    orthogonal_residual,
    skew_hamiltonian_residual,
    skew_symmetric_hamiltonian_residual,
    symplectic_residual,
)
from symplectic_ops.spaces import Space
from symplectic_ops.testing import generators

EVERY_PREDICATE = (
    is_hamiltonian,
    is_elliptic_hamiltonian,
    is_skew_symmetric_hamiltonian,
    is_skew_hamiltonian,
    is_symplectic,
    is_orthogonal,
)
EVERY_RESIDUAL = (
    hamiltonian_residual,
    elliptic_hamiltonian_residual,
    skew_symmetric_hamiltonian_residual,
    skew_hamiltonian_residual,
    symplectic_residual,
    orthogonal_residual,
)
every_half = pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])


@given(generators(Hamiltonian))
def test_the_linear_residuals_are_zero_in_their_space_and_one_in_the_other(H: Tensor) -> None:
    assert hamiltonian_residual(H) == 0
    assert skew_hamiltonian_residual(H) == 1


@given(generators(SkewHamiltonian))
def test_hamiltonian_and_skew_hamiltonian_matrices_are_orthogonal_complements(W: Tensor) -> None:
    assert skew_hamiltonian_residual(W) == 0
    assert hamiltonian_residual(W) == 1


def test_the_linear_residuals_do_not_depend_on_scale() -> None:
    A = torch.randn(6, 6, dtype=torch.float64)
    torch.testing.assert_close(hamiltonian_residual(1e-9 * A), hamiltonian_residual(A))


@pytest.mark.parametrize(
    ("residual", "space"),
    [
        (hamiltonian_residual, Hamiltonian),
        (elliptic_hamiltonian_residual, EllipticHamiltonian),
        (skew_symmetric_hamiltonian_residual, SkewSymmetricHamiltonian),
        (skew_hamiltonian_residual, SkewHamiltonian),
    ],
)
def test_the_residual_of_a_space_is_the_relative_distance_to_the_projection(
    residual: Callable[[Tensor], Tensor], space: type[Space]
) -> None:
    A = torch.randn(5, 6, 6, dtype=torch.float64)
    distance = torch.linalg.matrix_norm(A - space(3).project(A)) / torch.linalg.matrix_norm(A)
    torch.testing.assert_close(residual(A), distance)


def test_an_elliptic_matrix_is_measured_against_the_curvature_asked_for() -> None:
    """Energy ½(4q² + p²): curvatures 4 and 1."""
    spring = torch.tensor([[0.0, 1.0], [-4.0, 0.0]])
    assert is_elliptic_hamiltonian(spring, epsilon=1.0)
    assert not is_elliptic_hamiltonian(spring, epsilon=1.01)


def test_the_zero_matrix_lies_in_both_linear_spaces() -> None:
    zero = torch.zeros(4, 4)
    assert is_hamiltonian(zero) and is_skew_hamiltonian(zero)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_form_is_symplectic_and_orthogonal_exactly(dtype: torch.dtype) -> None:
    J = form(2, dtype=dtype)
    assert symplectic_residual(J) == 0 and orthogonal_residual(J) == 0


def test_a_squeeze_is_symplectic_and_not_orthogonal() -> None:
    squeeze = torch.diag(torch.tensor([1e3, 1e-3], dtype=torch.float64))
    assert is_symplectic(squeeze) and not is_orthogonal(squeeze)


def test_a_reflection_is_orthogonal_and_not_symplectic() -> None:
    reflection = torch.diag(torch.tensor([1.0, -1.0]))
    assert is_orthogonal(reflection) and not is_symplectic(reflection)


def test_a_small_matrix_is_measured_against_the_size_of_a_member() -> None:
    """‖0 − J‖ over the least ‖S‖² there is, 2 over 4."""
    assert symplectic_residual(torch.zeros(4, 4)) == orthogonal_residual(torch.zeros(4, 4)) == 0.5


def test_a_shrunk_rotation_is_neither_however_small() -> None:
    small = 1e-12 * form(2, dtype=torch.float64)
    assert not is_symplectic(small) and not is_orthogonal(small)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_default_tolerance_forgives_rounding_and_sees_the_fifth_digit(dtype: torch.dtype) -> None:
    S = expm(SkewSymmetricHamiltonian(3)(torch.linspace(-1, 1, 9, dtype=dtype)))
    assert is_symplectic(S)
    assert not is_symplectic(S * (1 + 1e-5))


@every_half
def test_half_precision_has_room_for_the_squares_of_its_entries(dtype: torch.dtype) -> None:
    """What would overflow compares as infinity over infinity, or as nothing over infinity."""
    large = 5e4 * torch.eye(4, dtype=dtype)
    assert hamiltonian_residual(large) == 1 and skew_hamiltonian_residual(large) == 0
    assert elliptic_hamiltonian_residual(large) == skew_symmetric_hamiltonian_residual(large) == 1
    for wide in (200 * torch.eye(2, dtype=dtype), large):
        assert not is_symplectic(wide) and not is_orthogonal(wide)


@every_half
def test_residuals_of_half_precision_are_those_of_the_same_numbers_in_single(dtype: torch.dtype) -> None:
    A = torch.randn(5, 4, 4).to(dtype)
    for residual in EVERY_RESIDUAL:
        assert torch.equal(residual(A), residual(A.float()).to(dtype))


@every_half
def test_autocasting_changes_no_verdict(dtype: torch.dtype) -> None:
    H = EllipticHamiltonian(3).random()
    with torch.autocast("cpu", dtype):
        assert is_symplectic(expm(H))
        assert is_orthogonal(expm(SkewSymmetricHamiltonian(3).random()))


def test_a_tolerance_can_be_chosen() -> None:
    nearly = torch.tensor([[0.0, 1.0], [1.0, 0.01]])
    assert not is_hamiltonian(nearly)
    assert is_hamiltonian(nearly, tolerance=0.1)


def test_residuals_come_one_for_each_matrix() -> None:
    batch = torch.stack([torch.eye(4), form(2)]).expand(3, 2, 4, 4)
    assert hamiltonian_residual(batch).tolist() == [[1.0, 0.0]] * 3
    assert is_symplectic(batch).all()


def test_matrices_of_size_zero_belong_everywhere() -> None:
    empty = torch.zeros(3, 0, 0)
    for belongs in EVERY_PREDICATE:
        assert belongs(empty).tolist() == [True] * 3


def test_a_matrix_with_nan_belongs_nowhere() -> None:
    broken = torch.stack([torch.full((4, 4), torch.nan), form(2)])
    broken[0, 0, 0] = torch.inf
    for belongs in EVERY_PREDICATE:
        assert not belongs(broken)[0]
    assert is_elliptic_hamiltonian(broken).tolist() == [False, True]


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64])
def test_only_real_floating_point_numbers_are_measured(dtype: torch.dtype) -> None:
    for belongs in EVERY_PREDICATE:
        with pytest.raises(TypeError, match=rf"must be real floating point; got {dtype}\. Convert it first"):
            belongs(torch.eye(2).to(dtype))


@pytest.mark.parametrize("shape", [(3,), (2, 4), (3, 3)])
def test_a_matrix_without_pairs_is_refused_by_name(shape: tuple[int, ...]) -> None:
    for residual in (hamiltonian_residual, elliptic_hamiltonian_residual, skew_hamiltonian_residual):
        with pytest.raises(StructureError, match=r"`A` must end in an even square .* Pad the state by one channel"):
            residual(torch.zeros(shape))


def test_an_oblong_matrix_cannot_be_orthogonal() -> None:
    with pytest.raises(StructureError, match=r"`Q` must be square matrices \(\.\.\., n, n\); got \(2, 3\)"):
        orthogonal_residual(torch.zeros(2, 3))
