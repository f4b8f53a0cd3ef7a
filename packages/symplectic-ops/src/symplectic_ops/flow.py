"""Linear Hamiltonian flow: s(t) = exp(tH) s₀ at any real times, forward and backward."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ._precision import WORKING_DTYPES, has_double, without_autocast
from ._transforms import forward_mode, functorch_active, has_tangent
from .errors import NonFiniteError, StructureError
from .expm import Structure, expm
from .parameterisations import Space
from .propagators import propagators
from .stepping import grid, steps, suits

LITTLE = 2**17  # numbers; copying fewer takes less time than lining states up


def flow(H: Tensor, s0: Tensor, times: Tensor, *, structure: Structure | None = None, precise: bool = False) -> Tensor:
    r"""The solution :math:`s(t) = e^{tH} s_0` of ds/dt = H s at the given times.

    Nothing is stepped in the dtype of the states: each distinct time has its propagator exp(tH), computed in double
    precision, so the state 200 frames away is as accurate as the next, and s(0) is s0 to the last bit. On a GPU, evenly
    spaced times are one kernel that steps in double precision. In float16 and bfloat16 states are moved in float32 and
    rounded once. Autocasting has no effect.

    Args:
        H: generators (*k, n, n).
        s0: states at time zero, (b, *k, n), or (*k, n) for one state. Same dtype as H.
        times: real times of any dtype, negative is backward: (t,), shared by the batch, or (b, t).
        structure: what is known of H; see `expm`.
        precise: move the states in double precision too, and round the result.

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
    # Where the device has no double precision, propagators are computed on the CPU and rounded on their way there.
    home = H.device if has_double(H.device) else torch.device("cpu")
    times = times.to(home, torch.float64)
    double = torch.complex128 if H.is_complex() else torch.float64
    n, blocks = H.shape[-1], H.shape[:-2]
    one_state, one_grid = s0.ndim < H.ndim, times.ndim == 1
    generators = H.to(home, double).reshape(-1, n, n)
    states = s0[None] if one_state else s0
    states = states.to(home, double) if precise else states.to(WORKING_DTYPES[s0.dtype])
    states = states.reshape(len(states), 1, len(generators), n)
    with without_autocast(H.device):
        states = _advance(generators, states, times[None] if one_grid else times, structure)
    states = states.reshape(*states.shape[:2], *blocks, n).to(s0)
    if not bool(states.detach().isfinite().all()):
        raise _not_finite(H, s0, times)
    return states[0] if one_state and one_grid else states


class Flow(nn.Module):
    """A flow with learnable generators of one space.

    The generators start at random, with entries of the order of 1 / 2d: orbits of some tens of time units.

    Args:
        space: what the generators are, for example `Hamiltonian(4)`.
        *blocks: how many there are, (*k); none for a single one.
        precise: see `flow`.

    Attributes:
        generator: (*k, 2d, 2d), computed from its parameters. Assigning a matrix of the space sets them.

    Example:
        >>> motion = Flow(SkewSymmetricHamiltonian(4), 9)
        >>> motion(torch.zeros(2, 9, 8), torch.arange(5)).shape
        torch.Size([2, 5, 9, 8])
    """

    generator: Tensor

    def __init__(self, space: Space, *blocks: int, precise: bool = False) -> None:
        super().__init__()
        self.structure, self.precise = space.structure, precise
        self.generator = nn.Parameter(space(torch.randn(*blocks, space.dim) / (2 * space.d)).detach())
        parametrize.register_parametrization(self, "generator", space)

    def forward(self, s0: Tensor, times: Tensor) -> Tensor:
        """The states at `times`, from s0 (b, *k, 2d) or (*k, 2d): see `flow`."""
        return flow(self.generator, s0, times, structure=self.structure, precise=self.precise)


def _advance(H: Tensor, states: Tensor, times: Tensor, structure: Structure | None) -> Tensor:
    """The states (b or 1, 1, k, n) at times (b or 1, t): (b, t, k, n)."""
    if times.requires_grad or has_tangent(times):
        # Which times are equal is no differentiable question: each gets its own exponential.
        moving = expm(times.to(H.dtype)[..., None, None, None] * H, structure=structure, check_finite=False)
        return torch.einsum("btkij,btkj->btki", moving.to(states), states)
    if len(times) == 1 and suits(H, states) and not functorch_active() and not forward_mode():
        even = grid(times[0])
        if even is not None:
            return _step(H, states[:, 0], *even, times.shape[1], structure)
    shape = (len(states) if len(times) == 1 else len(times), times.shape[1])
    states = states.expand(*shape, *states.shape[2:]).flatten(0, 1)
    for table, index in propagators(H, times, structure):
        states = _apply(table.to(states), index.expand(shape).flatten().to(states.device), states)
    return states.reshape(*shape, *states.shape[1:])


def _step(H: Tensor, start: Tensor, first: float, step: float, length: int, structure: Structure | None) -> Tensor:
    """The states (b, k, n) at evenly spaced times: (b, t, k, n)."""
    to_first, to_next = expm(torch.stack([first * H, step * H]), structure=structure, check_finite=False)
    return steps(to_next, torch.einsum("kij,bkj->bki", to_first, start.to(H.dtype)).to(start.dtype), length)


def _apply(table: Tensor, index: Tensor, states: Tensor) -> Tensor:
    """Row index[p] of the table (u, k, n, n) times state p (p, k, n): (p, k, n).

    States that share a matrix are lined up and multiplied at once, short lines filled up with zeros. That beats
    giving every state its own copy of the matrix, unless there is little to copy or one line is much longer than the
    rest.
    """
    if len(index) * table.shape[1:].numel() <= LITTLE:
        return _apply_copies(table, index, states)
    counts = torch.bincount(index, minlength=len(table))
    width = int(counts.max()) if len(index) else 0
    if width * len(table) > 8 * len(index):
        return _apply_copies(table, index, states)
    order = index.argsort(stable=True)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts)[index[order]]
    slot = index * width + place
    lines = states.new_zeros(len(table) * width, *states.shape[1:]).index_copy(0, slot, states)
    lines = torch.einsum("ukij,uwkj->uwki", table, lines.reshape(len(table), width, *states.shape[1:]))
    return lines.flatten(0, 1)[slot]


def _apply_copies(table: Tensor, index: Tensor, states: Tensor) -> Tensor:
    return torch.einsum("pkij,pkj->pki", table.index_select(0, index), states)


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


def _not_finite(H: Tensor, s0: Tensor, times: Tensor) -> NonFiniteError:
    """The reason why a flow holds NaN or infinity."""
    for name, x in (("H", H), ("s0", s0), ("times", times)):
        bad = (~x.detach().isfinite()).nonzero()
        if len(bad):
            entry = f"{name}[{', '.join(map(str, bad[0].tolist()))}]"
            return NonFiniteError(
                f"`{entry}` is NaN or infinite, so no orbit can be followed. Look for a diverged step."
            )
    return NonFiniteError(
        f"the flow left the range of {str(s0.dtype).removeprefix('torch.')}, because its orbits grow. Take shorter "
        "times, or generators with bounded orbits (elliptic or skew-symmetric)."
    )
