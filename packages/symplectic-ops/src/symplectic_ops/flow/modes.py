"""Flows of skew-symmetric Hamiltonian generators at any times: every mode turns at its own frequency.

In its complex form (see `expm.complex_form`) a generator is −iA with A Hermitian, A = U diag(ω) U*. A state is written
in modes once, U*z, and is at time t what each mode became by then, U exp(−iωt) U*z: no time has an exponential of its
own, and equal frequencies are nothing special.

The gradient in A is that of Daleckii and Krein (1965): in the basis of modes it is multiplied entry by entry with the
divided differences of exp(−ixt),

    (exp(−iω_i t) − exp(−iω_j t)) / (ω_i − ω_j) = −it exp(−it (ω_i + ω_j) / 2) sinc(t (ω_i − ω_j) / 2),

which has no denominator that vanishes, where the derivatives of U and ω by themselves would.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from .._torch import watched
from ..expm import expm
from ..expm.complex_form import to_complex

PART = 2**22  # numbers; the divided differences are made so many at a time


def turn(H: Tensor, states: Tensor, times: Tensor) -> Tensor:
    """The states (b, t, k, 2d) of the nearest skew-symmetric Hamiltonian generators to H.

    Args:
        H: (k, 2d, 2d), float64.
        states: at time zero, (b or 1, k, 2d), in the dtype of the result.
        times: (b or 1, t), float64.
    """
    generators = to_complex(H)
    q, p = states.chunk(2, dim=-1)
    z = Turn.apply((generators - generators.mH) * 0.5j, torch.complex(q, p), times)
    moved = torch.cat([z.real, z.imag], dim=-1)
    return torch.where(times.to(states.device)[..., None, None] == 0, states[:, None], moved)


class Turn(Function):
    """exp(−itA) z for A Hermitian (k, d, d) complex128, z (b or 1, k, d) and times (b or 1, t): (b, t, k, d)."""

    @staticmethod
    def forward(ctx: Any, A: Tensor, z: Tensor, times: Tensor) -> Tensor:
        frequencies, U = torch.linalg.eigh(A)
        ctx.save_for_backward(A, z, times, frequencies, U)
        return _from_modes(U, _phases(times, frequencies, z) * _to_modes(U, z)[:, None])

    @staticmethod
    def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        A, z, times, frequencies, U = ctx.saved_tensors
        if torch.is_grad_enabled() or watched(G):
            wanted = [x for x, needed in zip((A, z), ctx.needs_input_grad, strict=False) if needed]
            with torch.enable_grad():
                plain = expm(-1j * times[..., None, None, None] * A, check_finite=False)
                moved = torch.einsum("btkij,bkj->btki", *_alike(plain.to(z), z))
                found = iter(torch.autograd.grad(moved, wanted, G, create_graph=True))
            dA, dz = (next(found) if needed else None for needed in ctx.needs_input_grad[:2])
            return dA, dz, None
        modes, incoming = _to_modes(U, z), _to_modes(U, G)
        dA = dz = None
        if ctx.needs_input_grad[0]:
            dA = _gradient_in_modes(times, frequencies, incoming, modes).to(U)
            dA = U @ dA @ U.mH
        if ctx.needs_input_grad[1]:
            dz = _from_modes(U, (incoming * _phases(times, frequencies, z).conj()).sum(1))
            dz = dz.sum_to_size(z.shape)
        return dA, dz, None


def _phases(times: Tensor, frequencies: Tensor, like: Tensor) -> Tensor:
    """exp(−iωt) (b or 1, t, k, d), rounded once."""
    return torch.exp(-1j * times[..., None, None] * frequencies).to(like)


def _to_modes(U: Tensor, z: Tensor) -> Tensor:
    return torch.einsum("kji,...kj->...ki", U.conj().to(z), z)


def _from_modes(U: Tensor, z: Tensor) -> Tensor:
    return torch.einsum("kij,...kj->...ki", U.to(z), z)


def _gradient_in_modes(times: Tensor, frequencies: Tensor, incoming: Tensor, modes: Tensor) -> Tensor:
    """The gradient in A in the basis of modes, (k, d, d)."""
    mean = (frequencies[:, :, None] + frequencies[:, None, :]) / 2
    apart = (frequencies[:, :, None] - frequencies[:, None, :]) / (2 * math.pi)
    total = torch.zeros_like(mean, dtype=torch.complex128)
    rows = max(1, PART // (len(times) * mean.numel()))
    for some, G in zip(torch.split(times, rows, 1), torch.split(incoming, rows, 1), strict=True):
        t = some[..., None, None, None]
        # The conjugate of the divided differences: i t exp(+it mean) sinc.
        differences = 1j * t * torch.sinc(t * apart) * torch.exp(1j * t * mean)
        total += _summed(differences, G.to(total), modes.to(total))
    return total


def _summed(differences: Tensor, G: Tensor, modes: Tensor) -> Tensor:
    """Σ over states and times of differences (b or 1, t, k, i, j) · G (b, t, k, i) · conj(modes (b or 1, k, j))."""
    if len(differences) == 1:
        products = torch.einsum("btki,bkj->tkij", G, modes.conj().expand(len(G), -1, -1))
        return (differences[0] * products).sum(0)
    left = torch.einsum("btkij,btki->bkij", differences, G)
    return (left * modes.conj()[:, :, None, :]).sum(0)


def _alike(plain: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    b = max(len(plain), len(z))
    return plain.expand(b, *plain.shape[1:]), z.expand(b, *z.shape[1:])
