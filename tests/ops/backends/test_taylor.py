"""The polynomials behind the exponential, read off the exponential itself and checked again from scratch.

On the n × n shift N (ones above the diagonal) every polynomial p gives p(xN) with the coefficient p_k x^k in column k
of its first row, so the coefficients and the degree can be seen from outside.
"""

import functools
from fractions import Fraction
from math import factorial

import mpmath
import pytest
import torch
from torch import Tensor

from symplectic_ops import expm
from symplectic_ops.backends import taylor, thresholds
from symplectic_ops.backends.schedule import plan

pytestmark = pytest.mark.usefixtures("either_way")

DTYPES = [torch.float32, torch.float64]
DEGREES = (1, 2, 4, 8, 12, 18)
OVER = 1 + 2e-6  # the bounds are written with seven digits, rounded down
UNIT_ROUNDOFF = {torch.float32: mpmath.mpf(2) ** -24, torch.float64: mpmath.mpf(2) ** -53}


def first_row(norm: float, dtype: torch.dtype, *, gradient: bool = False) -> Tensor:
    """The first row of exp(norm · N): 1, p₁ norm, p₂ norm², ..."""
    size = 42
    A = norm * torch.diag(torch.ones(size - 1, dtype=dtype), 1)
    return expm(A.requires_grad_(gradient))[0].detach()


def degree_seen(norm: float, dtype: torch.dtype, *, gradient: bool = False) -> int:
    return int(first_row(norm, dtype, gradient=gradient).nonzero().max())


@pytest.mark.parametrize("degree", DEGREES)
def test_each_polynomial_is_the_taylor_polynomial_of_its_degree(degree: int) -> None:
    norm = thresholds.VALUE[torch.float64][DEGREES.index(degree)]
    row = first_row(norm, torch.float64)
    for k in range(degree + 1):
        assert float(row[k]) == pytest.approx(norm**k / factorial(k), rel=4e-14)
    assert not row[degree + 1 :].any()


@pytest.mark.parametrize("degree", DEGREES)
def test_each_polynomial_of_the_zero_matrix_is_the_identity_exactly(degree: int) -> None:
    zero = torch.zeros(1, 4, 4)
    assert torch.equal(taylor.polynomial(degree, (zero,) * (3 if degree >= 12 else 1))[0][0], torch.eye(4))


def test_the_written_coefficients_expand_to_the_reciprocal_factorials() -> None:
    """In exact arithmetic on the rounded numbers: what is left is their rounding."""
    for rows, constant, powers in (
        (taylor.ROWS_12, taylor.LEFT_CONSTANT_12, (1, 2, 3)),
        (taylor.ROWS_18, taylor.LEFT_CONSTANT_18, (1, 2, 3, 6)),
    ):
        linear, left, tail, first, *second = (
            {k: Fraction(c) for k, c in zip(powers, row, strict=True)} for row in rows
        )
        right = _plus(tail, _times(first, second[0] if second else first))
        left = _plus({0: Fraction(constant)}, _plus(left, right))
        whole = _plus({0: Fraction(1)}, _plus(linear, _times(left, right)))
        degree = max(k for k, c in whole.items() if c)
        assert degree in (12, 18)
        for k in range(degree + 1):
            assert abs(whole[k] * factorial(k) - 1) < Fraction(1, 10**15)


def _plus(p: dict[int, Fraction], q: dict[int, Fraction]) -> dict[int, Fraction]:
    return {k: p.get(k, Fraction(0)) + q.get(k, Fraction(0)) for k in p.keys() | q.keys()}


