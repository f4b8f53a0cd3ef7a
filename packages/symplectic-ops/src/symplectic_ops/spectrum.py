"""What a generator does, read off its eigenvalues: frequencies, periods, growth."""

import math

import torch
from torch import Tensor

from ._dtypes import double
from .errors import check_finite
from .form import check_real, pairs


def frequencies(H: Tensor) -> Tensor:
    """The angular frequency of each of the d modes of H (..., 2d, 2d): (..., d), lowest first.

    |Im λ| for one eigenvalue λ of each pair, in radians per unit of time; zero for a mode that does not turn.
    Defined for every real matrix of even size.

    Raises:
        StructureError: H is not square of even size.
        TypeError: H is not real floating point.
        NonFiniteError: H holds NaN or infinity.

    >>> spring = torch.tensor([[0.0, 1.0], [-4.0, 0.0]])
    >>> frequencies(spring)
    tensor([2.])
    """
    return _eigenvalues(H).imag.abs().sort(-1).values[..., ::2].to(H)


def periods(H: Tensor) -> Tensor:
    """How long each of the d modes of H (..., 2d, 2d) takes to come round: (..., d), longest first.

    2π / ω in units of time (frames, where H is per frame); infinite for a mode that does not turn.

    Raises:
        StructureError: H is not square of even size.
        TypeError: H is not real floating point.
        NonFiniteError: H holds NaN or infinity.

    >>> clock_hand = 2 * torch.pi / 12 * form(1)  # once round in twelve hours
    >>> periods(clock_hand).round(decimals=4)
    tensor([12.])
    """
    return 2 * math.pi / frequencies(H)


def growth_rates(H: Tensor) -> Tensor:
    """The rates at which orbits of H (..., 2d, 2d) grow or decay: Re λ per unit of time, (..., 2d), highest first.

    After time t a mode is e^(rate · t) times as long. All are zero for an elliptic or a skew-symmetric Hamiltonian
    matrix; those of a Hamiltonian matrix come in pairs ±rate.

    Raises:
        StructureError: H is not square of even size.
        TypeError: H is not real floating point.
        NonFiniteError: H holds NaN or infinity.

    >>> growth_rates(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))  # the saddle
    tensor([ 1., -1.])
    """
    return _eigenvalues(H).real.sort(-1, descending=True).values.to(H)


def _eigenvalues(H: Tensor) -> Tensor:
    """In double precision: rounding moves a double eigenvalue by the square root of itself."""
    pairs(H, "H")
    check_real(H, "H")
    check_finite(H, "H")
    eigenvalues: Tensor = torch.linalg.eigvals(double(H))
    return eigenvalues
