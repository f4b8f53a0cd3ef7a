"""Plain torch operations: every device, every dtype, and whatever watches them."""

from collections.abc import Callable

import torch
from torch import Tensor

from .._dtypes import without_autocast
from .._torch import stacked
from . import thresholds
from .protocol import Backend, Options
from .schedule import Tape, alike, cubes, differentiate, evaluate, plan, schedule

PARTS = 128  # of a batch, one after the other, where memory is to be spared: each needs some twenty times its own size
SMALL_PART = 2**16  # numbers; a smaller part spares no memory worth having


class Eager(Backend):
    """Every problem. Slow for many small matrices, where each operation takes longer to call than to do."""

    name = "torch"

    def why_not(self, A: Tensor, E: Tensor | None = None, states: Tensor | None = None) -> list[str]:
        return []

    def exponential(self, A: Tensor, options: Options) -> tuple[Tensor, float | None, Tape | None]:
        with without_autocast(A.device):
            norm = _norm(A, options)
            if options.keep or not options.gradient:
                X, tape = _evaluate(A, norm, options)
            else:
                X, tape = _in_parts(lambda part: _evaluate(part, norm, options)[0], A), None
        return X, norm if options.norm_bound is None else None, tape if options.keep else None

    def derivative(self, A: Tensor, E: Tensor, options: Options, *, adjoint: bool) -> Tensor:
        with without_autocast(A.device):
            norm, options = _norm(A, options), options._replace(gradient=True)

            def part(A: Tensor, E: Tensor) -> Tensor:
                return differentiate(_evaluate(A, norm, options)[1], E, adjoint=adjoint)

            return _in_parts(part, A, E)

    def repeatable_derivative(
        self, A: Tensor, E: Tensor, squarings: Tensor | None, options: Options
    ) -> tuple[Tensor, Tensor]:
        dtype = A.dtype.to_real()
        with without_autocast(A.device):
            powers = cubes(A)
            if options.norm_bound is not None:  # which decides alone, so that nothing has to be read
                steps = alike(A, 18, thresholds.squarings_under(options.norm_bound, thresholds.HIGHER[dtype]))
                squarings = torch.full((len(A),), len(steps.counts), dtype=torch.int64, device=A.device)
            else:
                if squarings is None:
                    squarings = thresholds.squarings_for(thresholds.power_norm(*powers), thresholds.HIGHER[dtype])
                steps = schedule(A, 18, squarings)
            return differentiate(evaluate(powers, steps)[1], E), squarings

    def recurrence(self, P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
        times = range(length - 1, -1, -1) if backward else range(length)
        added = [u[:, t if u.shape[1] > 1 else 0].to(P.dtype) for t in times[: u.shape[1]]]
        states = added[:1]
        for t in range(1, length):
            moved = (P @ states[-1][..., None]).squeeze(-1)
            states.append(moved + added[t] if len(added) > 1 else moved)
        return torch.stack(states[::-1] if backward else states, 1).to(u.dtype)


def _norm(A: Tensor, options: Options) -> float:
    """The largest ‖A‖₁, or what it is promised not to exceed."""
    return float(A.abs().sum(-2).max()) if options.norm_bound is None else options.norm_bound


def _evaluate(A: Tensor, norm: float, options: Options) -> tuple[Tensor, Tape]:
    return evaluate(*plan(A, norm, gradient=options.gradient, measured=options.norm_bound is None))


def _in_parts(function: Callable[..., Tensor], *batches: Tensor) -> Tensor:
    """function(*batches), from one part of the batch after the other."""
    count, n = batches[0].shape[:2]
    size = max(-(-count // PARTS), SMALL_PART // (n * n), 1)
    if size >= count or any(map(stacked, batches)):
        return function(*batches)
    whole = torch.empty_like(batches[0])
    for out, *parts in zip(*(torch.split(batch, size) for batch in (whole, *batches)), strict=True):
        out.copy_(function(*parts))
    return whole
