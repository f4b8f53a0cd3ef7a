"""Linear recurrences y_t = P y_{t−1} + u_t: a flow at evenly spaced times, and the adjoint of one.

On a GPU with Triton the whole is one kernel.

Note [The adjoint is a recurrence]
With g_t the incoming gradient and λ_t that of everything from time t on with respect to y_t, λ_t = Pᵀ λ_{t+1} + g_t,
which runs backward in time. The gradient of u is λ itself, and that of P is the sum of λ_t y_{t−1}ᵀ.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from .._transforms import unwatched
from ..expm import fused

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
    y: Tensor = Recurrence.apply(P, start[:, None], length, False)
    return y


def suits(P: Tensor, start: Tensor) -> bool:
    """Whether steps of `start` (b, k, n) by P (k, n, n) are one kernel."""
    return fused.suits(P) and start.device == P.device and start.dtype in (torch.float32, torch.float64)


def grid(times: Tensor) -> tuple[float, float] | None:
    """The first of three or more times (t,) in float64 and the step to each next one, if it is one step for all."""
    if len(times) < 3:
        return None
    first, last = float(times[0]), float(times[-1])
    step = (last - first) / (len(times) - 1)
    even = first + step * torch.arange(len(times), dtype=times.dtype, device=times.device)
    rounding = 4 * torch.finfo(times.dtype).eps * max(abs(first), abs(last))
    return (first, step) if bool(((times - even).abs() <= rounding).all()) else None


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
        P, y = ctx.saved_tensors
        run = Recurrence.apply if torch.is_grad_enabled() else recurrence
        adjoint = run(P.mT, G, G.shape[1], not ctx.backward)
        d_P = None
        if ctx.needs_input_grad[0]:
            later, earlier = (adjoint[:, :-1], y[:, 1:]) if ctx.backward else (adjoint[:, 1:], y[:, :-1])
            later, earlier = (x.reshape(-1, *P.shape[:2]) for x in (later, earlier))
            d_P = (later.permute(1, 2, 0) @ earlier.transpose(0, 1)).to(P.dtype)
        first = adjoint[:, -1:] if ctx.backward else adjoint[:, :1]
        return d_P, adjoint if ctx.added else first, None, None


def recurrence(P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
    """`Recurrence` without a derivative."""
    if not (suits(P, u) and unwatched(u)):
        return _loop(P, u, length, backward)
    from .kernel import recurrences

    b, _, k, n = u.shape
    y = torch.empty(b, length, k, n, dtype=u.dtype, device=u.device)
    size = next(size for size in WARPS if n <= size)
    at, sign = (-1, -1) if backward else (0, 1)
    with torch.cuda.device_of(y):  # type: ignore[no-untyped-call]
        recurrences[(k, -(-b // ROWS))](
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
            n,
            length,
            ADDED=u.shape[1] > 1,
            SIZE=size,
            ROWS=ROWS,
            num_warps=WARPS[size],
        )
    return y


def _loop(P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
    """The same in plain operations."""
    times = range(length - 1, -1, -1) if backward else range(length)
    added = [u[:, t if u.shape[1] > 1 else 0].to(P.dtype) for t in times[: u.shape[1]]]
    states = added[:1]
    for t in range(1, length):
        moved = (P @ states[-1][..., None]).squeeze(-1)
        states.append(moved + added[t] if len(added) > 1 else moved)
    return torch.stack(states[::-1] if backward else states, 1).to(u.dtype)
