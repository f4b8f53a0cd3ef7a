"""The exponential of a batch and its derivative as plain functions: which way is taken, and what is kept."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .._dtypes import without_autocast
from .._torch import stacked
from ..backends import cpu, gpu, thresholds
from ..backends.schedule import Tape, alike, cubes, differentiate, evaluate, plan, schedule
from .complex_form import to_complex, to_real
from .finite import FiniteCheck

PARTS = 128  # of a batch, one after the other, where memory is to be spared: each needs some twenty times its own size
SMALL_PART = 2**16  # numbers; a smaller part spares no memory worth having


class Options(NamedTuple):
    """How to exponentiate; see `expm` for the arguments of the same name.

    Args:
        gradient: a gradient may be asked for.
        keep: keep the intermediate matrices for it. The compiled and the fused way never do: they compute them again
            where they are needed, in the cache or in registers.
        norm_bound: None to measure.
        compiled: the compiled way may be taken, or on a GPU the fused one.
        check: what to refuse; without it NaN goes through.
        complex_form: take A for the nearest matrix [[P, Q], [−Q, P]]. The compiled way alone knows how.
    """

    gradient: bool = False
    keep: bool = False
    norm_bound: float | None = None
    compiled: bool = True
    check: FiniteCheck | None = None
    complex_form: bool = False


def exponential(A: Tensor, options: Options) -> tuple[Tensor, Tape | None]:
    """exp(A) of A (B, n, n), and what its derivative needs, if that was to be kept."""
    if options.compiled and cpu.suits(A):
        X, norm = cpu.exponential(A, gradient=options.gradient, complex_form=options.complex_form)
        if options.check:
            options.check.argument(A, norm)
            options.check.result(A, X, norm)
        return X, None
    if options.compiled and gpu.suits(A):
        X = gpu.exponential(A, gradient=options.gradient)
        if options.check:
            options.check.both(A, X)
        return X, None
    with without_autocast(A.device):
        norm = _norm(A, options)
        if options.check:
            options.check.argument(A, norm if options.norm_bound is None else None)
        if options.keep or not options.gradient:
            X, tape = _evaluate(A, norm, options)
        else:
            X, tape = _in_parts(lambda part: _evaluate(part, norm, options)[0], A), None
        if options.check:
            options.check.result(A, X, norm if options.norm_bound is None else math.inf)
        return X, tape if options.keep else None


def derivative(A: Tensor, E: Tensor, options: Options, *, adjoint: bool = False) -> Tensor:
    """L(A, E), or L(Aᴴ, E) if `adjoint`, of A and E (B, n, n)."""
    if options.compiled and cpu.suit(A, E):
        return cpu.derivative(A, E, adjoint=adjoint, complex_form=options.complex_form)
    if options.complex_form:
        options = options._replace(complex_form=False)
        return to_real(derivative(to_complex(A), to_complex(E), options, adjoint=adjoint))
    if options.compiled and gpu.suit(A, E):
        return gpu.derivative(A, E, adjoint=adjoint)
    with without_autocast(A.device):
        norm, options = _norm(A, options), options._replace(gradient=True)

        def part(A: Tensor, E: Tensor) -> Tensor:
            return differentiate(_evaluate(A, norm, options)[1], E, adjoint=adjoint)

        return _in_parts(part, A, E)


def repeatable_derivative(A: Tensor, E: Tensor, squarings: Tensor | None, options: Options) -> tuple[Tensor, Tensor]:
    """L(A, E) of A and E (B, n, n) at degree 18, and the squarings it used, int64 (B,): the given ones, if any."""
    if options.compiled and cpu.suit(A, E):
        return cpu.repeatable_derivative(A, E, squarings)
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
