"""Linear recurrences y_t = P y_{t−1} + u_t: a flow at evenly spaced times, and the adjoint of one.

One kernel or one call where a backend has them; see `Backend.recurrence`.

Note [The adjoint is a recurrence]
With g_t the incoming gradient and λ_t that of everything from time t on with respect to y_t, λ_t = Pᵀ λ_{t+1} + g_t,
which runs backward in time. The gradient of u is λ itself, and that of P is the sum of λ_t y_{t−1}ᵀ.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from .._dtypes import without_autocast
from .._torch import watched
from ..backends import TORCH, choose


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
        run = TORCH.recurrence if watched(G) else Recurrence.apply if torch.is_grad_enabled() else recurrence
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
    return choose("auto", P, states=u).recurrence(P, u, length, backward)
