"""Flows over even grids of times: one propagator, applied again and again.

Where steps are cheap (see `stepping`) each state is a step from the one before. Plain operations take long strides with
a power of the propagator, and fill in between them with a table of its lower powers in one product: few calls, as long
as the table costs less than the states it makes.

States are rows here, which move by R = exp(tH)ᵀ = exp(tHᵀ) from the right.
"""

import torch
from torch import Tensor

from ._transforms import watched
from .even_grid import EvenGrid, Run
from .expm import Structure, expm
from .stepping import steps, suits


def march(H: Tensor, states: Tensor, grid: EvenGrid, dtype: torch.dtype, structure: Structure | None) -> Tensor:
    """The states at every time of the grid: (b, t, k, n).

    Args:
        H: generators (k, n, n), in the dtype to exponentiate in.
        states: at time zero, (b, k, n).
        grid: the times.
        dtype: what to move in: that of `states`, or a wider one; then states are rounded, but not what moves on.
        structure: what is known of H; see `expm`.
    """
    runs = [run for run in (grid.before, grid.after) if run]
    used = {run.step for run in runs if run.length > 1} | {run.start for run in runs if run.start or run.length == 1}
    home = states.device if dtype == states.dtype else H.device
    moving = {time: expm(time * H.mT, structure=structure, check_finite=False).to(home, dtype) for time in used}
    pieces = [_along(run, moving, states).to(states) for run in runs]
    if grid.before:
        pieces[0] = pieces[0].flip(1)
    whole = pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1)
    return whole.flip(1) if grid.falling else whole


def _along(run: Run, moving: dict[float, Tensor], first: Tensor) -> Tensor:
    """The states of one run (b, t, k, n), from those at time zero (b, k, n)."""
    if run.start or run.length == 1:  # a time alone at zero too, whose derivative is zero and not missing
        R = moving[run.start]
        first = (first.transpose(0, 1).to(R) @ R).transpose(0, 1)
    if run.length == 1:
        return first[:, None].clone()
    R = moving[run.step]
    if not watched(R) and suits(R, first):
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
