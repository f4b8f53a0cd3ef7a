"""The compiled entry points: batches of matrices one behind the other, given by the address of the first.

With `rows` = n / 2 matrices are taken for their nearest ones of the form [[P, Q], [−Q, P]], in half the products; with
`rows` = n as they are.

They are compiled when first called, which takes seconds, and the code is kept on disk for the next time.

Note [A room must be seen to be used]
The compiler frees an array after its last mention, and an address is no mention. So each loop over a batch is followed
by one more look at its room.
"""

import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numba import njit

from .expm import (
    A_,
    E_,
    GRADIENT,
    HIGHER,
    LINE,
    SQUARES,
    VALUE,
    bounds_of,
    differentiate,
    exponentiate,
    slot_bytes,
    squarings_under,
)
from .matrices import complex_part, one_norm, scaled, scaled_transpose
from .simd import converted, itemsize, number_at, put_at

HERE = Path(__file__).parent
SOURCES = (*sorted(HERE.glob("*.py")), HERE.parent / "taylor.py", HERE.parent / "thresholds.py")
VERSION = zlib.crc32(b"".join(source.read_bytes() for source in SOURCES))


ZEROS = {torch.float32: np.float32(0), torch.float64: np.float64(0)}


def entry(function: Callable[..., Any]) -> Any:
    # numba keeps code under the name of its function and looks for changes in the file of that function alone.
    function.__qualname__ += f"_{VERSION:08x}"
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # there is no folder to keep code in
        return njit(nogil=True)(function)


@njit
def _room(zero, n, slots):  # type: ignore[no-untyped-def]
    return np.empty(slots * slot_bytes(zero, n) + LINE, np.uint8)


@njit
def _start(room):  # type: ignore[no-untyped-def]
    return (room.ctypes.data + LINE - 1) // LINE * LINE


@njit
def _larger(norm, largest):  # type: ignore[no-untyped-def]
    """The larger one; NaN if one is."""
    return largest if norm <= largest or largest != largest else norm


@njit
def _taken(zero, n, rows, A, slot):  # type: ignore[no-untyped-def]
    """Where what A is taken for stands: `slot`, or A itself."""
    if rows == n:
        return A
    complex_part(zero, n, A, slot)
    return slot


@entry
def exponentials(zero, count, n, rows, A, X, gradient):  # type: ignore[no-untyped-def]
    """X = exp(A) for `count` matrices, by the bounds for a gradient if `gradient` says so.

    Returns the largest ‖A‖₁, NaN if one of them is NaN.
    """
    room = _room(zero, n, SQUARES + 2)
    start, step = _start(room), n * n * itemsize(zero)
    largest = zero
    for i in range(count):
        matrix = _taken(zero, n, rows, A + i * step, start + A_ * slot_bytes(zero, n))
        largest = _larger(one_norm(zero, n, matrix), largest)
        exponentiate(zero, n, rows, matrix, X + i * step, start, GRADIENT if gradient else VALUE, -1, False)
    room[0] = 0  # See Note [A room must be seen to be used]
    return largest


@entry
def rounded_exponentials(small, count, n, rows, A, X, time, single):  # type: ignore[no-untyped-def]
    """X = exp(tA) for `count` matrices of the dtype of `small`, each made in double precision and rounded.

    Those with ‖tA‖₁ ≤ `single` are made in the dtype of `small`, by the bounds for a gradient. Returns 0.
    """
    zero, step = np.float64(0), n * n * itemsize(small)
    slot, most = slot_bytes(zero, n), SQUARES + 2
    room = _room(zero, n, most + 2)
    start = _start(room)
    scaled_one, found = start + most * slot, start + (most + 1) * slot
    for i in range(count):
        source, target = A + i * step, X + i * step
        if abs(time) * one_norm(small, n, source) <= single:
            scaled(type(small)(time), n, source, scaled_one)
            matrix = _taken(small, n, rows, scaled_one, start + A_ * slot_bytes(small, n))
            exponentiate(small, n, rows, matrix, target, start, GRADIENT, -1, False)
        else:
            converted(small, zero, n * n, source, scaled_one)
            scaled(type(zero)(time), n, scaled_one, scaled_one)
            matrix = _taken(zero, n, rows, scaled_one, start + A_ * slot)
            exponentiate(zero, n, rows, matrix, found, start, VALUE, -1, False)
            converted(zero, small, n * n, found, target)
    room[0] = 0  # See Note [A room must be seen to be used]
    return small


