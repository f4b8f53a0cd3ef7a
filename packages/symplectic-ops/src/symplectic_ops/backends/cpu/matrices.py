"""Operations on whole n × n matrices, put together from registers; see `simd` for how matrices are given."""

from numba import njit

from .simd import (
    itemsize,
    lanes,
    largest_column_sum,
    number_at,
    put_at,
    scaled_copy,
    tile,
    transposed_block,
)

ROWS = 8  # of a tile: with three registers of columns, 24 sums at once
_one, _two, _three = (tile(ROWS, vectors, masked=False) for vectors in (1, 2, 3))
_one_masked, _two_masked, _three_masked = (tile(ROWS, vectors, masked=True) for vectors in (1, 2, 3))
_single_row = tile(1, 1, masked=True)


@njit
def _sum_of_products(zero, rows, n, X, Y, both, Z, W, D, C):  # type: ignore[no-untyped-def]
    """C = D + X Y + Z W for `rows` rows: strips of up to three registers of columns, in them tiles of rows."""
    wide = min(3, (n + lanes(zero) - 1) // lanes(zero)) if rows >= ROWS else 1
    for column in range(0, n, wide * lanes(zero)):
        left, over = n - column, column * itemsize(zero)
        vectors = min(wide, (left + lanes(zero) - 1) // lanes(zero))
        width = min(left - (vectors - 1) * lanes(zero), lanes(zero))
        y, w, c, d = Y + over, W + over, C + over, D + over if D != 0 else 0
        if rows < ROWS:
            for row in range(rows):
                at = row * n * itemsize(zero)
                _single_row(zero, n, width, X + at, y, both, Z + at, w, d + at if D != 0 else 0, c + at)
        else:
            _strip(zero, rows, n, vectors, width, X, y, both, Z, w, d, c)


@njit
def _strip(zero, rows, n, vectors, width, X, Y, both, Z, W, D, C):  # type: ignore[no-untyped-def]
    """The last rows are done again together with some above them, rather than in smaller tiles: rows ≥ ROWS."""
    full = width == lanes(zero)
    for start in range(0, rows, ROWS):
        at = min(start, rows - ROWS) * n * itemsize(zero)
        d = D + at if D != 0 else 0
        if vectors == 3 and full:
            _three(zero, n, width, X + at, Y, both, Z + at, W, d, C + at)
        elif vectors == 2 and full:
            _two(zero, n, width, X + at, Y, both, Z + at, W, d, C + at)
        elif full:
            _one(zero, n, width, X + at, Y, both, Z + at, W, d, C + at)
        elif vectors == 3:
            _three_masked(zero, n, width, X + at, Y, both, Z + at, W, d, C + at)
        elif vectors == 2:
            _two_masked(zero, n, width, X + at, Y, both, Z + at, W, d, C + at)
        else:
            _one_masked(zero, n, width, X + at, Y, both, Z + at, W, d, C + at)


@njit
def rows_times_matrix(zero, rows, n, X, Y, D, C):  # type: ignore[no-untyped-def]
    """C = D + X Y for X, D and C of `rows` rows, without D where its address is 0. C must not overlap the others."""
    _sum_of_products(zero, rows, n, X, Y, 0, X, Y, D, C)


@njit
def product(zero, n, rows, X, Y, D, C):  # type: ignore[no-untyped-def]
    """C = D + X Y, without D where its address is 0. C must not overlap the others.

    `rows` is n, or n / 2 for matrices of the form [[P, Q], [−Q, P]], whose products have it too.
    """
    _sum_of_products(zero, rows, n, X, Y, 0, X, Y, D, C)
    if rows < n:
        _fill_lower_half(zero, n, C)


@njit
def product_rule(zero, n, rows, dX, Y, X, dY, D, C):  # type: ignore[no-untyped-def]
    """C = D + dX Y + X dY, without D where its address is 0; `rows` as for `product`. C must not overlap the others."""
    _sum_of_products(zero, rows, n, dX, Y, n, X, dY, D, C)
    if rows < n:
        _fill_lower_half(zero, n, C)


@njit
def _fill_lower_half(zero, n, A):  # type: ignore[no-untyped-def]
    """[[P, Q], [−Q, P]] from its upper half, in place."""
    d, one = n // 2, type(zero)(1)
    for row in range(d):
        upper, lower = A + row * n * itemsize(zero), A + (d + row) * n * itemsize(zero)
        half = d * itemsize(zero)
        scaled_copy(one, d, upper, lower + half)
        scaled_copy(-one, d, upper + half, lower)


@njit
def complex_part(zero, n, source, target):  # type: ignore[no-untyped-def]
    """The nearest matrix [[P, Q], [−Q, P]] to `source`."""
    d, half = n // 2, type(zero)(0.5)
    for row in range(d):
        for column in range(d):
            at, below = row * n + column, (d + row) * n + column
            put_at(half * (number_at(zero, source, at) + number_at(zero, source, below + d)), target, at)
            put_at(half * (number_at(zero, source, at + d) - number_at(zero, source, below)), target, at + d)
    _fill_lower_half(zero, n, target)


@njit
def add_to_diagonal(number, n, A):  # type: ignore[no-untyped-def]
    """A + number · I, in place."""
    for i in range(n):
        put_at(number_at(number, A, i * (n + 1)) + number, A, i * (n + 1))


@njit
def one_norm(zero, n, A):  # type: ignore[no-untyped-def]
    """‖A‖₁, the largest column sum of moduli; NaN if A holds one."""
    largest = zero
    for column in range(0, n, lanes(zero)):
        found = largest_column_sum(zero, n, min(lanes(zero), n - column), A + column * itemsize(zero))
        if not found <= largest:
            largest = found
        if largest != largest:
            break
    return largest


@njit
def scaled_transpose(factor, n, source, target):  # type: ignore[no-untyped-def]
    """target = factor · sourceᵀ."""
    step, size = lanes(factor), itemsize(factor)
    for row in range(0, n, step):
        for column in range(0, n, step):
            transposed_block(
                factor,
                n,
                min(step, n - row),
                min(step, n - column),
                source + (row * n + column) * size,
                target + (column * n + row) * size,
            )


@njit
def scaled(factor, n, source, target):  # type: ignore[no-untyped-def]
    """target = factor · source; they may be the same."""
    scaled_copy(factor, n * n, source, target)
