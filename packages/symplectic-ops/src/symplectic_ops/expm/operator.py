"""The exponential as one opaque operator, for torch.compile and torch.export: how it works depends on the numbers.

It has a plain gradient and a rule for vmap. Second derivatives and forward mode raise; torch alone would take an
operator it cannot differentiate forward for a constant, and go on with zeros. Whether its arguments carry directions it
cannot tell, so it does not run at all while a level of forward mode is entered.
"""

from typing import Any

import torch
from torch import Tensor

from .._torch import forward_mode
from ..backends.protocol import Options
from .dispatch import derivative, exponential


def refuse_to_trace_forward_mode() -> None:
    """Raises: NotImplementedError: what is being compiled or exported differentiates in forward mode."""
    from .tracing import traced_in_forward_mode

    if traced_in_forward_mode():
        raise _no_forward_mode()


def _no_forward_mode() -> NotImplementedError:
    return NotImplementedError(
        "expm has no forward-mode derivative inside torch.compile or torch.export, nor has what came out of them. "
        "Differentiate in reverse mode, or call expm itself."
    )


@torch.library.custom_op("symplectic_ops::expm", mutates_args=())
def expm_operator(A: Tensor, gradient: bool, norm_bound: float | None, backend: str) -> Tensor:
    """exp(A) of A (B, n, n); see `Options` for the rest."""
    if forward_mode():
        raise _no_forward_mode()
    return exponential(A, Options(gradient, False, norm_bound, backend))[0]


@torch.library.custom_op("symplectic_ops::expm_derivative", mutates_args=())
def derivative_operator(A: Tensor, E: Tensor, adjoint: bool, norm_bound: float | None, backend: str) -> Tensor:
    """L(A, E), or L(Aᴴ, E) if `adjoint`, of A and E (B, n, n)."""
    if forward_mode():
        raise _no_forward_mode()
    return derivative(A, E, Options(True, False, norm_bound, backend), adjoint=adjoint)


@expm_operator.register_fake
def _(A: Tensor, gradient: bool, norm_bound: float | None, backend: str) -> Tensor:
    return A.new_empty(A.shape)


@derivative_operator.register_fake
def _(A: Tensor, E: Tensor, adjoint: bool, norm_bound: float | None, backend: str) -> Tensor:
    return A.new_empty(A.shape)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    A, _, ctx.norm_bound, ctx.backend = inputs
    ctx.save_for_backward(A)


def _gradient(ctx: Any, G: Tensor) -> tuple[Tensor | None, ...]:
    (A,) = ctx.saved_tensors
    return derivative_operator(A, G, True, ctx.norm_bound, ctx.backend), None, None, None


expm_operator.register_autograd(_gradient, setup_context=_keep)


@expm_operator.register_vmap
def _(info: Any, in_dims: tuple[Any, ...], A: Tensor, *options: Any) -> tuple[Tensor, int]:
    A = A.movedim(in_dims[0], 0)
    return expm_operator(A.flatten(0, 1), *options).reshape(A.shape), 0


@derivative_operator.register_vmap
def _(info: Any, in_dims: tuple[Any, ...], A: Tensor, E: Tensor, *options: Any) -> tuple[Tensor, int]:
    whole = [
        (x.expand(info.batch_size, *x.shape) if dim is None else x.movedim(dim, 0)).flatten(0, 1)
        for x, dim in ((A, in_dims[0]), (E, in_dims[1]))
    ]
    return derivative_operator(*whole, *options).unflatten(0, (info.batch_size, -1)), 0