@entry
def derivatives(zero, count, n, rows, A, E, L, adjoint):  # type: ignore[no-untyped-def]
    """L = L(A, E), or L(Aᵀ, E) if `adjoint`, for `count` pairs of matrices. Returns 0."""
    step = n * n * itemsize(zero)
    squares = _most_squarings(zero, count, n, A, GRADIENT) + 1
    room = _room(zero, n, SQUARES + squares)
    start = _start(room)
    for i in range(count):
        _derivative(zero, n, rows, A + i * step, E + i * step, L + i * step, start, squares, GRADIENT, adjoint, -1)
    room[0] = 0  # See Note [A room must be seen to be used]
    return zero


@entry
def repeatable_derivatives(zero, count, n, A, E, L, given, squarings):  # type: ignore[no-untyped-def]
    """L = L(A, E) at degree 18 for `count` pairs of matrices. Returns 0.

    `squarings` is the address of int64 (count,): what to use if `given`, else what was used is written there.
    """
    step, place = n * n * itemsize(zero), np.int64(0)
    squares = _most_squarings(zero, count, n, A, HIGHER) + 1
    if given:
        for i in range(count):
            squares = max(squares, number_at(place, squarings, i) + 1)
    room = _room(zero, n, SQUARES + squares)
    start = _start(room)
    for i in range(count):
        times, at = number_at(place, squarings, i) if given else -1, i * step
        times = _derivative(zero, n, n, A + at, E + at, L + at, start, squares, HIGHER, False, times)
        if not given:
            put_at(np.int64(times), squarings, i)
    room[0] = 0  # See Note [A room must be seen to be used]
    return zero


@njit
def _most_squarings(zero, count, n, A, mode):  # type: ignore[no-untyped-def]
    """No matrix is squared more often. What decides are norms of powers, which exceed ‖A‖₁ only by rounding."""
    bounds, most = bounds_of(zero, mode), 0
    for i in range(count):
        norm = one_norm(zero, n, A + i * n * n * itemsize(zero))
        if not math.isfinite(norm):  # though the norms of its powers may be finite: they end at the root of the largest
            norm = type(zero)(2.0**64 if itemsize(zero) == 4 else 2.0**512)
        most = max(most, squarings_under(norm, bounds[5]), squarings_under(min(norm, bounds[6]), bounds[4]))
    return most + 1


@njit
def _derivative(zero, n, rows, A, E, L, room, squares, mode, adjoint, given):  # type: ignore[no-untyped-def]
    """L(A, E) for one pair; returns the squarings. The last of the `squares` slots takes exp(A)."""
    one, slot = type(zero)(1), slot_bytes(zero, n)
    direction, last = room + E_ * slot, room + (SQUARES + squares - 1) * slot
    A, E = _taken(zero, n, rows, A, room + A_ * slot), _taken(zero, n, rows, E, last)
    # exp(Aᵀ + εE) is the transpose of exp(A + εEᵀ), so the adjoint needs no transposed products.
    if adjoint:
        scaled_transpose(one, n, E, direction)
    else:
        scaled(one, n, E, direction)
    degree, times = exponentiate(zero, n, rows, A, last, room, mode, given, True)
    found = differentiate(zero, n, rows, A, direction, room, degree, times)
    if adjoint:
        scaled_transpose(one, n, found, L)
    else:
        scaled(one, n, found, L)
    return times
