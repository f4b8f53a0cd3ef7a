"""The exponential and its Fréchet derivative as differentiable functions of one another.

Note [The adjoint is a derivative]
Write L(A, E) for the derivative of exp at A in direction E. Every intermediate matrix is a polynomial in A and
commutes with the others, so running the algorithm backward is running its derivative forward on the adjoint:
⟨G, L(A, E)⟩ = ⟨L(Aᴴ, G), E⟩. One derivative serves reverse and forward mode, it reuses the intermediates of the
forward pass, transposed, and it is exactly linear in G, so its relative error does not depend on the size of G.

Note [Second derivatives live in a block matrix]
f([[A, E], [0, A]]) = [[f(A), Df(A)[E]], [0, f(A)]] for every polynomial f. With f the polynomial that was used, scaling
and squarings included, the derivative of L is L itself at the block matrix, to any order. The squarings are handed
on rather than read off the block matrix, whose norm depends on E: a large E must not change how A is treated.

Note [Constants of low degree]
A polynomial good enough for a value or a gradient has no second derivative at degree 1 and a poor one at degree 4.
Whatever may be differentiated again is therefore computed at degree 18, from bounds that cover third derivatives.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from .._dtypes import without_autocast
from .._torch import forward_mode, functorch_active
from ..backends.protocol import Options
from ..backends.schedule import Tape, differentiate
from .complex_form import to_complex, to_real
from .dispatch import derivative, exponential, repeatable_derivative


class Expm(Function):
    """exp(A) of A (B, n, n), with a derivative in every mode and of every order."""

    @staticmethod
    def forward(A: Tensor, options: Options) -> Tensor:
        return exponential(A, options)[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Options], output: Tensor) -> None:
        A, ctx.options = inputs
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(A)
        ctx.save_for_forward(A)

    @staticmethod
    def backward(ctx: Any, G: Tensor | None) -> tuple[Tensor | None, None]:
        (A,) = ctx.saved_tensors
        return (None if G is None else frechet(A.mH, G, ctx.options)), None

    @staticmethod
    def jvp(ctx: Any, dA: Tensor | None, _: None) -> Tensor | None:
        (A,) = ctx.saved_tensors
        return None if dA is None else frechet(A, dA, ctx.options)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int, ...], A: Tensor, options: Options) -> tuple[Tensor, int]:
        A = A.movedim(in_dims[0], 0)
        X = Expm.apply(A.flatten(0, 1), options._replace(keep=False, check=None))
        return X.reshape(A.shape), 0


class EagerExpm(Function):
    """Expm for where no transform of torch.func is active: with the shortest way to a plain gradient.

    Without their rules (`setup_context` and `vmap`) torch does not inspect signatures, which takes as long as a small
    exponential; and what the gradient needs can be kept.
    """

    @staticmethod
    def forward(ctx: Any, A: Tensor, options: Options) -> Tensor:
        X, tape = exponential(A, options)
        ctx.options, ctx.schedule = options, None
        if tape is None:
            ctx.save_for_backward(A)
        else:
            ctx.schedule, ctx.factors = tape.schedule, len(tape.factors)
            ctx.save_for_backward(A, *tape.factors, *tape.squares)
        if forward_mode():
            ctx.save_for_forward(A)
        return X

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor, None]:
        A, *saved = ctx.saved_tensors
        # See Note [The adjoint is a derivative]. What was kept is constant; where this gradient will itself be
        # differentiated, in reverse or forward mode, it has to be computed from A.
        if torch.is_grad_enabled() or functorch_active() or forward_mode():
            if ctx.options.complex_form:
                return to_real(frechet(to_complex(A).mH, to_complex(G), ctx.options)), None
            return frechet(A.mH, G, ctx.options), None
        if ctx.schedule is None:
            return derivative(A, G, ctx.options, adjoint=True), None
        with without_autocast(A.device):
            tape = Tape(ctx.schedule, tuple(saved[: ctx.factors]), tuple(saved[ctx.factors :]))
            return differentiate(tape, G, adjoint=True), None

    @staticmethod
    def jvp(ctx: Any, dA: Tensor, _: None) -> Tensor:
        (A,) = ctx.saved_tensors
        return frechet(A, dA, ctx.options)


class Frechet(Function):
    """L(A, E) of A and E (B, n, n) at degree 18, and the squarings (B,) it used.

    `squarings` (B,) are those to use, or None for what A needs. See Note [Constants of low degree].
    """

    @staticmethod
    def forward(A: Tensor, E: Tensor, squarings: Tensor | None, options: Options) -> tuple[Tensor, Tensor]:
        L, used = repeatable_derivative(A, E, squarings, options)
        return L, used.clone() if used is squarings else used  # autograd forbids returning an input as it is

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        A, E, _, ctx.options = inputs
        _, squarings = output
        ctx.mark_non_differentiable(squarings)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(A, E, squarings)
        ctx.save_for_forward(A, E, squarings)

    @staticmethod
    def backward(ctx: Any, G: Tensor | None, _: None) -> tuple[Tensor | None, Tensor | None, None, None]:
        if G is None:
            return None, None, None, None
        A, E, squarings = ctx.saved_tensors
        if not ctx.needs_input_grad[0]:
            return None, Frechet.apply(A.mH, G, squarings, ctx.options)[0], None, None
        # See Note [Second derivatives live in a block matrix]. Its diagonal carries the derivative along E for free.
        zero = torch.zeros_like(G)
        L, _ = Frechet.apply(_block(A.mH, E.mH, A.mH), _block(G, zero, G), squarings, ctx.options)
        n = A.shape[-1]
        return L[..., :n, n:], L[..., :n, :n], None, None

    @staticmethod
    def jvp(ctx: Any, dA: Tensor | None, dE: Tensor | None, *_: None) -> tuple[Tensor | None, None]:
        A, E, squarings = ctx.saved_tensors
        if dA is None:
            return (None if dE is None else Frechet.apply(A, dE, squarings, ctx.options)[0]), None
        dE = torch.zeros_like(dA) if dE is None else dE
        L, _ = Frechet.apply(_block(A, E, A), _block(dA, dE, dA), squarings, ctx.options)
        n = A.shape[-1]
        return L[..., :n, n:], None

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        A: Tensor,
        E: Tensor,
        squarings: Tensor | None,
        options: Options,
    ) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        def merged(x: Tensor, dim: int | None) -> Tensor:
            return (x.expand(info.batch_size, *x.shape) if dim is None else x.movedim(dim, 0)).flatten(0, 1)

        L, used = Frechet.apply(
            merged(A, in_dims[0]),
            merged(E, in_dims[1]),
            None if squarings is None else merged(squarings, in_dims[2]),
            options,
        )
        return (L.unflatten(0, (info.batch_size, -1)), used.unflatten(0, (info.batch_size, -1))), (0, 0)


def frechet(A: Tensor, E: Tensor, options: Options) -> Tensor:
    """L(A, E), the derivative of exp at A in direction E: (B, n, n), differentiable in both to any order."""
    L: Tensor = Frechet.apply(A, E, None, options)[0]
    return L


def _block(upper_left: Tensor, upper_right: Tensor, lower_right: Tensor) -> Tensor:
    """[[upper_left, upper_right], [0, lower_right]], (B, 2n, 2n)."""
    upper = torch.cat([upper_left, upper_right], dim=-1)
    lower = torch.cat([torch.zeros_like(lower_right), lower_right], dim=-1)
    return torch.cat([upper, lower], dim=-2)
