"""Linear Hamiltonian flow: s(t) = exp(tH) s₀ at any real times, forward and backward."""

import math

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ._precision import WORKING_DTYPES, without_autocast
from .errors import NonFiniteError, StructureError
from .expm import Structure, expm

# Up to so many distinct times each gets its own exponential; more whole times are composed of two parts.
FEW_TIMES = 32


def flow(
    H: Tensor, s0: Tensor, times: Tensor, *, structure: Structure | None = None, precise: bool = False
) -> Tensor:
    r"""The solution :math:`s(t) = e^{tH} s_0` of ds/dt = H s at the given times.

    Each distinct time costs one exponential per matrix, however often it occurs; many whole times are split as
    t = t₁ + t₂ with few distinct parts. Nothing is stepped, so a late time is as accurate as one exponential of that
    norm, and s(0) is s0 to the last bit. In float16 and bfloat16 the work is done in float32 and rounded once.
    Autocasting has no effect.

    Args:
        H: generators (*k, n, n).
        s0: states at time zero, (b, *k, n), or (*k, n) for one state. Same dtype as H.
        times: real times of any dtype, negative is backward: (t,), shared by the batch, or (b, t).
        structure: what is known of H; see `expm`.
        precise: compute in double precision and round the result.

    Returns:
        (b, t, *k, n); b is absent when neither s0 nor times has it. Differentiable in H, s0 and times.

    Raises:
        StructureError: shapes that do not fit together.
        TypeError: H and s0 differ in dtype, or are not floating point.
        NonFiniteError: a time or H is not finite, or the flow overflows the dtype.

    Example:
        >>> H = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])  # the unit oscillator, once round in 2π
        >>> flow(H, torch.tensor([1.0, 0.0]), torch.tensor([0.0, torch.pi / 2, torch.pi])).round(decimals=4) + 0.0
        tensor([[ 1.,  0.],
                [ 0., -1.],
                [-1.,  0.]])
    """
    _check(H, s0, times)
    work = WORKING_DTYPES[H.dtype]
    if precise:
        work = torch.complex128 if work.is_complex else torch.float64
    n, blocks = H.shape[-1], H.shape[:-2]
    one_state, one_grid = s0.ndim < H.ndim, times.ndim == 1
    grids = times[None] if one_grid else times
    states = (s0[None] if one_state else s0).to(work)
    generators = H.to(work).reshape(-1, n, n)
    states = states.reshape(len(states), 1, len(generators), n)
    with without_autocast(H.device):
        states = _advance(generators, states, grids, structure)
    states = states.reshape(*states.shape[:2], *blocks, n).to(s0.dtype)
    return states[0] if one_state and one_grid else states


def _advance(H: Tensor, states: Tensor, times: Tensor, structure: Structure | None) -> Tensor:
    """The states (b or 1, 1, k, n) at times (b or 1, t): (b, t, k, n)."""
    if times.requires_grad or forward_ad.unpack_dual(times).tangent is not None:
        # Which times are equal is no differentiable question; each gets its own exponential.
        return _apply(expm(times.to(H.dtype)[..., None, None, None] * H, structure=structure), states)
    distinct, parts = _distinct_parts(times)
    if not bool(distinct.isfinite().all()):
        raise NonFiniteError("`times` contains NaN or infinity; every time must be a finite number.")
    propagators = expm(distinct.to(H.dtype)[:, None, None, None] * H, structure=structure)
    for part in parts:
        states = _apply(propagators[part], states)
    return states


def _apply(propagators: Tensor, states: Tensor) -> Tensor:
    """Propagators (b or 1, t, k, n, n) on states (b or 1, t or 1, k, n)."""
    return torch.einsum("btkij,btkj->btki", propagators, states)


def _distinct_parts(times: Tensor) -> tuple[Tensor, Tensor]:
    """The times to exponentiate (u,), and for each time the one or two of them that add up to it (1 or 2, b, t)."""
    distinct, index = times.unique(return_inverse=True)
    if len(distinct) > FEW_TIMES and bool((distinct == distinct.round()).all()):
        # Splitting at a power of two near the square root of the range is exact and leaves about 2√range parts.
        stride = 2 ** round(math.log2(float(distinct[-1] - distinct[0])) / 2)
        coarse = (distinct / stride).round() * stride
        parts, part_index = torch.stack([distinct - coarse, coarse]).unique(return_inverse=True)
        if len(parts) < len(distinct):
            return parts, part_index[:, index]
    return distinct, index[None]


def _check(H: Tensor, s0: Tensor, times: Tensor) -> None:
    if H.ndim < 2 or H.shape[-1] != H.shape[-2]:
        raise StructureError(f"`H` must be square generators (*k, n, n); got {tuple(H.shape)}.")
    state = H.shape[:-1]
    if s0.ndim not in (len(state), len(state) + 1) or s0.shape[s0.ndim - len(state) :] != state:
        raise StructureError(
            f"`s0` must be one state {tuple(state)} or a batch (b, {', '.join(map(str, state))}) to go with `H` "
            f"{tuple(H.shape)}; got {tuple(s0.shape)}."
        )
    batch = None if s0.ndim == len(state) else len(s0)
    if times.ndim not in (1, 2) or (times.ndim == 2 and batch is not None and len(times) != batch):
        raise StructureError(
            f"`times` must be (t,) or (b, t) with b the batch of `s0` {tuple(s0.shape)}; got {tuple(times.shape)}."
        )
    if times.is_complex():
        raise TypeError(f"`times` must be real; got {times.dtype}.")
    if H.dtype != s0.dtype or H.dtype not in WORKING_DTYPES:
        raise TypeError(
            f"`H` and `s0` must have one floating-point dtype; got {H.dtype} and {s0.dtype}. Convert one of them."
        )
