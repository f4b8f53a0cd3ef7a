"""Tables of propagators exp(tH) for many times at the price of few exponentials."""

import math

import torch
from torch import Tensor

from ..expm import Structure, expm

# Whole times up to this one are powers of one propagator; larger ones take a second stride.
SHORT = 16
LONG = 2.0**53  # from here on not every whole time is a number
LITTLE = 2**17  # numbers; copying fewer takes less time than lining states up


def move_by_tables(H: Tensor, states: Tensor, times: Tensor, structure: Structure | None = None) -> Tensor:
    """The states (b, t, k, n) at times (b or 1, t), from states (b or 1, k, n) at time zero."""
    shape = (len(states) if len(times) == 1 else len(times), times.shape[1])
    states = states[:, None].expand(*shape, *states.shape[1:]).flatten(0, 1)
    for table, index in propagators(H, times, structure):
        states = _apply(table.to(states), index.expand(shape).flatten().to(states.device), states)
    return states.reshape(*shape, *states.shape[1:])


def propagators(H: Tensor, times: Tensor, structure: Structure | None = None) -> list[tuple[Tensor, Tensor]]:
    """Factors of the propagators exp(tH) of the given times, to be applied one after the other.

    Whole times become powers of exp(±H), and where they reach far also of exp(±rH) with r near the square root of
    the farthest, as long as that is less work than an exponential for each distinct time. exp(0) is I exactly.

    Args:
        H: generators (k, n, n).
        times: any shape, not differentiable here.
        structure: what is known of H; see `expm`.

    Returns:
        One or two factors, each a table of matrices (u, k, n, n) and, for each time, the row it takes: int64, the
        shape of `times`. Nothing is checked: NaN and overflow go through.
    """
    distinct, index = torch.unique(times, return_inverse=True)
    if len(distinct) and bool(((distinct == distinct.round()) & (distinct.abs() < LONG)).all()):
        first, last = int(distinct[0]), int(distinct[-1])
        farthest = max(-first, last)
        strides = [1] if farthest <= SHORT else [1, 2 ** math.ceil(math.log2(farthest + 1) / 2)]
        signs = [1] if first >= 0 else [1, -1]
        digits = _digits(distinct, strides)
        length = int(digits.max()) + 1
        if length * len(strides) * len(signs) <= 8 * len(distinct):
            powers = _powers(H, strides, signs, length, structure)
            rows = (digits * len(signs) + (distinct < 0))[:, index]
            return [(table.flatten(0, 1), row) for table, row in zip(powers.unbind(1), rows, strict=True)]
    every = expm(distinct.to(H.dtype)[:, None, None, None] * H, structure=structure, check_finite=False)
    return [(every, index)]


def _digits(times: Tensor, strides: list[int]) -> Tensor:
    """|t| written in these strides, the smallest first: int64 (len(strides), u)."""
    rest, digits = times.abs().to(torch.int64), []
    for stride in reversed(strides):
        digits.append(rest // stride)
        rest = rest % stride
    return torch.stack(digits[::-1])


def _powers(H: Tensor, strides: list[int], signs: list[int], length: int, structure: Structure | None) -> Tensor:
    """exp(H · stride · sign) to the powers 0, 1, ..., length − 1: (length, strides, signs, k, n, n)."""
    steps = torch.tensor([[stride * sign for sign in signs] for stride in strides], dtype=H.dtype, device=H.device)
    step = expm(steps[..., None, None, None] * H, structure=structure, check_finite=False)
    powers = torch.stack([torch.eye(H.shape[-1], dtype=H.dtype, device=H.device).expand_as(step), step])[:length]
    while len(powers) < length:
        step = step @ step
        powers = torch.cat([powers, step @ powers[: length - len(powers)]])
    return powers


def _apply(table: Tensor, index: Tensor, states: Tensor) -> Tensor:
    """Row index[p] of the table (u, k, n, n) times state p (p, k, n): (p, k, n).

    States that share a matrix are lined up and multiplied at once, short lines filled up with zeros. That beats
    giving every state its own copy of the matrix, unless there is little to copy or one line is much longer than the
    rest.
    """
    if len(index) * table.shape[1:].numel() <= LITTLE:
        return _apply_copies(table, index, states)
    counts = torch.bincount(index, minlength=len(table))
    width = int(counts.max()) if len(index) else 0
    if width * len(table) > 8 * len(index):
        return _apply_copies(table, index, states)
    order = index.argsort(stable=True)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts)[index[order]]
    slot = index * width + place
    lines = states.new_zeros(len(table) * width, *states.shape[1:]).index_copy(0, slot, states)
    lines = torch.einsum("ukij,uwkj->uwki", table, lines.reshape(len(table), width, *states.shape[1:]))
    return lines.flatten(0, 1)[slot]


def _apply_copies(table: Tensor, index: Tensor, states: Tensor) -> Tensor:
    return torch.einsum("pkij,pkj->pki", table.index_select(0, index), states)
