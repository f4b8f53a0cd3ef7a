"""exp(A) and its derivative, each in one kernel: a matrix stays on the chip from its first number to its last.

All is `schedule` and `taylor` of `backends` at one degree for each dtype. In float32 that is 12: degree 18 has one
product more and spares one squaring, which comes to the same. In float64 it is 18. Both polynomials have one form, so
that the only thing the numbers decide is how often each matrix is squared, and that is read where it is computed.

Matrices are (SIZE, SIZE), padded with zeros, one for each program, or (PACK, SIZE, SIZE). A padded exponential is that
of the matrix beside an identity, of which nothing is stored.
"""

import triton
import triton.language as tl


@triton.jit
def _product(X, Y, D):  # type: ignore[no-untyped-def]
    """D + X Y, no number shortened on the way."""
    return tl.dot(X, Y, acc=D, input_precision="ieee", out_dtype=X.dtype)


@triton.jit
def _product_rule(dX, Y, X, dY, D):  # type: ignore[no-untyped-def]
    """D + dX Y + X dY."""
    return _product(X, dY, _product(dX, Y, D))


@triton.jit
def _combine(row: tl.constexpr, A, A2, A3, A6):  # type: ignore[no-untyped-def]
    """A row of coefficients applied to the powers; A⁶ only where it has four."""
    combined = row[0] * A + row[1] * A2 + row[2] * A3
    if len(row) == 4:
        combined += row[3] * A6
    return combined


@triton.jit
def _log2_norm(A):  # type: ignore[no-untyped-def]
    """log₂ ‖A‖₁ of each matrix, float32: hugely negative for zero, ∞ where it is infinite."""
    norm = tl.max(tl.sum(tl.abs(A), -2, keep_dims=True), -1, keep_dims=True)
    if A.dtype == tl.float32:
        return tl.log2(tl.maximum(norm, 1e-37))  # smaller numbers would be taken for float64
    else:  # a logarithm in float64 would take as long as a product
        bits = norm.to(tl.int64, bitcast=True)
        fraction = ((bits & ((1 << 52) - 1)) | (1023 << 52)).to(tl.float64, bitcast=True)
        return tl.where(norm < float("inf"), (bits >> 52) - 1023 + tl.log2(fraction.to(tl.float32)), float("inf"))


@triton.jit
def _squarings(A2, A3, log2_bound):  # type: ignore[no-untyped-def]
    """How often α₂ must be halved to come below the bound: int32; 0 where it is not finite."""
    halvings = tl.ceil(tl.maximum(_log2_norm(A2) / 2, _log2_norm(A3) / 3) - log2_bound)
    return tl.where((halvings > 0) & (halvings < 1023), halvings, 0).to(tl.int32)


@triton.jit
def _halved(dtype: tl.constexpr, squarings):  # type: ignore[no-untyped-def]
    """2^−squarings, from its bits: no approximation of a power is good enough to scale with."""
    if dtype == tl.float32:
        return ((127 - squarings) << 23).to(tl.float32, bitcast=True)
    else:
        return ((1023 - squarings.to(tl.int64)) << 52).to(tl.float64, bitcast=True)


@triton.jit
def _places(count, n, SIZE: tl.constexpr, PACK: tl.constexpr):  # type: ignore[no-untyped-def]
    """Matrix, row and column of each number of this program, and whether there is one."""
    row, column = tl.arange(0, SIZE)[:, None].to(tl.int64), tl.arange(0, SIZE)[None, :].to(tl.int64)
    matrix, inside = tl.program_id(0).to(tl.int64), (row < n) & (column < n)
    if PACK > 1:
        matrix = matrix * PACK + tl.arange(0, PACK)[:, None, None]
        inside = inside & (matrix < count)
    return matrix, row, column, inside


@triton.jit
def _loaded(A, batch_step, row_step, column_step, matrix, row, column, inside):  # type: ignore[no-untyped-def]
    return tl.load(A + matrix * batch_step + row * row_step + column * column_step, mask=inside, other=0.0)


