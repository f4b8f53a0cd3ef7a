"""Flows over even grids of times: one propagator, applied again and again.

Where no derivative is asked for, a backend may know how to do it all at once (`Backend.orbits`). Else each state is a
step from the one before, where a backend makes steps cheap (`Backend.recurrence`). Plain operations take long strides
with a power of the propagator, and fill in between them with a table of its lower powers in one product: few calls, as
long as the table costs less than the states it makes.

States are rows here, which move by R = exp(tH)ᵀ = exp(tHᵀ) from the right.
"""

import torch
from torch import Tensor

from .._dtypes import in_double
from .._torch import watched
from ..backends import TORCH, choose
from ..backends.protocol import Run
from ..expm import STRUCTURES, Structure, expm
from ..expm.complex_form import has_complex_form
from .even_grid import EvenGrid
from .recurrence import steps


def march(H: Tensor, states: Tensor, grid: EvenGrid, wide: bool, structure: Structure | None) -> tuple[Tensor, bool]:
    """The states at every time of the grid, (b, t, k, n), and whether they are known to be finite.

    Args:
        H: generators (k, n, n).
        states: at time zero, (b, k, n), of the dtype and on the device of H.
        grid: the times.
        wide: move in double precision; then states are rounded, but not what moves on.
        structure: what is known of H; see `expm`.
    """
    if found := _underived(H, states, grid, wide, structure):
        return found
    runs = [run for run in (grid.before, grid.after) if run]
    used = {run.step for run in runs if run.length > 1} | {run.start for run in runs if run.start or run.length == 1}
    exact = in_double(H)
    moved = exact if wide else (states.device, states.dtype)
    rows = H.to(*exact).mT
    moving = {time: expm(time * rows, structure=structure, check_finite=False).to(*moved) for time in used}
    pieces = [_along(run, moving, states).to(states) for run in runs]
    if grid.before:
        pieces[0] = pieces[0].flip(1)
    whole = pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1)
    return whole.flip(1) if grid.falling else whole, False


def _underived(
    H: Tensor, states: Tensor, grid: EvenGrid, wide: bool, structure: Structure | None
) -> tuple[Tensor, bool] | None:
    """What a backend knows to do at once where no derivative is asked for, if it does."""
    if torch.is_grad_enabled() and (H.requires_grad or states.requires_grad):
        return None
    if H.shape[-1] < 2 or not states.numel() or structure not in STRUCTURES or watched(H):
        return None
    backend = choose("auto", H, None, states)
    in_form = backend.complex_form and structure == "skew-symmetric" and has_complex_form(H)
    runs = [(run, backward) for run, backward in ((grid.before, not grid.falling), (grid.after, grid.falling)) if run]
    if grid.falling:
        runs.reverse()
    return backend.orbits(H, states, runs, wide=wide, complex_form=in_form)


def _along(run: Run, moving: dict[float, Tensor], first: Tensor) -> Tensor:
    """The states of one run (b, t, k, n), from those at time zero (b, k, n)."""
    if run.start or run.length == 1:  # a time alone at zero too, whose derivative is zero and not missing
        R = moving[run.start]
        first = (first.transpose(0, 1).to(R) @ R).transpose(0, 1)
    if run.length == 1:
        return first[:, None].clone()
    R = moving[run.step]
    if not watched(R) and choose("auto", R, states=first) is not TORCH:
        return steps(R.mT, first, run.length)
    return _strides(R, first.transpose(0, 1), run.length).permute(2, 1, 0, 3)


def _strides(R: Tensor, first: Tensor, count: int) -> Tensor:
    """The states first, first R, first R², ... (k, count, b, n), from (k, b, n): differentiable in every mode."""
    k, b, n = first.shape
    stride = _stride(count, b, n)
    if stride == 1 and not (R.requires_grad or first.requires_grad or watched(R)):
        states = R.new_empty(count, k, b, n)
        states[0] = first
        for i in range(1, count):
            torch.bmm(states[i - 1], R, out=states[i])
        return states.to(first).transpose(0, 1)
    powers, leap = torch.eye(n, dtype=R.dtype, device=R.device).expand(1, k, n, n), R
    while len(powers) < stride:
        powers = torch.cat([powers, powers @ leap])
        leap = leap @ leap
    anchors = [first.to(R)]
    while len(anchors) * stride < count:
        anchors.append(anchors[-1] @ leap)
    rows = torch.stack(anchors, dim=2).to(first).flatten(1, 2)  # (k, b anchors, n)
    table = powers.to(first).permute(1, 2, 0, 3).flatten(2)  # (k, n, stride n)
    return (rows @ table).reshape(k, b, -1, n)[:, :, :count].transpose(1, 2)


def _stride(count: int, b: int, n: int) -> int:
    """How many powers to tabulate: about the square root of the count, if they are an eighth of the work at most."""
    stride = 1
    while 4 * stride**2 <= count and 16 * stride * n <= count * b:
        stride *= 2
    return stride
