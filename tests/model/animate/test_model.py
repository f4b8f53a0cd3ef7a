"""What swapping, generating and sampling mean, in clips."""

import dataclasses

import pytest
import torch

import hamvae_model as hv
from hamvae_model import HamvaeError, UsageError
from hamvae_model.clips import as_frames
from hamvae_model.network import HamVAE
from hamvae_model.training import untrained


@pytest.fixture
def clips() -> tuple[hv.Clip, hv.Clip]:
    return hv.open_clip("builtin:test/3/walk-left"), hv.open_clip("builtin:test/8/slash-front")


def test_swapping_a_clip_with_itself_is_its_reconstruction(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    clip = clips[0]
    frames, label = clip.frames.unsqueeze(0), torch.tensor([model.classes.index("walk-left")])
    state = model.network.infer_state(frames, label).mean
    images = model.network.render(model.network.infer_content(frames), state, label, torch.arange(-7.0, 1.0))
    assert model.reconstruct(clip).frames.equal(as_frames(images[0]))
    assert model.swap(clip, clip).frames.equal(model.reconstruct(clip).frames)


def test_a_swap_takes_label_and_times_from_the_motion(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    content, motion = clips
    swapped = model.swap(content, dataclasses.replace(motion, times=motion.times / 2))
    assert swapped.label == "slash-front" and swapped.times.equal(motion.times / 2)
    assert swapped.frames.shape == motion.frames.shape


def test_generation_runs_over_any_real_times(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    times = [-2.0, 0.0, 0.25, 1000.5]
    clip = model.generate(clips[0], "slash-right", times)
    assert len(clip) == 4 and clip.times.tolist() == times and clip.label == "slash-right"


def test_generation_looks_at_the_first_frame_alone(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    clip = clips[0]
    image = dataclasses.replace(clip, frames=clip.frames[:1], times=clip.times[:1])
    for pose in ("auto", "typical", "image"):
        whole = model.generate(clip, "walk-left", pose=pose)
        assert whole.frames.equal(model.generate(image, "walk-left", pose=pose).frames)


def test_a_motion_starts_from_the_image_when_the_image_shows_it(
    model: hv.Model, network: HamVAE, clips: tuple[hv.Clip, hv.Clip]
) -> None:
    network.start_prior.mean += 1
    for action, pose in (("walk-left", "image"), ("walk-right", "typical")):
        expected = model.generate(clips[0], action, pose=pose)
        assert model.generate(clips[0], action).frames.equal(expected.frames)
        assert not model.generate(clips[0], action, pose="image").frames.equal(
            model.generate(clips[0], action, pose="typical").frames
        )


def test_a_clip_generated_between_frames_does_not_claim_to_repeat_with_them(
    model: hv.Model, clips: tuple[hv.Clip, hv.Clip]
) -> None:
    assert model.generate(clips[0], "walk-left").period == 8
    assert model.generate(clips[0], "walk-left", [0.0, 0.5, 1.0]).period is None


def test_a_motion_that_leaves_the_range_of_numbers_is_refused(tiny: hv.Config, clips: tuple[hv.Clip, hv.Clip]) -> None:
    config = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, operator="unconstrained"))
    network = HamVAE(config).eval()
    model = hv.Model(network)
    torch.nn.init.eye_(network.motion.parameters_of_operators[0].detach().unflatten(0, (8, 8)))
    with pytest.raises(
        HamvaeError, match="left the range of numbers within 2000 frames; train with a bounded operator"
    ):
        model.generate(clips[0], "walk-left", [2000.0], pose="image")


@pytest.mark.parametrize("times", [[float("inf")], [float("nan")], []])
def test_times_that_are_no_times_are_refused(
    model: hv.Model, clips: tuple[hv.Clip, hv.Clip], times: list[float]
) -> None:
    with pytest.raises(UsageError, match="one or more finite numbers"):
        model.generate(clips[0], "walk-left", times)


def test_the_decoder_can_do_without_the_class(tiny: hv.Config, clips: tuple[hv.Clip, hv.Clip]) -> None:
    config = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, class_in_decoder=False))
    assert len(hv.Model(untrained(config).eval()).reconstruct(clips[0])) == 8


