"""exp(A) and its derivative for one matrix: the algorithm of `schedule` and `taylor` of `backends`, compiled.

Each matrix has its own degree here, so that a batch gives what its matrices give alone, to the last bit. A matrix is
worked on in a `room` that stays in the cache: slots of n × n numbers, each beginning on a line of the cache.
"""

import math

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from .. import taylor, thresholds
from .matrices import add_to_diagonal, one_norm, product, product_rule, scaled
from .simd import combination, itemsize

LINE = 64  # bytes

# Slots. The first eight but A⁶ are what the derivative of the polynomial is made of; degree 8 keeps A⁴ in that of A⁶,
# and the derivative uses those of A⁶, LINEAR and TAIL again for its own.
A_, A2_, A3_, A6_, FIRST, SECOND, LEFT, RIGHT, LINEAR, TAIL = range(10)
E_, E2_, E3_, E6_, D_FIRST, D_SECOND, D_LEFT, D_RIGHT = range(10, 18)
SQUARES = 18  # T, T², T⁴, ...: as many as there are squarings, or two in turn where no derivative follows

VALUE, GRADIENT, HIGHER = range(3)  # which bounds to keep; HIGHER allows degree 18 alone
_NEVER = -1.0


def _bounds(dtype: torch.dtype) -> NDArray[np.float64]:
    """By mode: the bounds of degrees 1 to 18, and that of degree 12 when it is squared."""
    return np.array(
        [
            (*thresholds.VALUE[dtype], thresholds.VALUE[dtype][4]),
            (*thresholds.GRADIENT[dtype], thresholds.GRADIENT[dtype][4] * 2 ** thresholds.SQUARINGS_12[dtype]),
            (*[_NEVER] * 5, thresholds.HIGHER[dtype], _NEVER),
        ]
    )


_BOUNDS_32, _BOUNDS_64 = _bounds(torch.float32), _bounds(torch.float64)

_right_of_4 = combination(((1 / 6, 1 / 24),))
_half = combination(((0.5,),))
_first_of_8 = combination((taylor.FIRST_8,))
_rows_of_8 = combination(taylor.ROWS_8)
_rows_of_12 = combination(taylor.ROWS_12)
_rows_of_18 = combination(taylor.ROWS_18)


@njit
def slot_bytes(zero, n):  # type: ignore[no-untyped-def]
    """Bytes from one slot to the next."""
    return (n * n * itemsize(zero) + LINE - 1) // LINE * LINE


@njit
def bounds_of(zero, mode):  # type: ignore[no-untyped-def]
    return _BOUNDS_32[mode] if itemsize(zero) == 4 else _BOUNDS_64[mode]


@njit
def squarings_under(norm, bound):  # type: ignore[no-untyped-def]
    """How often `norm` must be halved to come below `bound`; 0 if it is not finite."""
    if not math.isfinite(norm):
        return 0
    count = 0
    while norm > bound:
        norm *= 0.5
        count += 1
    return count


@njit
def exponentiate(zero, n, rows, A, X, room, mode, given, keep):  # type: ignore[no-untyped-def]
    """X = exp(A). Returns the degree and the squarings, `given` ones if that is not negative.

    `rows` is n, or n / 2 where A is [[P, Q], [−Q, P]]; see `matrices.product`. `keep` keeps all squares for a
    derivative, not only the last two.
    """
    slot = slot_bytes(zero, n)
    degree, squarings = _plan(zero, n, rows, A, room, mode, given)
    if squarings:
        factor = type(zero)(0.5**squarings)
        scaled(factor, n, A, room + A_ * slot)
        A = room + A_ * slot
        if degree >= 12:
            scaled(factor * factor, n, room + A2_ * slot, room + A2_ * slot)
            scaled(factor * factor * factor, n, room + A3_ * slot, room + A3_ * slot)
    power = room + SQUARES * slot if squarings or keep else X
    _polynomial(zero, n, rows, A, power, room, degree)
    for i in range(1, squarings + 1):
        square = X if i == squarings else room + (SQUARES + (i if keep else i % 2)) * slot
        product(zero, n, rows, power, power, 0, square)
        power = square
    return degree, squarings


@njit
def _plan(zero, n, rows, A, room, mode, given):  # type: ignore[no-untyped-def]
    """Degree and squarings for A; degrees 12 and 18 leave A² and A³ in their slots."""
    bounds, slot = bounds_of(zero, mode), slot_bytes(zero, n)
    norm = one_norm(zero, n, A)
    for i in range(4):
        if norm <= bounds[i]:
            return 2**i, 0
    A2, A3 = room + A2_ * slot, room + A3_ * slot
    product(zero, n, rows, A, A, 0, A2)
    product(zero, n, rows, A2, A, 0, A3)
    if given >= 0:
        return 18, given
    if norm <= bounds[4]:
        return 12, 0
    alpha = max(math.sqrt(one_norm(zero, n, A2)), one_norm(zero, n, A3) ** (1 / 3))
    if alpha <= bounds[6]:
        return 12, squarings_under(alpha, bounds[4])
    return 18, squarings_under(alpha, bounds[5])


