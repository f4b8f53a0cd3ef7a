"""A linear recurrence in one kernel: the states of a tile of the batch stay on the chip until the last step."""

import triton
import triton.language as tl


@triton.jit
def recurrences(  # type: ignore[no-untyped-def]
    P,
    P_block_step,
    P_row_step,
    P_column_step,
    u,
    u_batch_step,
    u_time_step,
    u_block_step,
    u_column_step,
    y,
    y_batch_step,
    y_time_step,
    count,
    blocks,
    n,
    length,
    ADDED: tl.constexpr,
    SIZE: tl.constexpr,
    ROWS: tl.constexpr,
):
    """y₀ = u₀, y_t = P y_{t−1}, and + u_t if ADDED, for `length` times, ROWS of the batch and one block.

    Steps in time may be negative, where u and y begin at their last time. The arithmetic is that of P, and y is rounded
    when it is stored. y is contiguous but for its times.
    """
    program = tl.program_id(0).to(tl.int64)  # as wide as offsets into memory
    block, tile = program % blocks, program // blocks
    member = tile * ROWS + tl.arange(0, ROWS)[:, None].to(tl.int64)
    row, column = tl.arange(0, SIZE)[:, None].to(tl.int64), tl.arange(0, SIZE)[None, :].to(tl.int64)
    transposed = tl.load(
        P + block * P_block_step + column * P_row_step + row * P_column_step, mask=(row < n) & (column < n), other=0.0
    )
    inside = (member < count) & (column < n)
    u += member * u_batch_step + block * u_block_step + column * u_column_step
    y += member * y_batch_step + block * n + column
    state = tl.load(u, mask=inside, other=0.0)
    tl.store(y, state, mask=inside)
    state = state.to(transposed.dtype)
    for _ in range(1, length):
        y += y_time_step
        if ADDED:
            u += u_time_step
            added = tl.load(u, mask=inside, other=0.0).to(state.dtype)
        else:
            added = tl.zeros_like(state)
        state = tl.dot(state, transposed, acc=added, input_precision="ieee", out_dtype=state.dtype)
        tl.store(y, state.to(y.dtype.element_ty), mask=inside)
