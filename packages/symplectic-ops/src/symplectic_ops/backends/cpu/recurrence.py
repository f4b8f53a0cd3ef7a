"""One matrix applied to a batch of states again and again, compiled: the steps of a flow over an even grid of times.

States are rows, one behind the other. They may be kept in a narrower dtype than they are moved in: then what moves on
is not what was rounded for keeping.
"""

import numpy as np

from .batch import entry
from .expm import LINE, slot_bytes
from .matrices import rows_times_matrix, scaled_transpose
from .simd import converted, itemsize, scaled_copy, zero_if_finite


@entry
def recurrences(zero, blocks, n, rows, steps, M, states, apart, hop, addends):  # type: ignore[no-untyped-def]
    """State i + 1 = state i · M (+ addend i + 1) for each of `blocks` blocks; M and states have the dtype of `zero`.

    State i of block k, `rows` rows of n numbers, is at states + k apart + i hop bytes, and the first is given. Addends
    are where states are, 0 for none. Returns 0.
    """
    for k in range(blocks):
        matrix, state = M + k * n * n * itemsize(zero), states + k * apart
        addend = addends + k * apart if addends != 0 else 0
        for _ in range(steps):
            addend += hop if addends != 0 else 0
            rows_times_matrix(zero, rows, n, state, matrix, addend, state + hop)
            state += hop
    return zero


@entry
def recurrences_wide(zero, small, blocks, n, rows, steps, M, states, apart, hop, addends):  # type: ignore[no-untyped-def]
    """`recurrences` in the dtype of `zero`, that of M, with states and addends kept in the narrower one of `small`."""
    count = rows * n
    size = (count * itemsize(zero) + LINE - 1) // LINE * LINE
    room = np.empty(3 * size + LINE, np.uint8)
    now = (room.ctypes.data + LINE - 1) // LINE * LINE
    later, extra = now + size, now + 2 * size
    for k in range(blocks):
        matrix, state = M + k * n * n * itemsize(zero), states + k * apart
        addend = addends + k * apart if addends != 0 else 0
        converted(small, zero, count, state, now)
        for _ in range(steps):
            state += hop
            if addends != 0:
                addend += hop
                converted(small, zero, count, addend, extra)
            rows_times_matrix(zero, rows, n, now, matrix, extra if addends != 0 else 0, later)
            converted(zero, small, count, later, state)
            now, later = later, now
    room[0] = 0  # See Note [A room must be seen to be used] in `batch`
    return zero


@entry
def follow(zero, small, wide, blocks, n, rows, given, below, start, M, states, apart, hop, length):  # type: ignore[no-untyped-def]
    """Fill `length` states of each of `blocks` blocks: given · startᵀ, and from there on each the one before times Mᵀ.

    Given and states have the dtype of `small`; states move in it, or if `wide` in that of `zero`, which `start` has, 0
    for none. M has the dtype they move in. Given are `rows` rows of n numbers for each block, `below` bytes from one to
    the next, and those of the next block beside them; states are as in `recurrences`.

    Returns 0 if all states are finite, else NaN.
    """
    count, square, found = rows * n, n * n, small
    size = (count * itemsize(zero) + LINE - 1) // LINE * LINE
    slot = slot_bytes(zero, n)
    room = np.empty(2 * size + slot + LINE, np.uint8)
    matrix = (room.ctypes.data + LINE - 1) // LINE * LINE
    now, later = matrix + slot, matrix + slot + size
    for k in range(blocks):
        state = states + k * apart
        for row in range(rows):
            at = row * n * itemsize(small)
            scaled_copy(type(small)(1), n, given + row * below + k * n * itemsize(small), state + at)
        if wide or start != 0:
            converted(small, zero, count, state, now)
        if start != 0:
            scaled_transpose(type(zero)(1), n, start + k * square * itemsize(zero), matrix)
            rows_times_matrix(zero, rows, n, now, matrix, 0, later)
            now, later = later, now
            converted(zero, small, count, now, state)
        found += zero_if_finite(small, count, state)
        if length > 1 and wide:
            scaled_transpose(type(zero)(1), n, M + k * square * itemsize(zero), matrix)
        elif length > 1:
            scaled_transpose(type(small)(1), n, M + k * square * itemsize(small), matrix)
        for _ in range(1, length):
            if wide:
                rows_times_matrix(zero, rows, n, now, matrix, 0, later)
                now, later = later, now
                converted(zero, small, count, now, state + hop)
                found += zero_if_finite(small, count, state + hop)
            else:
                rows_times_matrix(small, rows, n, state, matrix, 0, state + hop)
            state += hop
        found += zero_if_finite(small, count, state)  # in one dtype no state is finite after one that is not
    room[0] = 0  # See Note [A room must be seen to be used] in `batch`
    return found
