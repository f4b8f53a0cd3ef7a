"""The fused way: real matrices up to 32 × 32 on a GPU, where Triton 3.8 or newer is installed.

One launch takes a batch through the whole algorithm, each matrix on the chip from beginning to end; nothing is read by
the host, so that a graph of CUDA kernels can record it, once it was used alike. Nothing is kept for the gradient.
"""

import math
import re
import warnings
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..._torch import unwatched
from .. import taylor, thresholds

DEVICE = "cuda"  # the tests say "cpu", where Triton interprets its kernels
LARGEST = 32
_DTYPES = (torch.float32, torch.float64)


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
_FOUND: dict[torch.device, Any] = {}  # what each device was found to run


def suits(A: Tensor) -> bool:
    """Whether A (B, n, n) can go this way."""
    return (
        A.device.type == DEVICE
        and A.dtype in _DTYPES
        and A.shape[-1] <= LARGEST
        and unwatched(A)
        and _kernels(A.device) is not None
    )


def suit(A: Tensor, E: Tensor) -> bool:
    """Whether both can, together."""
    return suits(A) and suits(E) and A.shape == E.shape and A.dtype == E.dtype and A.device == E.device


def exponential(A: Tensor, *, gradient: bool) -> Tensor:
    """exp(A) of A (B, n, n), as accurate as a gradient needs it if `gradient`. NaN and overflow go through."""
    X = torch.empty(A.shape, dtype=A.dtype, device=A.device)
    bounds = thresholds.GRADIENT if gradient else thresholds.VALUE
    _launch(_kernels(A.device), "exponentials", (A.resolve_neg(),), X, bounds)
    return X


def derivative(A: Tensor, E: Tensor, *, adjoint: bool = False) -> Tensor:
    """L(A, E), or L(Aᵀ, E) if `adjoint`, of A and E (B, n, n)."""
    A, E = A.resolve_neg(), E.resolve_neg()
    L = torch.empty(A.shape, dtype=A.dtype, device=A.device)
    _launch(_kernels(A.device), "derivatives", (A.mT if adjoint else A, E), L, thresholds.GRADIENT)
    return L


def _launch(kernels: Any, name: str, given: tuple[Tensor, ...], out: Tensor, bounds: thresholds.Bounds) -> None:
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


def triton_is_here() -> bool:
    """Whether Triton is installed, new enough to multiply matrices of 8 rows."""
    try:
        import triton
    except ImportError:
        return False
    numbers = re.match(r"(\d+)\.(\d+)", triton.__version__)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= (3, 8)


def _kernels(device: torch.device) -> Any:
    """The kernels, or None where there is no Triton, or it cannot make code for this device, or cannot be asked now.

    One small launch decides for a device once and for all: not while a graph is recorded, which a first launch would
    break, and not where memory is short, which says nothing about Triton.
    """
    if device in _FOUND:
        return _FOUND[device]
    if device.type == "cuda" and torch.cuda.is_current_stream_capturing():
        return None
    try:
        _FOUND[device] = _tried(device)
    except torch.OutOfMemoryError:
        return None
    return _FOUND[device]


def _tried(device: torch.device) -> Any:
    """The kernels after a first launch, or None with a warning that says why not."""
    try:
        if not triton_is_here():
            return None
        from . import expm as kernels

        A, X = torch.zeros(2, 1, 2, 2, device=device)
        _launch(kernels, "exponentials", (A,), X, thresholds.VALUE)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever a compiler or a driver raises that was never tested with this
        reason = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"Triton cannot run the matrix exponential on {device} ({reason}); plain torch operations take its place. "
            "Another version of Triton may help.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return kernels
