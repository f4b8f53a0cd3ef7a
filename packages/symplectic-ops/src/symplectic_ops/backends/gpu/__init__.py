"""Kernels for GPUs, compiled by Triton: `expm` and `recurrence` beside this file."""

import torch
from torch import Tensor

from ..._torch import WATCHED, unwatched
from .. import thresholds
from ..eager import Eager
from ..protocol import Options
from ..schedule import Tape
from . import launches, loading

DEVICE = "cuda"  # the tests say "cpu", where Triton interprets its kernels
LARGEST = 32
DTYPES = (torch.float32, torch.float64)


class Gpu(Eager):
    """Real matrices up to 32 × 32 on a GPU, where Triton 3.8 or newer is installed.

    One launch takes a batch through the whole algorithm, each matrix on the chip from beginning to end; nothing is read
    by the host, so that a graph of CUDA kernels can record it, once it was used alike. Nothing is kept for a gradient.
    What has no kernel, a derivative that can be differentiated again, is left to plain torch.
    """

    name = "gpu"

    def why_not(self, A: Tensor, E: Tensor | None = None, states: Tensor | None = None) -> list[str]:
        if A.device.type != DEVICE:
            return ["the matrices are not on a CUDA GPU"]
        reasons = []
        if A.dtype not in DTYPES:
            reasons.append("the matrices are complex; its kernels compute with real numbers")
        if A.shape[-1] > LARGEST:
            reasons.append(f"the matrices have {A.shape[-1]} rows; its kernels cover 2 to {LARGEST}")
        if not unwatched(A):
            reasons.append(WATCHED)
        if E is not None and not (E.shape == A.shape and E.dtype == A.dtype and E.device == A.device and unwatched(E)):
            reasons.append("the directions are not plain tensors like the matrices")
        if states is not None and not (states.device == A.device and states.dtype in DTYPES and unwatched(states)):
            reasons.append("the states are not plain real tensors on the GPU of the matrices")
        if not reasons and (missing := loading.missing(A.device)):
            reasons.append(missing)
        return reasons

    def exponential(self, A: Tensor, options: Options) -> tuple[Tensor, float | None, Tape | None]:
        X = torch.empty(A.shape, dtype=A.dtype, device=A.device)
        bounds = thresholds.GRADIENT if options.gradient else thresholds.VALUE
        launches.launch(loading.kernels(A.device), "exponentials", (A.resolve_neg(),), X, bounds)
        return X, None, None

    def derivative(self, A: Tensor, E: Tensor, options: Options, *, adjoint: bool) -> Tensor:
        A, E = A.resolve_neg(), E.resolve_neg()
        L = torch.empty(A.shape, dtype=A.dtype, device=A.device)
        launches.launch(loading.kernels(A.device), "derivatives", (A.mT if adjoint else A, E), L, thresholds.GRADIENT)
        return L

    def recurrence(self, P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
        return launches.recurrence(P, u, length, backward)
