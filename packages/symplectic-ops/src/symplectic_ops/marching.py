"""Flows over even grids of times: one propagator, applied again and again.

The compiled way (CPU, extra `cpu`) steps from state to state, each block with its propagator and its states in the
cache. Plain operations take long strides with a power of the propagator, and fill in between them with a table of its
lower powers in one product: few calls, as long as the table costs less than the states it makes.

States are rows here, which move by R = exp(tH)ᵀ = exp(tHᵀ) from the right.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from ._transforms import watched
from .even_grid import EvenGrid, Run
from .expm import Structure, compiled, expm


def march(H: Tensor, states: Tensor, grid: EvenGrid, structure: Structure | None) -> Tensor:
    """The states at every time of the grid: (b, t, k, n).

    Args:
        H: generators (k, n, n), in the dtype to move in: that of `states`, or a wider one; then states are rounded,
            but not what moves on.
        states: at time zero, (b, k, n).
        grid: the times.
        structure: what is known of H; see `expm`.
    """
    runs = [run for run in (grid.before, grid.after) if run]
    used = {run.step for run in runs if run.count > 1} | {run.start for run in runs if run.start}
    moving = {time: expm(time * H.mT, structure=structure, check_finite=False) for time in used}
    first = states.transpose(0, 1)
    pieces = [_along(run, moving, first) for run in runs]
    if grid.before:
        pieces[0] = pieces[0].flip(1)
    whole = pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1)
    return (whole.flip(1) if grid.falling else whole).permute(2, 1, 0, 3)


def _along(run: Run, moving: dict[float, Tensor], first: Tensor) -> Tensor:
    """The states of one run (k, t, b, n), from those at time zero (k, b, n)."""
    if run.start:
        R = moving[run.start]
        first = (first.to(R) @ R).to(first)
    if run.count == 1:
        return first[:, None]
    R = moving[run.step]
    if watched(R) or not compiled.suits_march(R, first):
        return march_plain(R, first, run.count)
    if torch.is_grad_enabled() and (R.requires_grad or first.requires_grad):
        states: Tensor = March.apply(R, first, run.count)
        return states
    return march_compiled(R, first, run.count)


def march_compiled(R: Tensor, first: Tensor, count: int) -> Tensor:
    """States first, first R, first R², ...: (k, count, b, n) from states (k, b, n) and R (k, n, n)."""
    states = first.new_empty(first.shape[0], count, *first.shape[1:])
    states.select(1, 0).copy_(first)
    compiled.march(R, states)
    return states


def march_plain(R: Tensor, first: Tensor, count: int) -> Tensor:
    """`march_compiled` in plain operations, differentiable to any order in every mode."""
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


class March(Function):
    """`march_compiled` with a compiled gradient."""

    @staticmethod
    def forward(ctx: Any, R: Tensor, first: Tensor, count: int) -> Tensor:
        states = march_compiled(R, first, count)
        ctx.save_for_backward(R, first, states)
        return states

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        R, first, states = ctx.saved_tensors
        if torch.is_grad_enabled() or watched(G) or not compiled.suits_march(R, G):
            return *_plain_gradient(ctx, R, first, G), None
        # What arrives at a state comes from itself, and through R from the state after it.
        G, arriving = G.contiguous(), torch.empty_like(states)
        arriving[:, -1] = G[:, -1]
        compiled.march(R.mT, arriving, backward=True, addends=G)
        dR = None
        if ctx.needs_input_grad[0]:
            dR = (states[:, :-1].flatten(1, 2).mT @ arriving[:, 1:].flatten(1, 2)).to(R)
        return dR, arriving[:, 0], None


def _plain_gradient(ctx: Any, R: Tensor, first: Tensor, G: Tensor) -> list[Tensor | None]:
    """The gradient in R and `first`, where it will be differentiated itself or carries more than numbers."""
    again = torch.is_grad_enabled()
    wanted = [x for x, needed in zip((R, first), ctx.needs_input_grad, strict=False) if needed]
    with torch.enable_grad():
        found = iter(torch.autograd.grad(march_plain(R, first, G.shape[1]), wanted, G, create_graph=again))
    return [next(found) if needed else None for needed in ctx.needs_input_grad[:2]]
