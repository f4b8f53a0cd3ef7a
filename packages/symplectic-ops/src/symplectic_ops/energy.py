"""The energy ½ sᵀMs that a Hamiltonian flow keeps, and how well a trajectory has kept it."""

import torch
from torch import Tensor

from ._dtypes import double, without_autocast
from .errors import StructureError
from .form import apply_form, check_real, pairs


def energy(H: Tensor, s: Tensor) -> Tensor:
    """½ sᵀMs of states s (..., 2d) under Hamiltonian matrices H = J M (..., 2d, 2d): (...), constant along the flow.

    The leading dimensions of H and s broadcast.

    Raises:
        StructureError: H is not square of even size, or s does not go with it.
        TypeError: H is not real floating point.

    >>> spring = torch.tensor([[0.0, 1.0], [-4.0, 0.0]])  # ½(4q² + p²)
    >>> energy(spring, torch.tensor([1.0, 2.0]))
    tensor(4.)
    """
    pairs(H, "H")
    check_real(H, "H")
    if s.ndim < 1 or s.shape[-1] != H.shape[-1] or s.dtype != H.dtype:
        raise StructureError(
            f"`s` must be states (..., {H.shape[-1]}) in {H.dtype} to go with `H` {tuple(H.shape)}; got "
            f"{tuple(s.shape)} in {s.dtype}."
        )
    with without_autocast(H.device):
        return -0.5 * (s.unsqueeze(-2) @ apply_form(H) @ s.unsqueeze(-1)).squeeze(-1).squeeze(-1)


def energy_drift(H: Tensor, s: Tensor) -> Tensor:
    """How far the energy has moved along a trajectory since its first state, relative to its size there.

    (E(t) − E(0)) / ½ s₀ᵀ|M|s₀, with |M| as M but all its eigenvalues positive: the relative change of the energy
    where that is definite, and no division by nothing where positive and negative parts cancel. From a state at rest,
    whose size is a rounding, it is the difference itself. Evaluated in double precision, so that what
    is seen is the drift of the states and not the rounding of their energy.

    Args:
        H: generators (*k, 2d, 2d).
        s: states (..., t, *k, 2d), as `flow` returns them, t ≥ 1.

    Returns:
        (..., t, *k), zero at the first state.

    Raises:
        StructureError: H is not square of even size, or s is not a trajectory of it.

    >>> spring = torch.tensor([[0.0, 1.0], [-4.0, 0.0]])
    >>> energy_drift(spring, torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 2.2]])).round(decimals=4)
    tensor([0.0000, 0.0000, 0.2100])
    """
    pairs(H, "H")
    time = s.ndim - H.ndim
    if time < 0 or s.shape[time + 1 :] != H.shape[:-1] or not s.shape[time]:
        raise StructureError(
            f"`s` must be a trajectory (..., t, {', '.join(map(str, H.shape[:-1]))}) of `H` {tuple(H.shape)} with at "
            f"least one state; got {tuple(s.shape)}."
        )
    generator, states = double(H), double(s)
    M = -apply_form(generator)
    curvature, axes = torch.linalg.eigh((M + M.mT) / 2)
    positive = apply_form((axes * curvature.abs().unsqueeze(-2)) @ axes.mT)
    start = states.narrow(time, 0, 1)
    E, size = energy(generator, states), energy(positive, start)
    # What rounding alone leaves of a state at rest is no energy to divide by.
    rounding = H.shape[-1] * torch.finfo(M.dtype).eps * curvature.abs().amax(-1) * start.square().sum(-1) / 2
    return ((E - E.narrow(time, 0, 1)) / torch.where(size <= rounding, 1, size)).to(s)