@njit
def _polynomial(zero, n, rows, A, X, room, degree):  # type: ignore[no-untyped-def]
    """X = T(A), and its factors in their slots."""
    one, slot, count = type(zero)(1), slot_bytes(zero, n), n * n
    A2, A3, A6 = room + A2_ * slot, room + A3_ * slot, room + A6_ * slot
    first, second = room + FIRST * slot, room + SECOND * slot
    left, right = room + LEFT * slot, room + RIGHT * slot
    linear, tail = room + LINEAR * slot, room + TAIL * slot
    if degree == 1:
        scaled(one, n, A, X)
    elif degree == 2:
        _half(zero, count, A, 0, 0, 0, right, 0, 0, 0, 0)
        product(zero, n, rows, A, right, A, X)
    elif degree == 4:
        product(zero, n, rows, A, A, 0, A2)
        _right_of_4(zero, count, A, A2, 0, 0, right, 0, 0, 0, 0)
        add_to_diagonal(type(zero)(0.5), n, right)
        product(zero, n, rows, A2, right, A, X)
    elif degree == 8:
        product(zero, n, rows, A, A, 0, A2)
        _first_of_8(zero, count, A, A2, 0, 0, first, 0, 0, 0, 0)
        product(zero, n, rows, A2, first, 0, A6)
        _rows_of_8(zero, count, A, A2, A6, 0, linear, left, right, 0, 0)
        add_to_diagonal(type(zero)(taylor.RIGHT_CONSTANT_8), n, right)
        product(zero, n, rows, left, right, linear, X)
    elif degree == 12:
        _rows_of_12(zero, count, A, A2, A3, 0, linear, left, tail, first, 0)
        product(zero, n, rows, first, first, tail, right)
        _sum(zero, n, left, right, left)
        add_to_diagonal(type(zero)(taylor.LEFT_CONSTANT_12), n, left)
        product(zero, n, rows, left, right, linear, X)
    else:
        product(zero, n, rows, A3, A3, 0, A6)
        _rows_of_18(zero, count, A, A2, A3, A6, linear, left, tail, first, second)
        product(zero, n, rows, first, second, tail, right)
        _sum(zero, n, left, right, left)
        add_to_diagonal(type(zero)(taylor.LEFT_CONSTANT_18), n, left)
        product(zero, n, rows, left, right, linear, X)
    add_to_diagonal(one, n, X)


_add = combination(((1.0, 1.0),))


@njit
def _sum(zero, n, X, Y, target):  # type: ignore[no-untyped-def]
    _add(zero, n * n, X, Y, 0, 0, target, 0, 0, 0, 0)


@njit
def differentiate(zero, n, rows, A, E, room, degree, squarings):  # type: ignore[no-untyped-def]
    """The derivative of exp at A in the direction in slot E_, from what `exponentiate` left in `room`.

    Returns where it is.
    """
    slot = slot_bytes(zero, n)
    if squarings:
        A = room + A_ * slot
        scaled(type(zero)(0.5**squarings), n, E, E)
    # Two slots that the polynomial does not need once it is done.
    L, other = room + LINEAR * slot, room + E2_ * slot
    _derivative_of_polynomial(zero, n, rows, A, E, L, room, degree)
    for i in range(squarings):
        power = room + (SQUARES + i) * slot
        product_rule(zero, n, rows, L, power, power, L, 0, other)
        L, other = other, L
    return L


@njit
def _derivative_of_polynomial(zero, n, rows, A, E, L, room, degree):  # type: ignore[no-untyped-def]
    """L = dT(A)[E], from the factors of T(A); see `taylor.derivative`."""
    slot, count = slot_bytes(zero, n), n * n
    A2, A3 = room + A2_ * slot, room + A3_ * slot
    first, second = room + FIRST * slot, room + SECOND * slot
    left, right = room + LEFT * slot, room + RIGHT * slot
    E2, E3, E6 = room + E2_ * slot, room + E3_ * slot, room + E6_ * slot
    d_first, d_second = room + D_FIRST * slot, room + D_SECOND * slot
    d_left, d_right = room + D_LEFT * slot, room + D_RIGHT * slot
    d_linear, d_tail = room + A6_ * slot, room + TAIL * slot
    if degree == 1:
        scaled(type(zero)(1), n, E, L)
        return
    if degree == 2:
        _half(zero, count, E, 0, 0, 0, d_right, 0, 0, 0, 0)
        product_rule(zero, n, rows, d_right, A, A, d_right, E, L)
        return
    product_rule(zero, n, rows, E, A, A, E, 0, E2)
    if degree == 4:
        _right_of_4(zero, count, E, E2, 0, 0, d_right, 0, 0, 0, 0)
        product_rule(zero, n, rows, E2, right, A2, d_right, E, L)
        return
    if degree == 8:
        _first_of_8(zero, count, E, E2, 0, 0, d_first, 0, 0, 0, 0)
        product_rule(zero, n, rows, E2, first, A2, d_first, 0, E6)
        _rows_of_8(zero, count, E, E2, E6, 0, d_linear, d_left, d_right, 0, 0)
    else:
        product_rule(zero, n, rows, E2, A, A2, E, 0, E3)
        if degree == 12:
            _rows_of_12(zero, count, E, E2, E3, 0, d_linear, d_left, d_tail, d_first, 0)
            product_rule(zero, n, rows, d_first, first, first, d_first, d_tail, d_right)
        else:
            product_rule(zero, n, rows, E3, A3, A3, E3, 0, E6)
            _rows_of_18(zero, count, E, E2, E3, E6, d_linear, d_left, d_tail, d_first, d_second)
            product_rule(zero, n, rows, d_first, second, first, d_second, d_tail, d_right)
        _sum(zero, n, d_left, d_right, d_left)
    product_rule(zero, n, rows, d_left, right, left, d_right, d_linear, L)
