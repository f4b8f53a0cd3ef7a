"""Flows over even grids of times: one propagator, applied again and again.

The compiled way (CPU, extra `cpu`) steps from state to state, each block with its propagator and its states in the
cache. Plain operations take long strides with a power of the propagator, and fill up between them with a table of its
lower powers in one product: few calls, as long as the table costs less than the states it makes.
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
        H: generators (k, n, n), in the dtype to move in: that of `states`, or a wider one, whose states are rounded
            but not what moves on.
        states: at time zero, (b, k, n).
    """
    used = {run.step for run in grid[:2] if run.count > 1} | {run.start for run in grid[:2] if run.start}
    distinct = torch.tensor(list(used), dtype=H.dtype, device=H.device)
    moving = expm(distinct[:, None, None, None] * H, structure=structure, check_finite=False) if used else H[:0]
    by_time = dict(zip(used, moving, strict=True))
    first = states.transpose(0, 1)
    before, after = (_along(run, by_time, first) for run in grid[:2])
    whole = torch.cat([before.flip(1), after], dim=1) if grid.before.count and grid.after.count else None
    whole = whole if whole is not None else before.flip(1) if grid.before.count else after
    return (whole.flip(1) if grid.falling else whole).permute(2, 1, 0, 3)


def _along(run: Run, by_time: dict[float, Tensor], first: Tensor) -> Tensor:
    """The states of one run (k, t, b, n), from those at time zero (k, b, n)."""
    if not run.count:
        return first[:, None][:, :0]
    if run.start:
        M = by_time[run.start]
        first = (first.to(M) @ M.mT).to(first)
    if run.count == 1:
        return first[:, None]
    M = by_time[run.step]
    if watched(M) or not compiled.suits_march(M, first):
        return march_plain(M, first, run.count)
    if torch.is_grad_enabled() and (M.requires_grad or first.requires_grad):
        return March.apply(M, first, run.count)  # type: ignore[no-any-return]
    return _march_compiled(M, first, run.count)


class March(Function):
    """States first, M first, M² first, ...: (k, count, b, n) from M (k, n, n) and states (k, b, n), compiled."""

    @staticmethod
    def forward(ctx: Any, M: Tensor, first: Tensor, count: int) -> Tensor:
        states = _march_compiled(M, first, count)
        ctx.save_for_backward(M, first, states)
        return states

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        M, first, states = ctx.saved_tensors
        again = torch.is_grad_enabled()
        if again or watched(G) or not compiled.suits_march(M, G):
            wanted = [x for x, needed in zip((M, first), ctx.needs_input_grad, strict=False) if needed]
            with torch.enable_grad():
                found = iter(
                    torch.autograd.grad(march_plain(M, first, G.shape[1]), wanted, G, create_graph=again)
                )
            dM, dfirst = (next(found) if needed else None for needed in ctx.needs_input_grad[:2])
            return dM, dfirst, None
        G = G.contiguous()
        adjoint = torch.empty_like(G)
        adjoint[:, -1] = G[:, -1]
        compiled.march(M, adjoint, backward=True, addends=G)
        dM = None
        if ctx.needs_input_grad[0]:
            dM = (adjoint[:, 1:].flatten(1, 2).mT @ states[:, :-1].flatten(1, 2)).to(M)
        return dM, adjoint[:, 0], None


def _march_compiled(M: Tensor, first: Tensor, count: int) -> Tensor:
    states = first.new_empty(first.shape[0], count, *first.shape[1:])
    states[:, 0] = first
    compiled.march(M.mT, states)
    return states


def march_plain(M: Tensor, first: Tensor, count: int) -> Tensor:
    """The same in plain operations, differentiable to any order in every mode."""
    k, b, n = first.shape
    stride = 1
    while stride * stride * 4 <= count and stride * 8 * n <= count * b:
        stride *= 2
    if stride == 1 and M.dtype == first.dtype and not (torch.is_grad_enabled() and (M.requires_grad or first.requires_grad)):
        states = first.new_empty(count, k, b, n)
        states[0] = first
        for i in range(1, count):
            torch.bmm(states[i - 1], M.mT, out=states[i])
        return states.transpose(0, 1)
    powers, leap = torch.eye(n, dtype=M.dtype, device=M.device).expand(1, k, n, n), M
    while len(powers) < stride:
        powers = torch.cat([powers, leap @ powers])
        leap = leap @ leap
    anchors = [first.to(M)]
    while len(anchors) * stride < count:
        anchors.append(anchors[-1] @ leap.mT)
    between = torch.einsum("jkbi,rkoi->kjrbo", torch.stack(anchors).to(first), powers.to(first))
    return between.flatten(1, 2)[:, :count]
