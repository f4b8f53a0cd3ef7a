"""What a generator does, read off its spectrum: frequencies, growth, energy."""

import torch
from torch import Tensor

from .form import apply_form, pairs


def frequencies(H: Tensor) -> Tensor:
    """The angular frequency of each of the d modes of H (..., 2d, 2d): (..., d), lowest first.

    |Im λ| for one eigenvalue λ of each pair, in radians per unit of time; zero for a mode that does not turn. A mode
    of frequency ω goes round ω / 2π times per unit of time, once in 2π / ω. Defined for every real matrix of even
    size.

    Raises:
        StructureError: H is not square of even size.

    >>> spring = torch.tensor([[0.0, 1.0], [-4.0, 0.0]])
    >>> frequencies(spring)
    tensor([2.])
    """
    return _eigenvalues(H).imag.abs().sort(-1).values[..., ::2].to(H.dtype)


def growth_rates(H: Tensor) -> Tensor:
    """The rates at which orbits of H (..., 2d, 2d) grow or decay: Re λ per unit of time, (..., 2d), highest first.

    After time t a mode is e^(rate · t) times as long. All are zero for an elliptic or a skew-symmetric Hamiltonian
    matrix; those of a Hamiltonian matrix come in pairs ±rate.

    Raises:
        StructureError: H is not square of even size.

    >>> growth_rates(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))  # the saddle
    tensor([ 1., -1.])
    """
    return _eigenvalues(H).real.sort(-1, descending=True).values.to(H.dtype)


def energy(H: Tensor, s: Tensor) -> Tensor:
    """½ sᵀMs of states s (..., 2d) under Hamiltonian matrices H = J M (..., 2d, 2d): (...), constant along the flow.

    The leading dimensions of H and s broadcast.

    Raises:
        StructureError: H is not square of even size.

    >>> spring = torch.tensor([[0.0, 1.0], [-4.0, 0.0]])  # ½(4q² + p²)
    >>> energy(spring, torch.tensor([1.0, 2.0]))
    tensor(4.)
    """
    pairs(H, "H")
    return -0.5 * (s.unsqueeze(-2) @ apply_form(H) @ s.unsqueeze(-1)).squeeze(-1).squeeze(-1)


def _eigenvalues(H: Tensor) -> Tensor:
    """In double precision: rounding moves a double eigenvalue by the square root of itself."""
    pairs(H, "H")
    eigenvalues: Tensor = torch.linalg.eigvals(H.to(torch.float64))
    return eigenvalues
