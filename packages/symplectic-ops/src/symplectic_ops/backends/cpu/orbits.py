"""Recurrences, and whole flows at evenly spaced times, called: the states of a block lie together.

Note [Digits of a step]
Rounding H moves exp(hH) by about u‖hH‖, and rounding exp(hH) by u more: no step in float32 can promise less, and N of
them add up to N times as much. An exponential made in float32 itself keeps to that, within a factor of two (four for
H = −λI), as long as degree 12 suffices with two squarings, which is up to ‖hH‖₁ = 4.78. The bounds for a value take
degree 18 instead, at norms where its terms cancel: that loses several times as much. Any other propagator is made in
double precision and rounded, which where blocks are large takes as long as some ten steps: over many states it does not
matter. Each block goes by its own norm, so its digits do not depend on its neighbours.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..protocol import Run
from . import loading
from .calls import dense, exponential, in_threads, rounded_exponential

FEW, SMALL = 16, 4.78  # states of a run, and the norm ‖hH‖₁ of its step h; see Note [Digits of a step]
_LARGE = 2**22  # bytes, from which on NumPy asks for huge pages


def recurrence(P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
    """See `Backend.recurrence`."""
    b, added, k, n = u.shape
    y = _unfilled((k, length, b, n), u.dtype)
    at = -1 if backward else 0
    y.select(1, at).copy_(u.select(1, at).transpose(0, 1))
    addends = u.resolve_neg().permute(2, 1, 0, 3).contiguous() if added > 1 else None
    _move(P.mT, y, backward=backward, addends=addends)
    return y.permute(2, 1, 0, 3)


def orbits(
    H: Tensor, states: Tensor, runs: Sequence[tuple[Run, bool]], *, wide: bool, complex_form: bool
) -> tuple[Tensor, bool]:
    """See `Backend.orbits`. One call for each exponential, and one for each run."""
    (b, k, n), moved = states.shape, torch.float64 if wide else H.dtype
    count = sum(run.length for run, _ in runs)
    whole, done, finite = _unfilled((k, count, b, n), H.dtype), 0, True

    def exact(time: float) -> Tensor:
        A = H.to(torch.float64)
        return exponential(A if time == 1 else time * A, gradient=False, complex_form=complex_form)[0]

    def step(run: Run) -> Tensor:
        """See Note [Digits of a step]."""
        if moved is torch.float64:
            return exact(run.step)
        single = SMALL if run.length <= FEW else 0.0
        return rounded_exponential(H, run.step, single=single, complex_form=complex_form)

    for run, backward in runs:
        started = run.start or count == 1  # to time zero too: that propagator tells whether H is finite
        first = exact(run.start) if started else None
        P = None if run.length == 1 else step(run) if first is None or run.start != run.step else first.to(moved)
        finite &= _follow(states, first, P, whole[:, done : done + run.length], backward=backward)
        done += run.length
    return whole.permute(2, 1, 0, 3), finite


def _move(R: Tensor, states: Tensor, *, backward: bool = False, addends: Tensor | None = None) -> None:
    """Fill states (k, t, b, n), of which the first are given: each the one before, as rows, times R (k, n, n).

    With `backward` from the last to the first. Addends, like states, are added on the way. States of a narrower dtype
    than R are rounded copies of what moves on.
    """
    R = dense(R)
    blocks, count, rows, n = states.shape
    size = states.element_size()
    hop, apart = rows * n * size, states.stride(0) * size
    start = (count - 1) * hop if backward else 0
    entries, zero = loading.recurrence(), loading.batch().ZEROS[R.dtype]
    narrow = () if R.dtype == states.dtype else (loading.batch().ZEROS[states.dtype],)
    entry = entries.recurrences_wide if narrow else entries.recurrences

    def part(first: int, last: int) -> float:
        begins = [x.data_ptr() + first * apart + start if x is not None else 0 for x in (states, addends)]
        matrix = R.data_ptr() + first * n * n * R.element_size()
        way = rows, count - 1, matrix, begins[0], apart, -hop if backward else hop, begins[1]
        found: float = entry(zero, *narrow, last - first, n, *way)
        return found

    in_threads(blocks, blocks * (count - 1) * rows * n * n, part)


def _follow(first: Tensor, start: Tensor | None, P: Tensor | None, states: Tensor, *, backward: bool) -> bool:
    """Fill states (k, t, b, n): start · first, and from there on each P times the one before.

    Args:
        first: (b, k, n), of the dtype of `states`.
        start: (k, n, n) contiguous, in double precision; None where nothing moves before.
        P: (k, n, n) contiguous, in the dtype to move in; None where there is one state alone.
        backward: from the last to the first.

    Returns:
        Whether all states are finite.
    """
    first = dense(first)
    blocks, count, rows, n = states.shape
    size, apart, zeros = states.element_size(), states.stride(0) * states.element_size(), loading.batch().ZEROS
    hop = rows * n * size
    begin = states.data_ptr() + ((count - 1) * hop if backward else 0)
    wide, entry = P is not None and P.dtype != states.dtype, loading.recurrence().follow

    def part(top: int, end: int) -> float:
        given = first.data_ptr() + top * n * size, blocks * n * size
        matrices = (0 if x is None else x.data_ptr() + top * n * n * x.element_size() for x in (start, P))
        to = begin + top * apart, apart, -hop if backward else hop, count
        dtypes = zeros[torch.float64], zeros[states.dtype], wide
        found: float = entry(*dtypes, end - top, n, rows, *given, *matrices, *to)
        return found

    return not any(in_threads(blocks, blocks * count * rows * n * n, part))


def _unfilled(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """A tensor of this shape on the CPU whose numbers are still to be written, by `_move` or `_follow`.

    Large memory is NumPy's, which asks the system for huge pages: small ones are handed out one by one as they are
    first touched, which can take longer than computing what is written there.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < _LARGE:
        return torch.empty(shape, dtype=dtype, device="cpu")
    import numpy as np

    return torch.from_numpy(np.empty(size, np.uint8)).view(dtype).view(shape)
