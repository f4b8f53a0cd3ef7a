"""Launching what was compiled: how matrices are laid out on a GPU, and addresses and strides for the kernels."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .. import taylor, thresholds


class Shape(NamedTuple):
    """How matrices up to `size` are laid out: `pack` for each program, which has this many warps."""

    size: int
    pack: int
    warps: int


# Chosen by instructions and spilled registers, see benchmarks/gpu/ahead_of_time.py; never by time so far.
SHAPES = {
    ("exponentials", torch.float32): (Shape(8, 4, 1), Shape(16, 1, 1), Shape(32, 1, 4)),
    ("exponentials", torch.float64): (Shape(8, 4, 2), Shape(16, 1, 2), Shape(32, 1, 4)),
    ("derivatives", torch.float32): (Shape(8, 4, 1), Shape(16, 1, 2), Shape(32, 1, 8)),
    ("derivatives", torch.float64): (Shape(8, 4, 2), Shape(16, 1, 2), Shape(32, 1, 4)),
}
# The rows and the constant of the polynomial, and the place of its bound in the tables of thresholds.
POLYNOMIALS = {
    torch.float32: (taylor.ROWS_12, taylor.LEFT_CONSTANT_12, thresholds.DEGREES.index(12)),
    torch.float64: (taylor.ROWS_18, taylor.LEFT_CONSTANT_18, thresholds.DEGREES.index(18)),
}
ROWS = 16  # of a batch of states, for each program of a recurrence
WARPS = {8: 1, 16: 1, 32: 2}  # by the size of the matrices that states are moved by


def launch(kernels: Any, name: str, given: tuple[Tensor, ...], out: Tensor, bounds: thresholds.Bounds) -> None:
    """Fill `out` (B, n, n) by a kernel of this name, from what is given alike."""
    count, n, _ = out.shape
    shape = next(shape for shape in SHAPES[name, out.dtype] if n <= shape.size)
    rows, constant, place = POLYNOMIALS[out.dtype]
    strided = [argument for x in given for argument in (x, *x.stride())]
    with torch.cuda.device_of(out):  # type: ignore[no-untyped-call]  # which is not always the current one
        getattr(kernels, name)[(-(-count // shape.pack),)](
            *strided,
            out,
            count,
            n,
            math.log2(bounds[out.dtype][place]),
            ROWS=rows,
            LEFT_CONSTANT=constant,
            SIZE=shape.size,
            PACK=shape.pack,
            num_warps=shape.warps,
        )


def recurrence(P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
    """See `Backend.recurrence`."""
    from .recurrence import recurrences

    P, u = P.resolve_neg(), u.resolve_neg()  # a kernel reads memory as it is
    b, _, k, n = u.shape
    y = torch.empty(b, length, k, n, dtype=u.dtype, device=u.device)
    size = next(size for size in WARPS if n <= size)
    at, sign = (-1, -1) if backward else (0, 1)
    with torch.cuda.device_of(y):  # type: ignore[no-untyped-call]
        recurrences[grid(b, k)](
            P,
            *P.stride(),
            u[:, at],
            u.stride(0),
            sign * u.stride(1),
            *u.stride()[2:],
            y[:, at],
            y.stride(0),
            sign * y.stride(1),
            b,
            k,
            n,
            length,
            ADDED=u.shape[1] > 1,
            SIZE=size,
            ROWS=ROWS,
            num_warps=WARPS[size],
        )
    return y


def grid(b: int, k: int) -> tuple[int]:
    """Programs for b states of k blocks, along the one axis of a grid that may have more than 65535."""
    return (-(-b // ROWS) * k,)
