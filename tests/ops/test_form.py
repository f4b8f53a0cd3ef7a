"""The form J and every sign that follows from it."""

import pytest
import torch

from symplectic_ops import StructureError, apply_form, expm, form, symplectic_inverse


def test_the_form_is_skew_symmetric_and_squares_to_minus_one() -> None:
    J = form(3, dtype=torch.float64)
    assert torch.equal(J.mT, -J)
    assert torch.equal(J @ J, -torch.eye(6, dtype=torch.float64))


def test_the_form_takes_momentum_to_position_with_a_plus() -> None:
    assert form(1).tolist() == [[0, 1], [-1, 0]]


def test_applying_the_form_is_multiplying_by_it() -> None:
    x = torch.randn(4, 6, 5, dtype=torch.float64)
    assert torch.equal(apply_form(x), form(3, dtype=torch.float64) @ x)


def test_applying_the_form_keeps_whole_numbers_whole() -> None:
    assert apply_form(torch.tensor([[1], [2]])).tolist() == [[2], [-1]]


def test_the_symplectic_inverse_is_minus_j_transpose_j() -> None:
    S = torch.randn(4, 6, 6, dtype=torch.float64)
    J = form(3, dtype=torch.float64)
    assert torch.equal(symplectic_inverse(S), -J @ S.mT @ J)


def test_the_symplectic_inverse_of_a_symplectic_matrix_undoes_it() -> None:
    S = expm(torch.tensor([[0.3, 2.0], [-0.5, -0.3]], dtype=torch.float64))
    assert torch.allclose(symplectic_inverse(S) @ S, torch.eye(2, dtype=torch.float64), rtol=0, atol=1e-15)


@pytest.mark.parametrize("shape", [(3,), (3, 3), (2, 4), (5, 2, 3)])
def test_a_matrix_without_pairs_is_refused_with_a_way_out(shape: tuple[int, ...]) -> None:
    with pytest.raises(StructureError, match=r"`S` must end in an even square .* got .*Pad the state by one channel"):
        symplectic_inverse(torch.zeros(shape))


def test_a_vector_is_refused_with_a_way_out() -> None:
    with pytest.raises(StructureError, match=r"got \(4,\)\. Give a single vector its second dimension"):
        apply_form(torch.zeros(4))
