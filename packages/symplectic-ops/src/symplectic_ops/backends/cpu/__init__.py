"""Kernels for the CPU, compiled by numba: see README.md beside this file."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..._torch import WATCHED, unwatched
from ..protocol import Backend, Options, Run
from ..schedule import Tape
from . import calls, loading, orbits

DTYPES = (torch.float32, torch.float64)


class Cpu(Backend):
    """Real matrices on the CPU, where the extra `cpu` (numba) is installed.

    One matrix at a time goes through the whole algorithm in the cache, in vector instructions made for this processor.
    Large batches are shared between as many threads as torch uses; how many does not change a bit of the result.
    """

    name = "cpu"
    complex_form = True

    def why_not(self, A: Tensor, E: Tensor | None = None, states: Tensor | None = None) -> list[str]:
        if not A.is_cpu:
            return ["the matrices are not on the CPU"]
        reasons = []
        if A.dtype not in DTYPES:
            reasons.append("the matrices are complex; its kernels compute with real numbers")
        if not unwatched(A):
            reasons.append(WATCHED)
        if E is not None and not (E.is_cpu and E.dtype == A.dtype and E.shape == A.shape and unwatched(E)):
            reasons.append("the directions are not plain tensors like the matrices")
        if states is not None and not (states.is_cpu and states.dtype in DTYPES and unwatched(states)):
            reasons.append("the states are not plain real tensors on the CPU")
        elif states is not None and not (A.numel() and A.dtype in (states.dtype, torch.float64)):
            reasons.append("there are no matrices, or they are of a shorter dtype than the states")
        if not reasons and (missing := loading.missing()):
            reasons.append(missing)
        return reasons

    def exponential(self, A: Tensor, options: Options) -> tuple[Tensor, float | None, Tape | None]:
        X, norm = calls.exponential(A, gradient=options.gradient, complex_form=options.complex_form)
        return X, norm, None

    def derivative(self, A: Tensor, E: Tensor, options: Options, *, adjoint: bool) -> Tensor:
        return calls.derivative(A, E, adjoint=adjoint, complex_form=options.complex_form)

    def repeatable_derivative(
        self, A: Tensor, E: Tensor, squarings: Tensor | None, options: Options
    ) -> tuple[Tensor, Tensor]:
        return calls.repeatable_derivative(A, E, squarings)

    def recurrence(self, P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
        return orbits.recurrence(P, u, length, backward)

    def orbits(
        self, H: Tensor, states: Tensor, runs: Sequence[tuple[Run, bool]], *, wide: bool, complex_form: bool
    ) -> tuple[Tensor, bool]:
        return orbits.orbits(H, states, runs, wide=wide, complex_form=complex_form)
