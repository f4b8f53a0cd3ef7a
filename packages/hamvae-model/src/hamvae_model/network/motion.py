"""The motion subspaces and their Hamiltonian operators: the only module that imports symplectic_ops.

Each class k owns a subspace s^k = (q^k, p^k) of 2d coordinates and an operator H_k on it. A clip of class k
moves by exp(tH_k) in its own subspace; every other subspace stays exactly zero, eqs. (8) and (9).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

import symplectic_ops as so

from ..config import ModelConfig
from ..errors import DivergedError


@dataclass(frozen=True, kw_only=True)
class OperatorSummary:
    """What exp(tH_k) does.

    Args:
        action: the class k.
        frequencies: of its oscillations, in cycles per frame, ascending.
        periods: of the same oscillations, in frames; infinite for a frequency of zero.
        growth: the largest real part of the spectrum, per frame; zero for bounded orbits.
        stability: "stable", "marginal" or "unstable", as `symplectic_ops.stability` judges Hamiltonian matrices; none
            for any other.
        residual: relative distance of H_k from the Hamiltonian matrices.
    """

    action: str
    frequencies: tuple[float, ...]
    periods: tuple[float, ...]
    growth: float
    stability: str | None
    residual: float


SPACES = {
    "hamiltonian": so.Hamiltonian,
    "elliptic": so.EllipticHamiltonian,
    "skew-symmetric": so.SkewSymmetricHamiltonian,
    "unconstrained": so.AnyMatrix,
}
"""The parameterisation behind each operator's name; the names are `config.choices.OPERATORS`."""


class Motion(nn.Module):
    """K operators and the flow of the whole motion space.

    They start as oscillators at harmonics of their clips' period or span, two planes to each, all turning the same way:
    M = diag(ω) is positive definite, so small changes of a free Hamiltonian matrix keep its orbits bounded
    (Krein: eigenvalues of one sign that meet on the imaginary axis do not leave it).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.pairs, self.classes, self.cap = config.pairs, len(config.classes), config.operator_norm
        with torch.device("cpu"):  # also while the rest is built without memory, to compare shapes
            self.space = SPACES[config.operator](config.pairs)
            spans = [config.span_of(label) for label in range(self.classes)]
            start = torch.stack([_oscillators(config.pairs, span) for span in spans])
            parameters: Tensor = self.space.right_inverse(start)
        self.parameters_of_operators = nn.Parameter(parameters.clone())

    def operators(self) -> Tensor:
        """H, (K, 2d, 2d), in units of one per frame; one beyond the cap is scaled down to it, which keeps its space."""
        matrices: Tensor = self.space(self.parameters_of_operators)
        if self.cap is None:
            return matrices
        # cap / max(norm, cap) is exactly 1 below the cap, and there its gradient is exactly 0.
        return matrices * (self.cap / _norms(matrices).clamp(min=self.cap))[:, None, None]

    @torch.no_grad()
    def norms(self) -> Tensor:
        """Root mean square of the singular values of each H, (K,), in radians per frame.

        That is ‖H‖_F/√(2d). Where all orbits turn evenly (H skew-symmetric), it is the root mean square of their
        angular frequencies; no frequency and no growth exceeds √(2d) of it.
        """
        return _norms(self.operators())

    def embed(self, state: Tensor, labels: Tensor) -> Tensor:
        """State (b, 2d) of each clip's own class as a state of the whole space (b, K, 2d), zero elsewhere."""
        whole = state.new_zeros(len(state), self.classes, 2 * self.pairs)
        whole[torch.arange(len(state)), labels] = state
        return whole

    def flow(self, state: Tensor, labels: Tensor, times: Tensor) -> Tensor:
        """States (b, t, K, 2d) at `times` (b, t), in frames from the reference frame; negative is backward.

        Raises: DivergedError: an orbit grew beyond what a float holds.
        """
        try:
            with torch.autocast(state.device.type, enabled=False):
                return so.flow(self.operators(), self.embed(state.float(), labels), times)
        except so.NonFiniteError:
            raise DivergedError(
                f"The motion left the range of numbers within {float(times.abs().max()):g} frames; train with a "
                "bounded operator (elliptic or skew-symmetric), or ask for fewer frames.",
                term="motion",
            ) from None

    def positions(self, states: Tensor) -> Tensor:
        """The part the decoder sees: q of every subspace, (…, K·d) from states (…, K, 2d)."""
        return states[..., : self.pairs].flatten(-2)

    @torch.no_grad()
    def energy(self, states: Tensor, labels: Tensor) -> Tensor:
        """½ sᵀM_k s of states (b, t, 2d) of the classes (b,), in double precision, (b, t)."""
        energies: Tensor = so.energy(self.operators().double()[labels].unsqueeze(1), states.double())
        return energies

    def summaries(self, actions: Sequence[str]) -> list[OperatorSummary]:
        """One summary for each operator; its spectrum is computed in float64."""
        return [
            OperatorSummary(
                action=action,
                frequencies=tuple((so.frequencies(H) / (2 * math.pi)).tolist()),
                periods=tuple(so.periods(H).tolist()),
                growth=float(so.growth_rates(H).max()),
                stability=so.Stability(int(so.stability(H))).name.lower() if so.is_hamiltonian(H) else None,
                residual=float(so.hamiltonian_residual(H)),
            )
            for action, H in zip(actions, self.operators().detach(), strict=True)
        ]


def _norms(matrices: Tensor) -> Tensor:
    # Of all norms the cheapest to differentiate: one sum of squares, and no singular value decomposition.
    norms: Tensor = torch.linalg.matrix_norm(matrices) / math.sqrt(matrices.shape[-1])
    return norms


def _oscillators(pairs: int, period: float) -> Tensor:
    """H = J diag(ω, ω), (2d, 2d): two oscillators to each harmonic of the period, in frames."""
    frequencies = (2 * math.pi / period * (1 + torch.arange(pairs) // 2)).diag()
    nothing = torch.zeros_like(frequencies)
    return torch.cat([torch.cat([nothing, frequencies], dim=1), torch.cat([-frequencies, nothing], dim=1)])