def _times(p: dict[int, Fraction], q: dict[int, Fraction]) -> dict[int, Fraction]:
    product: dict[int, Fraction] = {}
    for i, a in p.items():
        for j, b in q.items():
            product[i + j] = product.get(i + j, Fraction(0)) + a * b
    return product


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("degree", DEGREES)
def test_the_bounds_are_the_largest_with_a_backward_error_of_one_rounding(degree: int, dtype: torch.dtype) -> None:
    for order, table in enumerate((thresholds.VALUE, thresholds.GRADIENT)):
        bound = table[dtype][DEGREES.index(degree)]
        assert (
            backward_error(degree, order, bound) <= UNIT_ROUNDOFF[dtype] < backward_error(degree, order, bound * OVER)
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bound_for_higher_derivatives_is_that_of_the_third(dtype: torch.dtype) -> None:
    bound = thresholds.HIGHER[dtype]
    assert backward_error(18, 3, bound) <= UNIT_ROUNDOFF[dtype] < backward_error(18, 3, bound * OVER)


@functools.cache
def backward_series(degree: int) -> dict[int, mpmath.mpf]:
    """The coefficients of log(e⁻ˣ T(x)) with 40 digits, T the Taylor polynomial; those up to `degree` are zero."""
    with mpmath.workdps(40):
        # The derivative is T′/T − 1 = −(x^m / m!) / T, so the series of 1/T gives all.
        length = 60
        T = [1 / mpmath.factorial(k) if k <= degree else mpmath.mpf(0) for k in range(length)]
        inverse = [mpmath.mpf(1)]
        for k in range(1, length):
            inverse.append(-mpmath.fsum(T[j] * inverse[k - j] for j in range(1, min(k, degree) + 1)))
        return {k + 1: -inverse[k - degree] / mpmath.factorial(degree) / (k + 1) for k in range(degree, length)}


def backward_error(degree: int, order: int, x: float) -> mpmath.mpf:
    """Σ k!/(k−order)! |c_k| x^(k−max(order, 1)) with c_k the backward series."""
    c = backward_series(degree)
    with mpmath.workdps(40):
        return mpmath.fsum(mpmath.ff(k, order) * abs(c[k]) * mpmath.mpf(x) ** (k - max(order, 1)) for k in c)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gradient", [False, True], ids=["value", "gradient"])
def test_the_degree_changes_exactly_at_each_bound(gradient: bool, dtype: torch.dtype) -> None:
    table = (thresholds.GRADIENT if gradient else thresholds.VALUE)[dtype]
    for bound, degree, above in zip(table[:5], DEGREES, (2, 4, 8, 12, 18), strict=False):
        assert degree_seen(bound * (1 - 1e-5), dtype, gradient=gradient) == degree
        squared = degree == 12 and gradient and dtype == torch.float32
        assert degree_seen(bound * (1 + 1e-5), dtype, gradient=gradient) == (24 if squared else above)


@pytest.mark.parametrize(("dtype", "gradient"), [(torch.float32, False), (torch.float64, False), (torch.float64, True)])
def test_degree_18_is_squared_beyond_its_bound(gradient: bool, dtype: torch.dtype) -> None:
    bound = (thresholds.GRADIENT if gradient else thresholds.VALUE)[dtype][-1]
    assert degree_seen(bound * (1 - 1e-5), dtype, gradient=gradient) == 18
    assert degree_seen(bound * (1 + 1e-5), dtype, gradient=gradient) == 36


def test_a_float32_gradient_squares_degree_12_twice_before_it_takes_degree_18() -> None:
    bound = 4 * thresholds.GRADIENT[torch.float32][4]
    for norm, degree in ((bound, 12), (1.01 * bound, 18)):
        assert plan(norm * torch.eye(2)[None], norm, gradient=True, measured=True)[1].degree == degree


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gradient", [False, True], ids=["value", "gradient"])
def test_the_value_is_accurate_on_both_sides_of_each_bound(gradient: bool, dtype: torch.dtype) -> None:
    for bound in (thresholds.GRADIENT if gradient else thresholds.VALUE)[dtype]:
        for norm in (bound * (1 - 1e-5), bound * (1 + 1e-5)):
            row = first_row(norm, dtype, gradient=gradient).double()
            exact = torch.tensor([norm**k / factorial(k) for k in range(len(row))], dtype=torch.float64)
            assert (row - exact).abs().sum() <= 8 * torch.finfo(dtype).eps * exact.sum()


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_more_squarings_than_the_norm_asks_for(dtype: torch.dtype) -> None:
    bound = thresholds.VALUE[dtype][-1]
    norms = bound * torch.tensor([0.0, 0.5, 1.0, 1.01, 2.0, 2.01, 1024.0], dtype=dtype)
    assert thresholds.squarings_for(norms, bound).tolist() == [0, 0, 0, 1, 1, 2, 10]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("degree", [12, 18])
@pytest.mark.parametrize("kind", ["graded", "one corner", "turning beside nilpotent"])
def test_squarings_for_a_gradient_by_alpha_are_a_heuristic_that_holds_far_from_normal(
    kind: str, degree: int, seed: int, dtype: torch.dtype
) -> None:
    """No theorem bounds A E A^(k−2) by α₂^k ‖E‖; here the truncation alone, seen in exact arithmetic, stays below u."""
    A = far_from_normal(kind, seed)
    A = (A / alpha(A) * 0.9999 * thresholds.GRADIENT[dtype][DEGREES.index(degree)] * 2**seed).to(dtype)
    norm = thresholds.one_norm(A)
    _, chosen = plan(A[None], float(norm), gradient=True, measured=True)
    bound = thresholds.GRADIENT[dtype][DEGREES.index(chosen.degree)]
    assert len(chosen.counts) < int(thresholds.squarings_for(norm, bound))  # which the theorem would ask for
    E = torch.randn(4, 4, dtype=torch.float64)
    with mpmath.workdps(50):
        whole = mpmath.matrix(torch.cat([torch.cat([A, E], 1), torch.cat([torch.zeros_like(A), A], 1)]).tolist())
        exact = mpmath.expm(whole)[:4, 4:]
        found = mpmath.eye(8)
        for k in range(chosen.degree, 0, -1):
            found = mpmath.eye(8) + whole * found / (k * 2 ** len(chosen.counts))
        for _ in chosen.counts:
            found = found * found
        error = mpmath.mnorm(found[:4, 4:] - exact, "f") / mpmath.mnorm(exact, "f")
    assert error <= UNIT_ROUNDOFF[dtype]


def far_from_normal(kind: str, seed: int) -> Tensor:
    """A (4, 4) whose powers are much smaller than those of its norm."""
    A = torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    if kind == "graded":
        scales = torch.logspace(0, 3 + seed, 4, dtype=torch.float64)
        return A * scales / scales[:, None]
    if kind == "one corner":
        return torch.diag(A.diag()) + torch.diag(torch.tensor([1e6]), 3)
    turn, nilpotent = torch.tensor([[0.0, 1.0], [-1.0, 0.0]]), torch.tensor([[0.0, 10.0 ** (3 + seed)], [0.0, 0.0]])
    return torch.block_diag(turn, nilpotent).double()


def alpha(A: Tensor) -> Tensor:
    A2 = A @ A
    return thresholds.power_norm(A, A2, A2 @ A)