@triton.jit
def exponentials(  # type: ignore[no-untyped-def]
    A,
    batch_step,
    row_step,
    column_step,
    X,
    count,
    n,
    log2_bound,
    ROWS: tl.constexpr,
    LEFT_CONSTANT: tl.constexpr,
    SIZE: tl.constexpr,
    PACK: tl.constexpr,
):
    """X = exp(A) of `count` matrices n × n. A has any strides, X is contiguous."""
    matrix, row, column, inside = _places(count, n, SIZE, PACK)
    A1 = _loaded(A, batch_step, row_step, column_step, matrix, row, column, inside)
    zero, identity = tl.zeros_like(A1), (row == column).to(A1.dtype)

    A2 = _product(A1, A1, zero)
    A3 = _product(A2, A1, zero)
    squarings = _squarings(A2, A3, log2_bound)
    scale = _halved(A1.dtype, squarings)
    A1, A2, A3 = A1 * scale, A2 * (scale * scale), A3 * (scale * scale * scale)
    A6 = _product(A3, A3, zero) if len(ROWS[0]) == 4 else zero

    first = _combine(ROWS[3], A1, A2, A3, A6)
    second = _combine(ROWS[len(ROWS) - 1], A1, A2, A3, A6)
    right = _product(first, second, _combine(ROWS[2], A1, A2, A3, A6))
    left = _combine(ROWS[1], A1, A2, A3, A6) + right + LEFT_CONSTANT * identity
    T = _product(left, right, _combine(ROWS[0], A1, A2, A3, A6)) + identity

    for i in range(tl.max(squarings)):
        square = _product(T, T, zero)
        T = tl.where(i < squarings, square, T)
    tl.store(X + matrix * n * n + row * n + column, T, mask=inside)


@triton.jit
def derivatives(  # type: ignore[no-untyped-def]
    A,
    batch_step,
    row_step,
    column_step,
    E,
    E_batch_step,
    E_row_step,
    E_column_step,
    L,
    count,
    n,
    log2_bound,
    ROWS: tl.constexpr,
    LEFT_CONSTANT: tl.constexpr,
    SIZE: tl.constexpr,
    PACK: tl.constexpr,
):
    """L = L(A, E) of `count` pairs: every line of `exponentials`, and its derivative beside it."""
    matrix, row, column, inside = _places(count, n, SIZE, PACK)
    A1 = _loaded(A, batch_step, row_step, column_step, matrix, row, column, inside)
    E1 = _loaded(E, E_batch_step, E_row_step, E_column_step, matrix, row, column, inside)
    zero, identity = tl.zeros_like(A1), (row == column).to(A1.dtype)

    A2 = _product(A1, A1, zero)
    A3 = _product(A2, A1, zero)
    squarings = _squarings(A2, A3, log2_bound)
    scale = _halved(A1.dtype, squarings)
    A1, A2, A3, E1 = A1 * scale, A2 * (scale * scale), A3 * (scale * scale * scale), E1 * scale
    E2 = _product_rule(E1, A1, A1, E1, zero)
    E3 = _product_rule(E2, A1, A2, E1, zero)
    A6 = _product(A3, A3, zero) if len(ROWS[0]) == 4 else zero
    E6 = _product_rule(E3, A3, A3, E3, zero) if len(ROWS[0]) == 4 else zero

    first, d_first = _combine(ROWS[3], A1, A2, A3, A6), _combine(ROWS[3], E1, E2, E3, E6)
    second, d_second = _combine(ROWS[len(ROWS) - 1], A1, A2, A3, A6), _combine(ROWS[len(ROWS) - 1], E1, E2, E3, E6)
    right = _product(first, second, _combine(ROWS[2], A1, A2, A3, A6))
    d_right = _product_rule(d_first, second, first, d_second, _combine(ROWS[2], E1, E2, E3, E6))
    left = _combine(ROWS[1], A1, A2, A3, A6) + right + LEFT_CONSTANT * identity
    d_left = _combine(ROWS[1], E1, E2, E3, E6) + d_right
    T = _product(left, right, _combine(ROWS[0], A1, A2, A3, A6)) + identity
    d_T = _product_rule(d_left, right, left, d_right, _combine(ROWS[0], E1, E2, E3, E6))

    for i in range(tl.max(squarings)):
        d_square = _product_rule(d_T, T, T, d_T, zero)
        square = _product(T, T, zero)
        T, d_T = tl.where(i < squarings, square, T), tl.where(i < squarings, d_square, d_T)
    tl.store(L + matrix * n * n + row * n + column, d_T, mask=inside)
