"""The network's laws: shapes, masks and flows."""

import dataclasses

import pytest
import torch
from torch import Tensor

import hamvae_model as hv
from hamvae_model.config.choices import OPERATORS
from hamvae_model.data import Characters
from hamvae_model.network import HamVAE, Noise
from hamvae_model.network.posterior import Gaussian
from hamvae_model.training import draw_views, untrained


def operator(tiny: hv.Config, name: str) -> HamVAE:
    made = untrained(dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, operator=name))).eval()
    assert isinstance(made, HamVAE)
    return made


def some_states(network: HamVAE, count: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(count, 2 * network.config.model.pairs, generator=generator)
    return state, torch.arange(count) % len(network.classes)


def test_frames_become_features_and_latents_become_frames(network: HamVAE) -> None:
    features = network.encode(torch.zeros(2, 5, 3, 64, 64, dtype=torch.uint8))
    assert features.content.shape == features.motion.shape == (2, 5, 16)
    images = network.decode(torch.zeros(2, 8), torch.zeros(2, 7, 9, 8), torch.tensor([0, 8]))
    assert images.shape == (2, 7, 3, 64, 64)
    assert images.min() >= 0 and images.max() <= 1


@pytest.mark.parametrize("name", OPERATORS)
def test_subspaces_of_other_classes_are_exactly_zero(tiny: hv.Config, name: str) -> None:
    network = operator(tiny, name)
    state, labels = some_states(network)
    states = network.motion.flow(state, labels, torch.tensor([-3.0, 0.0, 2.5, 190.0]).expand(4, -1))
    others = torch.ones(4, 9, dtype=torch.bool)
    others[torch.arange(4), labels] = False
    assert (states.movedim(2, 1)[others] == 0).all()
    assert (states.movedim(2, 1)[~others] != 0).all()


@pytest.mark.parametrize("name", OPERATORS)
def test_the_flow_at_time_zero_is_the_state_itself_and_times_add_up(tiny: hv.Config, name: str) -> None:
    network = operator(tiny, name)
    state, labels = some_states(network)
    rolled = network.motion.flow(state, labels, torch.tensor([0.0, 1.5, 4.0]).expand(4, -1))
    own = rolled[torch.arange(4), :, labels]
    assert own[:, 0].equal(state)
    again = network.motion.flow(own[:, 1], labels, torch.tensor([2.5, -1.5]).expand(4, -1))[torch.arange(4), :, labels]
    torch.testing.assert_close(again[:, 0], own[:, 2], rtol=0, atol=1e-5)
    torch.testing.assert_close(again[:, 1], state, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_start_as_oscillators_that_come_round_with_the_clip(tiny: hv.Config, name: str) -> None:
    network = operator(tiny, name)
    state, labels = some_states(network)
    rolled = network.motion.flow(state, labels, torch.tensor([8.0, 200.0]).expand(4, -1))[torch.arange(4), :, labels]
    torch.testing.assert_close(rolled, state.unsqueeze(1).expand(-1, 2, -1), rtol=0, atol=2e-3)


@pytest.mark.parametrize("name", ["elliptic", "skew-symmetric"])
def test_bounded_operators_do_not_grow_over_200_frames_whatever_their_parameters(tiny: hv.Config, name: str) -> None:
    network = operator(tiny, name)
    torch.nn.init.normal_(network.motion.parameters_of_operators, generator=torch.Generator().manual_seed(1))
    assert max(abs(summary.growth) for summary in network.operators()) < 1e-5
    assert "unstable" not in {summary.stability for summary in network.operators()}
    state, labels = some_states(network, 9)
    lengths = network.motion.flow(state, labels, torch.arange(200.0).expand(9, -1)).norm(dim=-1).amax(-1)
    assert lengths[:, 100:].max() <= 1.05 * lengths[:, :100].max()


@pytest.mark.parametrize("name", ["hamiltonian", "elliptic", "skew-symmetric"])
def test_hamiltonian_operators_start_stable(tiny: hv.Config, name: str) -> None:
    assert {summary.stability for summary in operator(tiny, name).operators()} == {"stable"}


def test_a_free_hamiltonian_operator_can_become_unstable(tiny: hv.Config) -> None:
    network = operator(tiny, "hamiltonian")
    torch.nn.init.normal_(network.motion.parameters_of_operators, generator=torch.Generator().manual_seed(1))
    assert "unstable" in {summary.stability for summary in network.operators()}


def test_an_unconstrained_operator_can_grow(tiny: hv.Config) -> None:
    network = operator(tiny, "unconstrained")
    torch.nn.init.normal_(network.motion.parameters_of_operators, std=0.5, generator=torch.Generator().manual_seed(1))
    assert max(summary.growth for summary in network.operators()) > 0.1
    assert {summary.stability for summary in network.operators()} == {None}


def test_only_positions_reach_the_decoder(network: HamVAE) -> None:
    states = torch.randn(1, 2, 9, 8)
    moved = states.clone()
    moved[..., 4:] += 1  # the momenta
    label = torch.tensor([2])
    assert network.decode(torch.zeros(1, 8), states, label).equal(network.decode(torch.zeros(1, 8), moved, label))


def test_frames_before_the_clip_do_not_reach_the_momentum(
    tiny: hv.Config, builtin: Characters, network: HamVAE
) -> None:
    views = draw_views(tiny, builtin, torch.Generator().manual_seed(5))
    hidden = ~views.history & ~views.content
    assert hidden.any()
    noisy = views.window.clone()
    noisy[hidden] = 255
    noise = Noise.draw(tiny.model, len(noisy), torch.Generator().manual_seed(0))
    kept = network(views, noise).images
    assert network(dataclasses.replace(views, window=noisy), noise).images.equal(kept)


def test_the_starting_prior_matches_the_moments_of_the_states_it_was_fitted_to(network: HamVAE) -> None:
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(500, 8, generator=generator) @ torch.randn(8, 8, generator=generator) + 3
    states = Gaussian(mean, torch.full((500, 8), -1.0))
    network.start_prior.fit(states, torch.full((500,), 4))
    draws = network.start_prior.sample(torch.full((200_000,), 4), generator)
    wanted = mean.mT.cov(correction=0) + torch.eye(8) * torch.e**-2
    torch.testing.assert_close(draws.mean(0), mean.mean(0), rtol=0, atol=0.05)
    torch.testing.assert_close(draws.mT.cov(), wanted, rtol=0.05, atol=0.15)
    assert network.start_prior.typical(torch.tensor([4]))[0].allclose(mean.mean(0), atol=1e-5)
    assert network.start_prior.typical(torch.tensor([3]))[0].equal(torch.zeros(8))


def test_the_momentum_looks_back_over_units_of_time_and_not_over_frames(
    network: HamVAE,
) -> None:
    frames, label = hv.open_clip("builtin:test/3/walk-left").frames.unsqueeze(0), torch.tensor([0])
    doubled = frames.repeat_interleave(2, dim=1)[:, 1:]
    halves = torch.arange(15.0).unsqueeze(0) / 2
    assert network.infer_state(doubled, label, halves).mean.allclose(network.infer_state(frames, label).mean, atol=1e-6)
