"""Scaling, a polynomial, squarings: the exponential of a batch, and its derivative."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from . import taylor, thresholds


@dataclass(frozen=True)
class Schedule:
    """What a batch of B matrices goes through: scaling, a polynomial of one degree, squarings.

    Matrices that need more squarings come first, so that those still being squared are always a leading part of the
    batch: `order` (B,) sorts them so and `rank` undoes it; both are None when all are squared alike. The first
    `counts[i]` matrices are squared at least i + 1 times. `scale` is 2^−squarings: a number, or (B, 1, 1) in sorted
    order.
    """

    degree: int
    counts: tuple[int, ...] = ()
    scale: float | Tensor = 1.0
    order: Tensor | None = None
    rank: Tensor | None = None


@dataclass(frozen=True)
class Tape:
    """What the derivative of one evaluation needs."""

    schedule: Schedule
    factors: taylor.Factors
    squares: tuple[Tensor, ...]


def plan(A: Tensor, norm: float, *, gradient: bool, measured: bool) -> tuple[taylor.Factors, Schedule]:
    """The cheapest schedule for A (B, n, n) that is accurate enough, and the powers it starts from: A, or A, A², A³.

    One degree serves the whole batch; the squarings are each matrix's own, or one more where that makes them all
    alike. `norm` is the largest ‖A‖₁, either measured or promised by the caller. After a promise nothing is read from
    A, and all matrices are squared alike. `gradient` asks for the accuracy of one.
    """
    dtype = A.dtype.to_real()
    bounds = (thresholds.GRADIENT if gradient else thresholds.VALUE)[dtype]
    reach = bounds[-2] * 2 ** (thresholds.SQUARINGS_12[dtype] if gradient else 0)
    if norm <= bounds[-2]:
        degree = thresholds.degree_for(norm, bounds)
        return ((A,) if degree < 12 else cubes(A)), Schedule(degree)
    powers = cubes(A)
    if not measured:
        degree, bound = (12, bounds[-2]) if norm <= reach else (18, bounds[-1])
        return powers, alike(A, degree, thresholds.squarings_under(norm, bound))
    # The powers at hand show how small A really is; only now is it known whether anything must be squared.
    alpha = thresholds.power_norm(*powers)
    least, most = (float(extreme) for extreme in alpha.aminmax())
    degree, bound = (12, bounds[-2]) if most <= reach else (18, bounds[-1])
    if math.isfinite(most):
        squarings = thresholds.squarings_under(most, bound)
        if squarings - thresholds.squarings_under(least, bound) <= 1:
            return powers, alike(A, degree, squarings)
    return powers, schedule(A, degree, thresholds.squarings_for(alpha, bound))


def cubes(A: Tensor) -> taylor.Factors:
    """A, A² and A³, each (B, n, n)."""
    A2 = torch.bmm(A, A)
    return A, A2, torch.bmm(A2, A)


def alike(A: Tensor, degree: int, squarings: int) -> Schedule:
    """The schedule of A (B, n, n) at this degree with the same squarings for all."""
    return Schedule(degree, (len(A),) * squarings, 0.5**squarings)


def schedule(A: Tensor, degree: int, squarings: Tensor) -> Schedule:
    """The schedule of A (B, n, n) at this degree with these squarings, int64 (B,)."""
    least, most = (int(extreme) for extreme in squarings.aminmax())
    if least == most:
        return alike(A, degree, most)
    ordered, order = squarings.sort(descending=True, stable=True)
    ending_at = torch.bincount(ordered, minlength=most + 1)
    counts = ending_at.flip(0).cumsum(0).flip(0)[1:].tolist()
    scale = torch.exp2(-ordered.to(A.dtype.to_real()))[:, None, None]
    return Schedule(degree, tuple(counts), scale, order, order.argsort())


def evaluate(powers: taylor.Factors, schedule: Schedule) -> tuple[Tensor, Tape]:
    """exp(A) (B, n, n) by this schedule from A, or from A, A² and A³."""
    if schedule.order is not None:
        powers = tuple(power[schedule.order] for power in powers)
    if schedule.counts:
        powers = tuple(power * schedule.scale**k for k, power in enumerate(powers, 1))
    X, factors = taylor.polynomial(schedule.degree, powers)
    squares, finished = [], []
    for count in schedule.counts:
        finished.append(X[count:])
        squares.append(X[:count])
        X = torch.bmm(squares[-1], squares[-1])
    X = _restored(X, finished, schedule)
    return X, Tape(schedule, factors, tuple(squares))


def differentiate(tape: Tape, E: Tensor, *, adjoint: bool = False) -> Tensor:
    """The derivative at A in direction E (B, n, n) of an evaluation, L(A, E), or its adjoint L(Aᴴ, E)."""
    schedule, factors, squares = tape.schedule, tape.factors, tape.squares
    if adjoint:
        factors, squares = tuple(x.mH for x in factors), tuple(x.mH for x in squares)
    if schedule.order is not None:
        E = E[schedule.order]
    if schedule.counts:
        E = E * schedule.scale
    L = taylor.derivative(schedule.degree, factors, E)
    finished = []
    for X in squares:
        finished.append(L[len(X) :])
        L = L[: len(X)]
        L = torch.baddbmm(torch.bmm(L, X), X, L)
    return _restored(L, finished, schedule)


def _restored(X: Tensor, finished: list[Tensor], schedule: Schedule) -> Tensor:
    """The batch in its original order, from the matrices squared last and those finished before them."""
    if schedule.rank is None:
        return X
    return torch.cat([X, *reversed(finished)])[schedule.rank]
