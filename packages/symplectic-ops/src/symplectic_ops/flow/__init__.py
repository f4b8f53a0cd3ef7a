"""Linear Hamiltonian flow: s(t) = exp(tH) s₀ at any real times, forward and backward."""

import cmath

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .._dtypes import EPSILON, WORKING_DTYPES, in_double, without_autocast
from .._torch import has_tangent, watched
from ..errors import NonFiniteError, StructureError
from ..expm import Structure, expm
from ..spaces import Space
from .even_grid import EvenGrid, even_grid
from .march import march
from .modes import turn
from .tables import move_by_tables

# Rows up to which blocks are stepped in double precision unasked. On a CPU a row of 8 doubles fills a register, and one
# of floats would leave half of it empty; on a GPU the kernel does no others.
DOUBLES = {"cpu": 8, "cuda": 32}


def flow(H: Tensor, s0: Tensor, times: Tensor, *, structure: Structure | None = None, precise: bool = False) -> Tensor:
    r"""The solution :math:`s(t) = e^{tH} s_0` of ds/dt = H s at the given times.

    s(0) is s0 to the last bit. Times that are evenly spaced, to within a rounding of the finer of their dtype and that
    of H, and the same for the whole batch are stepped through away from zero: in double precision where blocks have at
    most 8 rows (32 on a GPU), else in the precision of H unless `precise` asks for more: there N steps h add up to some
    N (√n + 2‖hH‖₁) roundings. Any other times have their
    propagators from tables of powers or exponentials in double precision, or, where the structure is "skew-symmetric",
    turn every mode at its frequency. So in small blocks, and at such other times, the state 200 frames away is as
    accurate as the next. In float16 and bfloat16 states are moved in float32 and rounded once. Autocasting does not
    round states, nor gradients taken outside of it.

    A flow cannot be recorded in a CUDA graph: it reads its times, and looks at its result.

    Args:
        H: generators (*k, n, n).
        s0: states at time zero, (b, *k, n), or (*k, n) for one state. Same dtype as H.
        times: real times of any dtype, negative is backward: (t,), shared by the batch, or (b, t).
        structure: what is known of H, which is not checked; see `expm`. The states of a matrix that is not
            "skew-symmetric", given as one, are unspecified: each way through the times makes its own of it.
        precise: move the states in double precision, and round only what is returned: no drift however far they go.

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
    n, blocks = H.shape[-1], H.shape[:-2]
    one_state, one_grid = s0.ndim < H.ndim, times.ndim == 1
    dtype = WORKING_DTYPES[H.dtype]
    generators = H.to(dtype).reshape(blocks.numel(), n, n)
    states = s0.to(dtype).reshape(1 if one_state else s0.shape[0], blocks.numel(), n)
    with without_autocast(H.device):
        found, finite = _states(generators, states, times, structure, precise)
    found = found.view(*found.shape[:2], *blocks, n).to(s0.dtype)
    if not (finite and s0.dtype is dtype) and not _finite(found):
        raise _not_finite(H, s0, times)
    return found[0] if one_state and one_grid else found


def _states(
    H: Tensor, states: Tensor, times: Tensor, structure: Structure | None, precise: bool
) -> tuple[Tensor, bool]:
    """The states (b, t, k, n) of generators H (k, n, n), from states (b or 1, k, n), at times (t,) or (b, t).

    And whether they are known to be finite.
    """
    # Where the device has no double precision, propagators are computed on the CPU and rounded on their way there.
    home, double = in_double(H)
    if times.requires_grad or has_tangent(times):
        times = torch.atleast_2d(times).to(home, torch.float64)  # type: ignore[no-untyped-call]
        moved = states.to(home, double) if precise else states
        return _each_by_itself(H.to(home, double), moved, times, structure).to(states), False
    grid = _even(times, double if precise else states.dtype)
    if grid:
        wide = precise or H.shape[-1] <= DOUBLES.get(H.device.type, 0)
        found, finite = march(H, states, grid, wide, structure)
        one = times.ndim == 1 or states.shape[0] > 1
        return found if one else found.expand(len(times), -1, -1, -1).clone(), finite
    times, kept = torch.atleast_2d(times).to(home, torch.float64), states.dtype  # type: ignore[no-untyped-call]
    states = states.to(home, double) if precise else states
    if structure == "skew-symmetric" and _turns(H, states, times):
        return turn(H.to(home, double), states, times).to(H.device, kept), False
    return move_by_tables(H.to(home, double), states, times, structure).to(H.device, kept), False


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


def _even(times: Tensor, dtype: torch.dtype) -> EvenGrid | None:
    """The even grid that times (t,), or all rows of times (b, t), are to within a rounding of their dtype and this."""
    if times.ndim == 2:
        if not len(times) or (times.stride(0) and not bool((times == times[:1]).all())):
            return None
        times = times[0]
    own = times.dtype if times.is_floating_point() else torch.float64
    return even_grid(times, min(EPSILON.get(own) or torch.finfo(own).eps, EPSILON[dtype]))


def _turns(H: Tensor, states: Tensor, times: Tensor) -> bool:
    """Whether to turn modes: at times that tables of whole frames do not serve, in plain reverse mode."""
    plain = not (H.is_complex() or H.shape[-1] % 2 or watched(H) or watched(states))
    return plain and times.numel() > 0 and H.numel() > 0 and not bool((times == times.round()).all())


def _each_by_itself(H: Tensor, states: Tensor, times: Tensor, structure: Structure | None) -> Tensor:
    """With an exponential for each time. Which times are equal is no differentiable question."""
    moving = expm(times.to(H.dtype)[..., None, None, None] * H, structure=structure, check_finite=False)
    return torch.einsum("btkij,btkj->btki", moving.to(states), states[:, None])


def _finite(x: Tensor) -> bool:
    """A sum shows what is not finite in one pass; it may also overflow by itself."""
    x = x.detach()
    return cmath.isfinite(x.sum().item()) or bool(x.isfinite().all())


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
