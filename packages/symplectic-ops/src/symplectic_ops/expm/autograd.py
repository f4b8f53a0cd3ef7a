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

from .._forward_mode import has_tangent
from .._precision import without_autocast
from . import thresholds
from .finite import FiniteCheck
from .schedule import Tape, cubes, differentiate, evaluate, plan, schedule


class Expm(Function):
    """exp(A) of A (B, n, n), with the tape of its evaluation if `keep` says so (None otherwise).

    `gradient` says that a gradient may be asked for; see `expm` for `norm_bound`; without a `check` NaN goes through.
    """

    @staticmethod
    def forward(
        A: Tensor, keep: bool, gradient: bool, norm_bound: float | None, check: FiniteCheck | None
    ) -> tuple[Tensor, Tape | None]:
        with without_autocast(A.device):
            X, tape = _evaluate(A, thresholds.GRADIENT if gradient else thresholds.VALUE, norm_bound, check)
        return X, tape if keep else None

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tape | None]) -> None:
        A, _, _, norm_bound, _ = inputs
        _, tape = output
        ctx.set_materialize_grads(False)
        ctx.norm_bound = norm_bound
        ctx.save_for_forward(A)
        if tape is None:
            ctx.schedule = None
            ctx.save_for_backward(A)
        else:
            ctx.schedule, ctx.factors = tape.schedule, len(tape.factors)
            ctx.save_for_backward(A, *tape.factors, *tape.squares)

    @staticmethod
    def backward(ctx: Any, G: Tensor | None, _: None) -> tuple[Tensor | None, None, None, None, None]:
        return (None if G is None else Expm._gradient(ctx, G)), None, None, None, None

    @staticmethod
    def _gradient(ctx: Any, G: Tensor) -> Tensor:
        A, *saved = ctx.saved_tensors
        # See Note [The adjoint is a derivative]. The tape is a constant; where this gradient will itself be
        # differentiated, in reverse or forward mode, it has to be computed from A.
        if torch.is_grad_enabled() or has_tangent(A):
            return frechet(A.mH, G, ctx.norm_bound)
        with without_autocast(A.device):
            if ctx.schedule is None:
                _, tape = _evaluate(A, thresholds.GRADIENT, ctx.norm_bound, None)
            else:
                tape = Tape(ctx.schedule, tuple(saved[: ctx.factors]), tuple(saved[ctx.factors :]))
            return differentiate(tape, G, adjoint=True)

    @staticmethod
    def jvp(ctx: Any, dA: Tensor | None, *_: None) -> tuple[Tensor | None, None]:
        (A,) = ctx.saved_tensors
        return (None if dA is None else frechet(A, dA, ctx.norm_bound)), None

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int, ...], A: Tensor, keep: bool, gradient: bool, norm_bound: float | None, _: Any
    ) -> tuple[tuple[Tensor, None], tuple[int, None]]:
        A = A.movedim(in_dims[0], 0)
        X, _ = Expm.apply(A.flatten(0, 1), False, gradient, norm_bound, None)
        return (X.reshape(A.shape), None), (0, None)


class Frechet(Function):
    """L(A, E) of A and E (B, n, n) at degree 18, and the squarings (B,) it used.

    `squarings` (B,) are those to use, or None for what A needs. See Note [Constants of low degree].
    """

    @staticmethod
    def forward(A: Tensor, E: Tensor, squarings: Tensor | None, norm_bound: float | None) -> tuple[Tensor, Tensor]:
        with without_autocast(A.device):
            powers = cubes(A)
            if squarings is None:
                squarings = _squarings(powers, norm_bound)
            _, tape = evaluate(powers, schedule(A, 18, squarings))
            return differentiate(tape, E), squarings.clone()  # autograd forbids returning an input as it is

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        A, E, _, _ = inputs
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
        # See Note [Second derivatives live in a block matrix]. Its diagonal carries the derivative along E for free.
        zero = torch.zeros_like(G)
        L, _ = Frechet.apply(_block(A.mH, E.mH, A.mH), _block(G, zero, G), squarings, None)
        n = A.shape[-1]
        return L[..., :n, n:], L[..., :n, :n], None, None

    @staticmethod
    def jvp(ctx: Any, dA: Tensor | None, dE: Tensor | None, *_: None) -> tuple[Tensor | None, None]:
        A, E, squarings = ctx.saved_tensors
        if dA is None:
            return (None if dE is None else Frechet.apply(A, dE, squarings, None)[0]), None
        dE = torch.zeros_like(dA) if dE is None else dE
        L, _ = Frechet.apply(_block(A, E, A), _block(dA, dE, dA), squarings, None)
        n = A.shape[-1]
        return L[..., :n, n:], None

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[int | None, ...],
        A: Tensor,
        E: Tensor,
        squarings: Tensor | None,
        norm_bound: float | None,
    ) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        def merged(x: Tensor, dim: int | None) -> Tensor:
            return (x.expand(info.batch_size, *x.shape) if dim is None else x.movedim(dim, 0)).flatten(0, 1)

        L, used = Frechet.apply(
            merged(A, in_dims[0]),
            merged(E, in_dims[1]),
            None if squarings is None else merged(squarings, in_dims[2]),
            norm_bound,
        )
        return (L.unflatten(0, (info.batch_size, -1)), used.unflatten(0, (info.batch_size, -1))), (0, 0)


def frechet(A: Tensor, E: Tensor, norm_bound: float | None = None) -> Tensor:
    """L(A, E), the derivative of exp at A in direction E: (B, n, n), differentiable in both to any order."""
    L: Tensor = Frechet.apply(A, E, None, norm_bound)[0]
    return L


def _evaluate(
    A: Tensor,
    bounds: thresholds.Bounds,
    norm_bound: float | None,
    check: FiniteCheck | None,
) -> tuple[Tensor, Tape]:
    measured = norm_bound is None
    norm = float(thresholds.one_norm(A).max()) if norm_bound is None else norm_bound
    if check:
        check.argument(A, norm if measured else None)
    powers, steps = plan(A, bounds[A.dtype.to_real()], norm, measured=measured)
    X, tape = evaluate(powers, steps)
    if check:
        check.result(A, X, norm)
    return X, tape


def _squarings(powers: Tensor, norm_bound: float | None) -> Tensor:
    bound = thresholds.HIGHER[powers.dtype.to_real()]
    if norm_bound is None:
        return thresholds.squarings_for(thresholds.power_norm(*powers), bound)
    count = thresholds.squarings_under(norm_bound, bound)
    return torch.full(powers.shape[1:2], count, device=powers.device)


def _block(upper_left: Tensor, upper_right: Tensor, lower_right: Tensor) -> Tensor:
    """[[upper_left, upper_right], [0, lower_right]], (B, 2n, 2n)."""
    upper = torch.cat([upper_left, upper_right], dim=-1)
    lower = torch.cat([torch.zeros_like(lower_right), lower_right], dim=-1)
    return torch.cat([upper, lower], dim=-2)