def test_long_rolls_are_rendered_in_pieces_to_the_same_frames(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    long = model.generate(clips[0], "walk-left", torch.arange(600.0))
    late = model.generate(clips[0], "walk-left", [599.0])
    assert (long.frames[-1].int() - late.frames[0].int()).abs().max() <= 1


def test_samples_repeat_with_their_seed_and_differ_without(model: hv.Model) -> None:
    first, second = model.sample("walk-left", 2, seed=1)
    assert not first.frames.equal(second.frames)
    assert model.sample("walk-left", 2, seed=1)[1].frames.equal(second.frames)
    assert not model.sample("walk-left", 1, seed=2)[0].frames.equal(first.frames)


def test_an_unknown_action_is_refused_with_the_nearest_spelling(
    model: hv.Model, clips: tuple[hv.Clip, hv.Clip]
) -> None:
    with pytest.raises(UsageError, match=r"no action 'wlak-left'; did you mean 'walk-left'\?"):
        model.generate(clips[0], "wlak-left")


def test_a_motion_without_a_label_asks_for_its_action(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    unnamed = dataclasses.replace(clips[1], label=None, source="hero.gif")
    with pytest.raises(UsageError, match=r"'hero\.gif' does not say which motion it shows; name its action"):
        model.swap(clips[0], unnamed)
    assert model.swap(clips[0], unnamed, "slash-front").frames.equal(model.swap(*clips).frames)


def test_an_action_that_contradicts_the_clip_is_refused(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    with pytest.raises(UsageError, match="shows slash-front, not walk-left; leave the action out"):
        model.swap(*clips, "walk-left")


@pytest.mark.parametrize("size", [(32, 32), (128, 96)])
def test_a_result_comes_back_to_the_size_of_its_content(
    model: hv.Model, clips: tuple[hv.Clip, hv.Clip], size: tuple[int, int]
) -> None:
    content, motion = clips
    other = dataclasses.replace(content, frames=content.frames.repeat(1, 1, 2, 2)[..., : size[0], : size[1]])
    assert model.swap(other, motion).frames.shape[-2:] == size
    assert model.swap(content, dataclasses.replace(other, label=motion.label)).frames.shape == content.frames.shape
    assert model.generate(other, "walk-left").frames.shape[-2:] == size


def test_pixel_art_of_twice_the_size_is_understood_the_same(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    twice = [dataclasses.replace(clip, frames=clip.frames.repeat_interleave(2, -1).repeat_interleave(2, -2))
             for clip in clips]  # fmt: skip
    assert model.swap(*twice).frames[..., ::2, ::2].equal(model.swap(*clips).frames)


def test_one_frame_is_enough_as_content_and_as_motion(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    first, second = (dataclasses.replace(clip, frames=clip.frames[:1], times=clip.times[:1]) for clip in clips)
    assert len(model.swap(first, clips[1])) == 8
    assert len(model.swap(clips[0], second)) == 1


def test_a_clip_at_another_rate_moves_at_its_real_times(tiny: hv.Config, clips: tuple[hv.Clip, hv.Clip]) -> None:
    config = dataclasses.replace(tiny, data=dataclasses.replace(tiny.data, frame_seconds=0.1))
    model = hv.Model(untrained(config).eval())
    content, motion = clips
    slow = dataclasses.replace(motion, frame_seconds=0.2)
    swapped = model.swap(content, slow)
    assert swapped.times.tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert swapped.frame_seconds == 0.1


def test_unknown_poses_and_priors_are_refused(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    with pytest.raises(UsageError, match="no pose 'imgae' to start in; did you mean 'image'"):
        model.generate(clips[0], "walk-left", pose="imgae")
    with pytest.raises(UsageError, match="no motion prior 'flat'; choose from fitted, standard"):
        model.sample("walk-left", prior="flat")
    with pytest.raises(UsageError, match="at least one sample; got 0"):
        model.sample("walk-left", 0)


def test_a_clip_is_read_as_content_and_as_positions_and_momenta_at_its_frames(
    model: hv.Model, clips: tuple[hv.Clip, hv.Clip]
) -> None:
    clip, network = clips[0], model.network
    read = model.encode(clip)
    assert read.content.shape == (8,) and read.position.shape == read.momentum.shape == (8, 4)
    assert read.action == "walk-left" and read.times.equal(clip.times)
    frames, label = clip.frames.unsqueeze(0), torch.tensor([model.classes.index("walk-left")])
    assert read.content.equal(network.infer_content(frames)[0])
    for last in (0, 1, 7):
        state = torch.cat([read.position[last], read.momentum[last]])
        assert state.equal(network.infer_state(frames[:, : last + 1], label).mean[0])


def test_what_is_read_at_the_last_frame_is_what_a_swap_moves(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    content, motion = clips
    look, move = model.encode(content), model.encode(motion)
    label = torch.tensor([model.classes.index(move.action)])
    state = torch.cat([move.position[-1], move.momentum[-1]]).unsqueeze(0)
    images = model.network.render(look.content.unsqueeze(0), state, label, move.times - move.times[-1])
    assert model.swap(content, motion).frames.equal(as_frames(images[0]))


def test_latents_of_a_clip_without_a_label_need_its_action(model: hv.Model, clips: tuple[hv.Clip, hv.Clip]) -> None:
    unnamed = dataclasses.replace(clips[0], label=None, source="hero.gif")
    with pytest.raises(UsageError, match=r"'hero\.gif' does not say which motion it shows"):
        model.encode(unnamed)
    assert model.encode(unnamed, "walk-left").position.equal(model.encode(clips[0]).position)
