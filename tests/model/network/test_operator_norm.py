"""The cap on operators: no trace of it below, a limit in the same space above."""

import dataclasses
import math

import pytest
import torch

import hamvae_model as hv
import symplectic_ops as so
from hamvae_model.config.choices import OPERATORS
from hamvae_model.config.run import ModelConfig
from hamvae_model.data import Characters
from hamvae_model.network import HamVAE
from hamvae_model.network.motion import Motion

SHAPE = ModelConfig(classes=("walk", "wave"), periods=(8.0, 3.0), spans=(8.0, 3.0))


def motion(operator: str, cap: float | None, scale: float = 1.0) -> Motion:
    """Operators that are no longer where they started: `scale` times as large, and disturbed."""
    made = Motion(dataclasses.replace(SHAPE, operator=operator, operator_norm=cap))
    noise = torch.randn(made.parameters_of_operators.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        made.parameters_of_operators.mul_(scale).add_(0.1 * noise)
    return made


def gradient(made: Motion) -> torch.Tensor:
    torch.manual_seed(1)
    (made.operators() * torch.randn(2, 8, 8)).sum().backward()
    assert made.parameters_of_operators.grad is not None
    return made.parameters_of_operators.grad


@pytest.mark.parametrize("operator", OPERATORS)
def test_below_the_cap_nothing_changes_to_the_last_bit(operator: str) -> None:
    free, capped = motion(operator, None), motion(operator, 10.0)
    assert float(free.norms().max()) < 10
    assert capped.operators().equal(free.operators()) and gradient(capped).equal(gradient(free))


@pytest.mark.parametrize("operator", OPERATORS)
def test_above_the_cap_an_operator_is_scaled_down_to_it_and_stays_in_its_space(operator: str) -> None:
    free, capped = motion(operator, None, 5.0).operators(), motion(operator, math.pi, 5.0)
    H, norms = capped.operators(), torch.linalg.svdvals(free).square().mean(-1).sqrt()
    assert (norms > math.pi).all()
    torch.testing.assert_close(H, free * (math.pi / norms)[:, None, None])
    torch.testing.assert_close(capped.norms(), torch.full((2,), math.pi))
    if operator != "unconstrained":
        assert so.is_hamiltonian(H).all()
    if operator in ("elliptic", "skew-symmetric"):
        assert so.growth_rates(H.double()).abs().max() < 1e-5  # orbits are as bounded as before
    assert so.frequencies(H.detach()).max() <= math.pi * math.sqrt(8)


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_gradient_beyond_the_cap_is_that_of_what_is_computed(operator: str) -> None:
    made = motion(operator, 1.0, 3.0).double()
    start = made.parameters_of_operators.detach().clone().requires_grad_()
    del made.parameters_of_operators

    def operators(parameters: torch.Tensor) -> torch.Tensor:
        made.parameters_of_operators = parameters  # type: ignore[assignment]
        return made.operators()

    assert torch.autograd.gradcheck(operators, start)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("period", [2.0, 3.0, 8.0, 120.0])
@pytest.mark.parametrize("pairs", [1, 4, 7])
def test_a_run_begins_below_its_cap_however_short_a_period_is(
    builtin: Characters, operator: str, period: float, pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtin, "periods", (period, 60.5) + (60.5,) * 7)
    monkeypatch.setattr(builtin, "spans", (period, 60.5) + (60.5,) * 7)
    monkeypatch.setitem(hv.PRESETS, "demo", dataclasses.replace(hv.PRESETS["demo"], model={"pairs": pairs}))
    config = hv.build("demo", source=builtin, operator=operator).model
    norms, cap = Motion(config).norms(), config.operator_norm
    assert cap is not None and cap >= math.pi
    assert config.initial_norm() == pytest.approx(float(norms.max()), rel=1e-5)
    assert float(norms.max()) < 0.51 * cap or cap == pytest.approx(math.pi)
    assert float(norms.max()) < cap


def test_what_is_told_of_a_model_is_told_of_its_capped_operators(tiny: hv.Config) -> None:
    capped = HamVAE(dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, operator_norm=0.5)))
    with torch.no_grad():
        capped.motion.parameters_of_operators.mul_(100)
    for operator in capped.operators():
        rms = math.sqrt(sum((2 * math.pi * frequency) ** 2 for frequency in operator.frequencies) / 4)
        assert rms == pytest.approx(0.5, rel=1e-4)
