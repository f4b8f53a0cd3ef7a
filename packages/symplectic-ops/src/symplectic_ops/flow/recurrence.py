"""Linear recurrences y_t = P y_{t−1} + u_t: a flow at evenly spaced times, and the adjoint of one.

On a GPU with Triton the whole is one kernel, and on a CPU with numba one call.

Note [The adjoint is a recurrence]
With g_t the incoming gradient and λ_t that of everything from time t on with respect to y_t, λ_t = Pᵀ λ_{t+1} + g_t,
which runs backward in time. The gradient of u is λ itself, and that of P is the sum of λ_t y_{t−1}ᵀ.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from .._dtypes import without_autocast
from .._torch import unwatched, watched
from ..backends import cpu, gpu

ROWS = 16  # of the batch, for each program
WARPS = {8: 1, 16: 1, 32: 2}  # by the size of the matrices


def steps(P: Tensor, start: Tensor, length: int) -> Tensor:
    """The states start, P start, P² start, ...: one step after the other, differentiable any number of times.

    Args:
        P: (k, n, n), the dtype of the arithmetic.
        start: (b, k, n), of this dtype or a shorter one, to which every state is rounded as it leaves.
        length: how many states, the first included; at least 1.

    Returns:
        (b, length, k, n), dtype of `start`.
    """
    if not (torch.is_grad_enabled() and (P.requires_grad or start.requires_grad)):
        return recurrence(P, start[:, None], length, False)
    y: Tensor = Recurrence.apply(P, start[:, None], length, False)
    return y


def suits(P: Tensor, start: Tensor) -> bool:
    """Whether steps of `start` (b, k, n) by P (k, n, n) are one kernel, or one call."""
    return cpu.suits_recurrence(P, start) or _on_gpu(P, start)


def _on_gpu(P: Tensor, start: Tensor) -> bool:
    return gpu.suits(P) and start.device == P.device and start.dtype in (torch.float32, torch.float64)


class Recurrence(Function):
    """y_t = P y_{t−1} + u_t for `length` times, from the last to the first if `backward`.

    P is (k, n, n); u is (b, length, k, n), or (b, 1, k, n) where nothing is added after the start.
    """

    @staticmethod
    def forward(ctx: Any, P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
        y = recurrence(P, u, length, backward)
        ctx.save_for_backward(P, y)
        ctx.backward, ctx.added = backward, u.shape[1] > 1
        return y

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        """See Note [The adjoint is a recurrence]."""
        with without_autocast(G.device):
            return Recurrence._backward(ctx, G)

    @staticmethod
    def _backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        P, y = ctx.saved_tensors
        run = _loop if watched(G) else Recurrence.apply if torch.is_grad_enabled() else recurrence
        adjoint = run(P.mT, G, G.shape[1], not ctx.backward)
        d_P = None
        if ctx.needs_input_grad[0]:
            later, earlier = (adjoint[:, :-1], y[:, 1:]) if ctx.backward else (adjoint[:, 1:], y[:, :-1])
            k, _, n = P.shape
            later, earlier = (x.permute(2, 1, 0, 3).reshape(k, -1, n) for x in (later, earlier))
            d_P = (later.mT @ earlier).to(P.dtype)
        first = adjoint[:, -1:] if ctx.backward else adjoint[:, :1]
        return d_P, adjoint if ctx.added else first, None, None


def recurrence(P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
    """`Recurrence` without a derivative."""
    if cpu.suits_recurrence(P, u):
        return _march(P, u, length, backward)
    if not (_on_gpu(P, u) and unwatched(u)):
        return _loop(P, u, length, backward)
    from ..backends.gpu.recurrence import recurrences

    P, u = P.resolve_neg(), u.resolve_neg()  # a kernel reads memory as it is
    b, _, k, n = u.shape
    y = torch.empty(b, length, k, n, dtype=u.dtype, device=u.device)
    size = next(size for size in WARPS if n <= size)
    at, sign = (-1, -1) if backward else (0, 1)
    with torch.cuda.device_of(y):  # type: ignore[no-untyped-call]
        recurrences[grid(b, k)](
            P,
            *P.stride(),
            u[:, at],
            u.stride(0),
            sign * u.stride(1),
            *u.stride()[2:],
            y[:, at],
            y.stride(0),
            sign * y.stride(1),
            b,
            k,
            n,
            length,
            ADDED=u.shape[1] > 1,
            SIZE=size,
            ROWS=ROWS,
            num_warps=WARPS[size],
        )
    return y


def grid(b: int, k: int) -> tuple[int]:
    """Programs for b states of k blocks, along the one axis of a grid that may have more than 65535."""
    return (-(-b // ROWS) * k,)


def _march(P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
    """The same compiled for the CPU, where the states of a block lie together."""
    b, added, k, n = u.shape
    y = cpu.unfilled((k, length, b, n), u.dtype)
    at = -1 if backward else 0
    y.select(1, at).copy_(u.select(1, at).transpose(0, 1))
    addends = u.resolve_neg().permute(2, 1, 0, 3).contiguous() if added > 1 else None
    cpu.steps(P.mT, y, backward=backward, addends=addends)
    return y.permute(2, 1, 0, 3)


def _loop(P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
    """The same in plain operations."""
    times = range(length - 1, -1, -1) if backward else range(length)
    added = [u[:, t if u.shape[1] > 1 else 0].to(P.dtype) for t in times[: u.shape[1]]]
    states = added[:1]
    for t in range(1, length):
        moved = (P @ states[-1][..., None]).squeeze(-1)
        states.append(moved + added[t] if len(added) > 1 else moved)
    return torch.stack(states[::-1] if backward else states, 1).to(u.dtype)
