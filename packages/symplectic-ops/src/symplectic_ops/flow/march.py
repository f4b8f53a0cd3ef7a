"""Flows over even grids of times: one propagator, applied again and again.

Where no derivative is asked for, a run of states is one compiled call. Else, where steps are cheap (see `recurrence`),
each state is a step from the one before. Plain operations take long strides with a power of the propagator, and fill in
between them with a table of its lower powers in one product: few calls, as long as the table costs less than the states
it makes.

States are rows here, which move by R = exp(tH)ᵀ = exp(tHᵀ) from the right.

Note [Digits of a step]
Rounding H moves exp(hH) by about u‖hH‖, and rounding exp(hH) by u more: no step in float32 can promise less, and N of
them add up to N times as much. An exponential made in float32 itself keeps to that, within a factor of two (four for
H = −λI), as long as degree 12 suffices with two squarings, which is up to ‖hH‖₁ = 4.78. The bounds for a value take
degree 18 instead, at norms where its terms cancel: that loses several times as much. Any other propagator is made in
double precision and rounded, which where blocks are large takes as long as some ten steps: over many states it does not
matter. Each block goes by its own norm, so its digits do not depend on its neighbours.
"""

import torch
from torch import Tensor

from .._dtypes import in_double
from .._torch import watched
from ..backends import cpu
from ..expm import STRUCTURES, Structure, expm
from ..expm.complex_form import has_complex_form
from .even_grid import EvenGrid, Run
from .recurrence import steps, suits

FEW, SMALL = 16, 4.78  # states of a run, and the norm ‖hH‖₁ of its step h; see Note [Digits of a step]


def march(H: Tensor, states: Tensor, grid: EvenGrid, wide: bool, structure: Structure | None) -> tuple[Tensor, bool]:
    """The states at every time of the grid, (b, t, k, n), and whether they are known to be finite.

    Args:
        H: generators (k, n, n).
        states: at time zero, (b, k, n), of the dtype and on the device of H.
        grid: the times.
        wide: move in double precision; then states are rounded, but not what moves on.
        structure: what is known of H; see `expm`.
    """
    if _underived(H, states, structure):
        return _compiled(H, states, grid, wide, structure == "skew-symmetric" and has_complex_form(H))
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


def _underived(H: Tensor, states: Tensor, structure: Structure | None) -> bool:
    """Whether the compiled way can be taken, which knows no derivative."""
    if torch.is_grad_enabled() and (H.requires_grad or states.requires_grad):
        return False
    regular = H.shape[-1] > 1 and states.numel() > 0 and structure in STRUCTURES
    return regular and not watched(H) and cpu.suits_recurrence(H, states)


def _compiled(H: Tensor, states: Tensor, grid: EvenGrid, wide: bool, complex_form: bool) -> tuple[Tensor, bool]:
    """`march` in compiled calls: one for each exponential, and one for each run."""
    (b, k, n), moved = states.shape, torch.float64 if wide else H.dtype
    count = sum(run.length for run in (grid.before, grid.after) if run)
    whole, finite = cpu.unfilled((k, count, b, n), H.dtype), True

    def exact(time: float) -> Tensor:
        A = H.to(torch.float64)
        return cpu.exponential(A if time == 1 else time * A, gradient=False, complex_form=complex_form)[0]

    def step(run: Run) -> Tensor:
        """See Note [Digits of a step]."""
        if moved is torch.float64:
            return exact(run.step)
        single = SMALL if run.length <= FEW else 0.0
        return cpu.rounded_exponential(H, run.step, single=single, complex_form=complex_form)

    for run, backward in ((grid.before, not grid.falling), (grid.after, grid.falling)):
        if run:
            started = run.start or count == 1  # to time zero too: that propagator tells whether H is finite
            first = exact(run.start) if started else None
            P = None if run.length == 1 else step(run) if first is None or run.start != run.step else first.to(moved)
            part = whole[:, : run.length] if backward else whole[:, count - run.length :]
            finite &= cpu.follow(states, first, P, part, backward=backward)
    return whole.permute(2, 1, 0, 3), finite


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
