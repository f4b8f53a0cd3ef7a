"""The model's laws: shapes, masks, flows, and what swapping means."""

import dataclasses

import pytest
import torch
from torch import Tensor

import hamvae_model as hv
from hamvae_model import HamvaeError, UsageError
from hamvae_model.clips.clip import as_frames
from hamvae_model.config.choices import OPERATORS
from hamvae_model.data import Characters
from hamvae_model.network.hamvae import Noise
from hamvae_model.network.posterior import Gaussian
from hamvae_model.training import draw_views, new_model


@pytest.fixture
def clips() -> tuple[hv.Clip, hv.Clip]:
    return hv.open_clip("builtin:test/3/walk-left"), hv.open_clip("builtin:test/8/slash-front")


def operator(tiny: hv.Config, name: str) -> hv.HamVAE:
    return new_model(dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, operator=name))).eval()


def some_states(model: hv.HamVAE, count: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(count, 2 * model.config.model.pairs, generator=generator)
    return state, torch.arange(count) % len(model.classes)


def test_frames_become_features_and_latents_become_frames(model: hv.HamVAE) -> None:
    features = model.encode(torch.zeros(2, 5, 3, 64, 64, dtype=torch.uint8))
    assert features.content.shape == features.motion.shape == (2, 5, 16)
    images = model.decode(torch.zeros(2, 8), torch.zeros(2, 7, 9, 8), torch.tensor([0, 8]))
    assert images.shape == (2, 7, 3, 64, 64)
    assert images.min() >= 0 and images.max() <= 1


@pytest.mark.parametrize("name", OPERATORS)
def test_subspaces_of_other_classes_are_exactly_zero(tiny: hv.Config, name: str) -> None:
    model = operator(tiny, name)
    state, labels = some_states(model)
    states = model.motion.flow(state, labels, torch.tensor([-3.0, 0.0, 2.5, 190.0]).expand(4, -1))
    others = torch.ones(4, 9, dtype=torch.bool)
    others[torch.arange(4), labels] = False
    assert (states.movedim(2, 1)[others] == 0).all()
    assert (states.movedim(2, 1)[~others] != 0).all()


@pytest.mark.parametrize("name", OPERATORS)
def test_the_flow_at_time_zero_is_the_state_itself_and_times_add_up(tiny: hv.Config, name: str) -> None:
    model = operator(tiny, name)
    state, labels = some_states(model)
    rolled = model.motion.flow(state, labels, torch.tensor([0.0, 1.5, 4.0]).expand(4, -1))
    own = rolled[torch.arange(4), :, labels]
    assert own[:, 0].equal(state)
    again = model.motion.flow(own[:, 1], labels, torch.tensor([2.5, -1.5]).expand(4, -1))[torch.arange(4), :, labels]
    torch.testing.assert_close(again[:, 0], own[:, 2], rtol=0, atol=1e-5)
    torch.testing.assert_close(again[:, 1], state, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_start_as_oscillators_that_come_round_with_the_clip(tiny: hv.Config, name: str) -> None:
    model = operator(tiny, name)
    state, labels = some_states(model)
    rolled = model.motion.flow(state, labels, torch.tensor([8.0, 200.0]).expand(4, -1))[torch.arange(4), :, labels]
    torch.testing.assert_close(rolled, state.unsqueeze(1).expand(-1, 2, -1), rtol=0, atol=2e-3)


@pytest.mark.parametrize("name", ["elliptic", "skew-symmetric"])
def test_bounded_operators_do_not_grow_over_200_frames_whatever_their_parameters(tiny: hv.Config, name: str) -> None:
    model = operator(tiny, name)
    torch.nn.init.normal_(model.motion.parameters_of_operators, generator=torch.Generator().manual_seed(1))
    assert max(abs(summary.growth) for summary in model.operators()) < 1e-5
    assert "unstable" not in {summary.stability for summary in model.operators()}
    state, labels = some_states(model, 9)
    lengths = model.motion.flow(state, labels, torch.arange(200.0).expand(9, -1)).norm(dim=-1).amax(-1)
    assert lengths[:, 100:].max() <= 1.05 * lengths[:, :100].max()


@pytest.mark.parametrize("name", ["hamiltonian", "elliptic", "skew-symmetric"])
def test_hamiltonian_operators_start_stable(tiny: hv.Config, name: str) -> None:
    assert {summary.stability for summary in operator(tiny, name).operators()} == {"stable"}


def test_a_free_hamiltonian_operator_can_become_unstable(tiny: hv.Config) -> None:
    model = operator(tiny, "hamiltonian")
    torch.nn.init.normal_(model.motion.parameters_of_operators, generator=torch.Generator().manual_seed(1))
    assert "unstable" in {summary.stability for summary in model.operators()}


def test_an_unconstrained_operator_can_grow(tiny: hv.Config) -> None:
    model = operator(tiny, "unconstrained")
    torch.nn.init.normal_(model.motion.parameters_of_operators, std=0.5, generator=torch.Generator().manual_seed(1))
    assert max(summary.growth for summary in model.operators()) > 0.1
    assert {summary.stability for summary in model.operators()} == {None}


def test_only_positions_reach_the_decoder(model: hv.HamVAE) -> None:
    states = torch.randn(1, 2, 9, 8)
    moved = states.clone()
    moved[..., 4:] += 1  # the momenta
    label = torch.tensor([2])
    assert model.decode(torch.zeros(1, 8), states, label).equal(model.decode(torch.zeros(1, 8), moved, label))


def test_frames_before_the_clip_do_not_reach_the_momentum(
    tiny: hv.Config, builtin: Characters, model: hv.HamVAE
) -> None:
    views = draw_views(tiny, builtin, torch.Generator().manual_seed(5))
    hidden = ~views.history & ~views.content
    assert hidden.any()
    noisy = views.window.clone()
    noisy[hidden] = 255
    noise = Noise.draw(tiny.model, len(noisy), torch.Generator().manual_seed(0))
    kept = model(views, noise).images
    assert model(dataclasses.replace(views, window=noisy), noise).images.equal(kept)


def test_swapping_a_clip_with_itself_is_its_reconstruction(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    clip = clips[0]
    frames, label = clip.frames.unsqueeze(0), torch.tensor([model.classes.index("walk-left")])
    state = model.infer_state(frames, label).mean
    images = model.render(model.infer_content(frames), state, label, torch.arange(-7.0, 1.0))
    assert model.reconstruct(clip).frames.equal(as_frames(images[0]))
    assert model.swap(clip, clip).frames.equal(model.reconstruct(clip).frames)


def test_a_swap_takes_label_and_times_from_the_motion(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    content, motion = clips
    swapped = model.swap(content, dataclasses.replace(motion, times=motion.times / 2))
    assert swapped.label == "slash-front" and swapped.times.equal(motion.times / 2)
    assert swapped.frames.shape == motion.frames.shape


def test_generation_runs_over_any_real_times(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    times = [-2.0, 0.0, 0.25, 1000.5]
    clip = model.generate(clips[0], "slash-right", times)
    assert len(clip) == 4 and clip.times.tolist() == times and clip.label == "slash-right"


def test_generation_looks_at_the_first_frame_alone(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    clip = clips[0]
    image = dataclasses.replace(clip, frames=clip.frames[:1], times=clip.times[:1])
    for pose in ("auto", "typical", "image"):
        whole = model.generate(clip, "walk-left", pose=pose)
        assert whole.frames.equal(model.generate(image, "walk-left", pose=pose).frames)


def test_a_motion_starts_from_the_image_when_the_image_shows_it(
    model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]
) -> None:
    model.start_prior.mean += 1
    for action, pose in (("walk-left", "image"), ("walk-right", "typical")):
        expected = model.generate(clips[0], action, pose=pose)
        assert model.generate(clips[0], action).frames.equal(expected.frames)
        assert not model.generate(clips[0], action, pose="image").frames.equal(
            model.generate(clips[0], action, pose="typical").frames
        )


def test_a_clip_generated_between_frames_does_not_claim_to_repeat_with_them(
    model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]
) -> None:
    assert model.generate(clips[0], "walk-left").period == 8
    assert model.generate(clips[0], "walk-left", [0.0, 0.5, 1.0]).period is None


def test_a_motion_that_leaves_the_range_of_numbers_is_refused(tiny: hv.Config, clips: tuple[hv.Clip, hv.Clip]) -> None:
    model = operator(tiny, "unconstrained")
    torch.nn.init.eye_(model.motion.parameters_of_operators[0].detach().unflatten(0, (8, 8)))
    with pytest.raises(
        HamvaeError, match="left the range of numbers within 2000 frames; train with a bounded operator"
    ):
        model.generate(clips[0], "walk-left", [2000.0], pose="image")


@pytest.mark.parametrize("times", [[float("inf")], [float("nan")], []])
def test_times_that_are_no_times_are_refused(
    model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip], times: list[float]
) -> None:
    with pytest.raises(UsageError, match="one or more finite numbers"):
        model.generate(clips[0], "walk-left", times)


def test_the_decoder_can_do_without_the_class(tiny: hv.Config, clips: tuple[hv.Clip, hv.Clip]) -> None:
    config = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, class_in_decoder=False))
    assert len(new_model(config).eval().reconstruct(clips[0])) == 8


def test_long_rolls_are_rendered_in_pieces_to_the_same_frames(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    long = model.generate(clips[0], "walk-left", torch.arange(600.0))
    late = model.generate(clips[0], "walk-left", [599.0])
    assert (long.frames[-1].int() - late.frames[0].int()).abs().max() <= 1


def test_samples_repeat_with_their_seed_and_differ_without(model: hv.HamVAE) -> None:
    first, second = model.sample("walk-left", 2, seed=1)
    assert not first.frames.equal(second.frames)
    assert model.sample("walk-left", 2, seed=1)[1].frames.equal(second.frames)
    assert not model.sample("walk-left", 1, seed=2)[0].frames.equal(first.frames)


def test_the_starting_prior_matches_the_moments_of_the_states_it_was_fitted_to(model: hv.HamVAE) -> None:
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(500, 8, generator=generator) @ torch.randn(8, 8, generator=generator) + 3
    states = Gaussian(mean, torch.full((500, 8), -1.0))
    model.start_prior.fit(states, torch.full((500,), 4))
    draws = model.start_prior.sample(torch.full((200_000,), 4), generator)
    wanted = mean.mT.cov(correction=0) + torch.eye(8) * torch.e**-2
    torch.testing.assert_close(draws.mean(0), mean.mean(0), rtol=0, atol=0.05)
    torch.testing.assert_close(draws.mT.cov(), wanted, rtol=0.05, atol=0.15)
    assert model.start_prior.typical(torch.tensor([4]))[0].allclose(mean.mean(0), atol=1e-5)
    assert model.start_prior.typical(torch.tensor([3]))[0].equal(torch.zeros(8))


def test_an_unknown_action_is_refused_with_the_nearest_spelling(
    model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]
) -> None:
    with pytest.raises(UsageError, match=r"no action 'wlak-left'; did you mean 'walk-left'\?"):
        model.generate(clips[0], "wlak-left")


def test_a_motion_without_a_label_asks_for_its_action(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    unnamed = dataclasses.replace(clips[1], label=None, source="hero.gif")
    with pytest.raises(UsageError, match=r"'hero\.gif' does not say which motion it shows; name its action"):
        model.swap(clips[0], unnamed)
    assert model.swap(clips[0], unnamed, "slash-front").frames.equal(model.swap(*clips).frames)


def test_an_action_that_contradicts_the_clip_is_refused(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    with pytest.raises(UsageError, match="shows slash-front, not walk-left; leave the action out"):
        model.swap(*clips, "walk-left")


@pytest.mark.parametrize("size", [(32, 32), (128, 96)])
def test_a_result_comes_back_to_the_size_of_its_content(
    model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip], size: tuple[int, int]
) -> None:
    content, motion = clips
    other = dataclasses.replace(content, frames=content.frames.repeat(1, 1, 2, 2)[..., : size[0], : size[1]])
    assert model.swap(other, motion).frames.shape[-2:] == size
    assert model.swap(content, dataclasses.replace(other, label=motion.label)).frames.shape == content.frames.shape
    assert model.generate(other, "walk-left").frames.shape[-2:] == size


def test_pixel_art_of_twice_the_size_is_understood_the_same(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    twice = [dataclasses.replace(clip, frames=clip.frames.repeat_interleave(2, -1).repeat_interleave(2, -2))
             for clip in clips]  # fmt: skip
    assert model.swap(*twice).frames[..., ::2, ::2].equal(model.swap(*clips).frames)


def test_one_frame_is_enough_as_content_and_as_motion(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    first, second = (dataclasses.replace(clip, frames=clip.frames[:1], times=clip.times[:1]) for clip in clips)
    assert len(model.swap(first, clips[1])) == 8
    assert len(model.swap(clips[0], second)) == 1


def test_a_clip_at_another_rate_moves_at_its_real_times(tiny: hv.Config, clips: tuple[hv.Clip, hv.Clip]) -> None:
    config = dataclasses.replace(tiny, data=dataclasses.replace(tiny.data, frame_seconds=0.1))
    model = new_model(config).eval()
    content, motion = clips
    slow = dataclasses.replace(motion, frame_seconds=0.2)
    swapped = model.swap(content, slow)
    assert swapped.times.tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert swapped.frame_seconds == 0.1


def test_the_momentum_looks_back_over_units_of_time_and_not_over_frames(
    model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]
) -> None:
    frames, label = clips[0].frames.unsqueeze(0), torch.tensor([0])
    doubled = frames.repeat_interleave(2, dim=1)[:, 1:]
    halves = torch.arange(15.0).unsqueeze(0) / 2
    assert model.infer_state(doubled, label, halves).mean.allclose(model.infer_state(frames, label).mean, atol=1e-6)


def test_unknown_poses_and_priors_are_refused(model: hv.HamVAE, clips: tuple[hv.Clip, hv.Clip]) -> None:
    with pytest.raises(UsageError, match="no pose 'imgae' to start in; did you mean 'image'"):
        model.generate(clips[0], "walk-left", pose="imgae")
    with pytest.raises(UsageError, match="'fitted' or 'standard'; got 'flat'"):
        model.sample("walk-left", prior="flat")
    with pytest.raises(UsageError, match="at least one sample; got 0"):
        model.sample("walk-left", 0)
