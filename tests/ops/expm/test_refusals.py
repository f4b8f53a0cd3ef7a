"""What expm refuses, and the sentence it refuses it with."""

import math
from typing import Any

import pytest
import torch

from symplectic_ops import NonFiniteError, StructureError, expm

pytestmark = pytest.mark.usefixtures("either_way")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_matrix_that_is_not_finite_is_named(value: float) -> None:
    A = torch.zeros(2, 3, 4, 4)
    A[1, 2, 0, 3] = value
    with pytest.raises(NonFiniteError, match=r"`A\[1, 2\]` contains NaN or infinity.*check_finite=False"):
        expm(A)


def test_a_single_matrix_that_is_not_finite_has_no_index() -> None:
    with pytest.raises(NonFiniteError, match=r"`A` contains NaN"):
        expm(torch.full((2, 2), math.nan))


def test_a_known_bound_does_not_hide_nan() -> None:
    with pytest.raises(NonFiniteError, match=r"`A` contains NaN"):
        expm(torch.full((2, 2), math.nan), norm_bound=1.0)


@pytest.mark.parametrize(
    ("dtype", "advice"),
    [
        (torch.float16, "a smaller generator, or use a wider dtype"),
        (torch.float32, "a smaller generator, or use a wider dtype"),
        (torch.float64, r"a smaller generator\.$"),
    ],
)
def test_overflow_names_the_matrix_its_norm_and_what_to_do(dtype: torch.dtype, advice: str) -> None:
    A = torch.stack([torch.eye(2), 1000 * torch.eye(2)]).to(dtype)
    with pytest.raises(
        NonFiniteError,
        match=rf"`A\[1\]`, whose 1-norm is 1e\+03, or a power on the way to it overflows {str(dtype)[6:]}.*{advice}",
    ):
        expm(A)


def test_half_precision_overflows_where_its_own_numbers_end() -> None:
    A = torch.full((1, 1), 11.25, dtype=torch.float16)
    with pytest.raises(NonFiniteError, match="overflows float16"):
        expm(A)
    assert expm(A.to(torch.bfloat16)).isfinite().all()


def test_powers_that_overflow_are_overflow() -> None:
    A = torch.tensor([[0.0, 1e20], [-1e20, 0.0]])
    with pytest.raises(NonFiniteError, match=r"1-norm is 1e\+20, or a power on the way to it overflows float32"):
        expm(A)


def test_a_promise_that_is_broken_does_not_hide_overflow() -> None:
    with pytest.raises(NonFiniteError, match=r"1-norm is 2e\+03.*overflows float32"):
        expm(2000 * torch.eye(2), norm_bound=1e3)


def test_a_large_norm_without_overflow_is_no_error() -> None:
    assert expm(torch.tensor([[-1e4, 0.0], [0.0, -1e4]])).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_unchecked_nan_goes_through_and_leaves_its_neighbours_alone() -> None:
    A = torch.randn(3, 4, 4)
    broken = A.clone()
    broken[1, 0, 0] = math.nan
    found = expm(broken, check_finite=False)
    assert found[1].isnan().any()
    torch.testing.assert_close(found[[0, 2]], expm(A)[[0, 2]])


def test_unchecked_infinity_gives_nothing_finite_to_mistake_for_a_result() -> None:
    assert not expm(torch.full((2, 2), math.inf), check_finite=False).isfinite().any()


def test_under_vmap_nan_goes_through() -> None:
    assert torch.func.vmap(expm)(torch.full((2, 3, 3), math.nan)).isnan().all()


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.bool])
def test_whole_numbers_are_refused_with_a_conversion(dtype: torch.dtype) -> None:
    with pytest.raises(TypeError, match=rf"got {dtype}\. Convert it first, for example `A\.float\(\)`"):
        expm(torch.zeros(2, 2, dtype=dtype))


@pytest.mark.parametrize("shape", [(), (4,), (3, 4), (2, 4, 3)])
def test_a_matrix_that_is_not_square_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(StructureError, match=r"`A` must be square matrices \(\.\.\., n, n\); got "):
        expm(torch.zeros(shape))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"structure": "symplectic"}, r"`structure` must be one of None, 'hamiltonian'.*got 'symplectic'"),
        ({"memory": "forget"}, r"`memory` must be one of 'save', 'recompute'; got 'forget'"),
        ({"backend": "abacus"}, r"`backend` must be one of 'auto', 'cpu', 'gpu', 'torch'; got 'abacus'"),
        ({"norm_bound": -1.0}, r"`norm_bound` must be a finite number ≥ 0; got -1\.0"),
        ({"norm_bound": math.nan}, r"`norm_bound` must be a finite number ≥ 0; got nan"),
    ],
)
def test_a_misspelt_option_is_refused_with_the_right_spellings(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        expm(torch.zeros(2, 2), **options)
