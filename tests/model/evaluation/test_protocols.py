"""Protocols tell good models from broken ones: each fault shows in its column, and there alone."""

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

import hamvae_model as hv
from hamvae_model import UsageError
from hamvae_model.data import Characters
from hamvae_model.evaluation import (
    HeldOut,
    copy_floor,
    disentanglement,
    draws,
    generation,
    identity,
    roll,
    static_floor,
    swap,
)
from hamvae_model.metrics import mse, psnr
from hamvae_model.network import Network
from hamvae_model.network.motion import Motion
from hamvae_model.training import untrained

from ..drawn import write_folder
from ..oracle import CHARACTERS, NearestJudge, Oracle

FEW = 54  # samples that are enough for a judge that is never in doubt


@pytest.fixture(scope="module")
def oracle(builtin: Characters) -> Oracle:
    return Oracle(builtin, hv.build("demo", source=builtin))


@pytest.fixture(autouse=True)
def few_samples_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "LEAST_SAMPLES", FEW)


def seen(network: Network, source: Characters, characters: int = CHARACTERS) -> HeldOut:
    return HeldOut(hv.Model(network), source, characters, split="test")


def judged(network: Network, judge: NearestJudge) -> dict[str, dict[str, float]]:
    return disentanglement(seen(network, judge.source), judge, samples=FEW)  # type: ignore[arg-type]


def attributes(network: Network, judge: NearestJudge) -> dict[str, dict[str, float]]:
    return identity(seen(network, judge.source), judge, samples=FEW)  # type: ignore[arg-type]


# A perfect model ---------------------------------------------------------------------------------------------------


def test_a_perfect_model_generates_and_reconstructs_every_frame(oracle: Oracle, builtin: Characters) -> None:
    figures = generation(seen(oracle, builtin))
    for row in ("reconstruction", "first_frame", "content_from_all"):
        assert (figures[row]["psnr"], figures[row]["mse"]) == (60, 0)
        assert figures[row]["ssim"] == pytest.approx(1, abs=1e-6)
    assert figures["first_frame"]["psnr_curve"] == [60] * 16  # type: ignore[index]


def test_a_perfect_model_swaps_without_a_leak(oracle: Oracle, builtin: Characters) -> None:
    figures = swap(seen(oracle, builtin))
    assert figures["psnr"] == figures["reconstruction_psnr"] == 60
    assert figures["mse"] == figures["leakage_mse"] == figures["leakage_db"] == 0
    assert figures["right_motion"] == 1


def test_a_perfect_model_is_never_doubted(oracle: Oracle, judge: NearestJudge) -> None:
    for row, figures in judged(oracle, judge).items():
        assert figures["accuracy"] == 1, row
        assert figures["entropy_given_x"] < 0.01, row
        assert figures["entropy"] == pytest.approx(math.log(9), abs=0.01), row
        assert figures.get("nearest_frame_mse", 0) == 0, row


def test_a_perfect_model_keeps_every_attribute(oracle: Oracle, judge: NearestJudge) -> None:
    for row, figures in attributes(oracle, judge).items():
        assert figures == dict.fromkeys(judge.attributes, 1), row


def test_a_perfect_model_rolls_for_ever(oracle: Oracle, builtin: Characters) -> None:
    figures = roll(seen(oracle, builtin, 2))
    assert figures["mse_1_to_8"] == figures["mse_193_to_200"] == figures["mse_1000"] == 0
    assert figures["ratio"] == 0
    assert 0 <= figures["norm_drift"] < 1e-6 and 0 <= figures["energy_drift"] < 1e-6


# Broken ones -------------------------------------------------------------------------------------------------------


def test_a_model_that_shuffles_motions_fails_the_judge_of_actions_and_no_other(
    oracle: Oracle, judge: NearestJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, "render", lambda z, s, labels, t: Oracle.render(oracle, z, s, (labels + 1) % 9, t))
    for row, figures in judged(oracle, judge).items():
        assert figures["accuracy"] == 0, row
        assert figures["entropy_given_x"] < 0.01 and figures["entropy"] > 2.19, row
    assert min(min(figures.values()) for figures in attributes(oracle, judge).values()) == 1
    assert swap(seen(oracle, judge.source))["right_motion"] == 0


def test_a_model_that_shuffles_contents_fails_the_judge_of_attributes_and_no_other(
    oracle: Oracle, judge: NearestJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, "render", lambda z, s, labels, t: Oracle.render(oracle, z + 1, s, labels, t))
    for row, figures in attributes(oracle, judge).items():
        assert max(figures.values()) < 0.6, row
    for row, figures in judged(oracle, judge).items():
        assert figures["accuracy"] == 1, row
    swapped = swap(seen(oracle, judge.source))
    assert swapped["psnr"] < 25 and swapped["right_motion"] > 0.9


def test_a_model_that_ignores_the_others_motion_fails_the_swap_and_reconstructs_perfectly(
    oracle: Oracle, judge: NearestJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, "render", lambda z, s, _, t: Oracle.render(oracle, z, s, z[:, 1].long() % 9, t))
    figures = swap(seen(oracle, judge.source))
    assert figures["reconstruction_psnr"] == 60
    assert figures["right_motion"] == 0
    assert figures["leakage_db"] == pytest.approx(60 - figures["psnr"]) and figures["psnr"] < 25
    assert figures["leakage_mse"] == figures["mse"] > 1e-3
    assert judged(oracle, judge)["motion_from_standard_prior"]["accuracy"] < 0.3
    assert min(attributes(oracle, judge)["swap"].values()) == 1


def test_a_model_that_drifts_fails_the_long_roll_alone(
    oracle: Oracle, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, "render", lambda z, s, labels, t: Oracle.render(oracle, z, s, labels, t * 1.01) + 0.01)
    held_out = seen(oracle, builtin, 2)
    assert generation(held_out)["first_frame"]["psnr"] == pytest.approx(40, abs=0.1)
    figures = roll(held_out)
    assert figures["mse_1_to_8"] == pytest.approx(1e-4, rel=0.01)
    assert figures["ratio"] > 10 and figures["mse_1000"] > 1e-3


def test_a_prior_that_has_collapsed_to_one_class_lowers_the_entropy_of_all(
    oracle: Oracle, judge: NearestJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, "render", lambda z, s, labels, t: Oracle.render(oracle, z, s, 0 * labels, t))
    for row, figures in judged(oracle, judge).items():
        assert figures["entropy"] < 0.01 and figures["entropy_given_x"] < 0.01, row
        assert figures["accuracy"] == pytest.approx(1 / 9), row
        assert figures["inception_score"] == pytest.approx(1, abs=0.01), row


def test_ghosts_of_two_motions_raise_the_entropy_of_each_and_the_distance_to_true_frames(
    oracle: Oracle, judge: NearestJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ghost(z: Tensor, s: Tensor, labels: Tensor, t: Tensor) -> Tensor:
        return (Oracle.render(oracle, z, s, labels, t) + Oracle.render(oracle, z, s, (labels + 3) % 9, t)) / 2

    monkeypatch.setattr(oracle, "render", ghost)
    for row, figures in judged(oracle, judge).items():
        assert figures["entropy_given_x"] > 0.3, row
        assert figures["entropy"] > 2.1, row
        assert figures.get("nearest_frame_mse", 1) > 1e-3, row


@pytest.mark.parametrize(("growth", "drift"), [(0.0, 0.0), (0.001, math.exp(0.999) - 1)])
def test_an_orbit_that_grows_is_a_drift_of_its_norm(
    oracle: Oracle, builtin: Characters, monkeypatch: pytest.MonkeyPatch, growth: float, drift: float
) -> None:
    monkeypatch.setitem(oracle._modules, "motion", _growing(oracle.config, growth))
    assert roll(seen(oracle, builtin, 1))["norm_drift"] == pytest.approx(drift, abs=1e-5)


def test_an_orbit_that_leaves_the_range_of_numbers_is_infinitely_far(
    oracle: Oracle, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(oracle._modules, "motion", _growing(oracle.config, 1.0))
    figures = roll(seen(oracle, builtin, 1))
    assert figures["norm_drift"] == figures["energy_drift"] == math.inf
    assert figures["mse_1000"] == 0  # the oracle's pictures do not depend on the orbit


def _growing(config: hv.Config, rate: float) -> Motion:
    motion = Motion(dataclasses.replace(config.model, operator="unconstrained"))
    with torch.no_grad():
        motion.parameters_of_operators += rate * torch.eye(2 * config.model.pairs).flatten()
    return motion


# What is compared with what ----------------------------------------------------------------------------------------


def test_the_headline_sees_one_frame_and_the_variant_takes_the_content_from_all(
    oracle: Oracle, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken_about_whole_clips(frames: Tensor) -> Tensor:
        return Oracle.infer_content(oracle, frames) + (frames.shape[1] > 1)

    monkeypatch.setattr(oracle, "infer_content", mistaken_about_whole_clips)
    figures = generation(seen(oracle, builtin))
    assert figures["first_frame"]["psnr"] == 60
    assert max(figures[row]["psnr"] for row in ("content_from_all", "reconstruction")) < 25


def test_the_static_floor_is_the_first_frame_standing_still(oracle: Oracle, builtin: Characters) -> None:
    figures = static_floor(seen(oracle, builtin, 2))
    clips = builtin.clips("test", torch.arange(18)).frames / 255
    assert figures["static"]["psnr"] == pytest.approx(
        float(psnr(clips[:, :1].expand_as(clips), clips).mean()), abs=1e-4
    )
    assert figures["static"]["psnr_curve"][0] == 60  # type: ignore[index]


def test_the_copied_floor_is_the_training_clip_that_begins_most_like_it(oracle: Oracle, builtin: Characters) -> None:
    figures = copy_floor(seen(oracle, builtin, 1))
    clips = builtin.clips("test", torch.arange(9)).frames / 255
    best = []
    for motion, clip in enumerate(clips):
        training = torch.arange(950) * 9 + motion
        first = builtin.frames("train", training, torch.zeros(950, 1, dtype=torch.long))[:, 0] / 255
        nearest = training[mse(first, clip[0]).argmin()]
        best.append(mse(builtin.clips("train", nearest[None]).frames[0] / 255, clip).mean())
    assert figures["copy"]["mse"] == pytest.approx(float(torch.stack(best).mean()), rel=1e-5)


def test_a_swap_takes_its_motion_from_another_character_in_another_motion(oracle: Oracle, builtin: Characters) -> None:
    held_out, clips = seen(oracle, builtin), torch.arange(CHARACTERS * 9)
    drawn = list(draws.swaps(held_out, builtin, clips, torch.Generator().manual_seed(0)))
    wanted = torch.cat([some.clips for some in drawn])
    assert (wanted // 9).equal(clips // 9) and not (wanted % 9 == clips % 9).any()
    assert builtin.labels("test", wanted).equal(torch.cat([some.labels for some in drawn]))


@pytest.mark.parametrize(
    "draw", [draws.contents_from_prior, lambda *given: draws.motions_from_prior(*given[:1], "fitted", *given[1:])]
)
def test_samples_are_balanced_over_the_classes(oracle: Oracle, builtin: Characters, draw: object) -> None:
    drawn = draw(seen(oracle, builtin), 45, torch.Generator().manual_seed(0))  # type: ignore[operator]
    assert torch.cat([some.labels for some in drawn]).bincount().tolist() == [5] * 9


def test_every_clip_gives_its_content_before_one_gives_it_twice(oracle: Oracle, builtin: Characters) -> None:
    drawn = draws.motions_from_prior(seen(oracle, builtin, 2), "standard", 36, torch.Generator().manual_seed(0))
    assert torch.cat([some.clips for some in drawn]).bincount().tolist() == [2] * 18


def test_figures_are_the_same_for_the_same_seed(tiny: hv.Config, judge: NearestJudge) -> None:
    held_out = seen(untrained(tiny).eval(), judge.source, 2)
    assert swap(held_out, seed=4) == swap(held_out, seed=4)
    assert swap(held_out, seed=4)["psnr"] != swap(held_out, seed=5)["psnr"]

    def ask(seed: int) -> dict[str, dict[str, float]]:
        return disentanglement(held_out, judge, samples=FEW, seed=seed)  # type: ignore[arg-type]

    first, again, other = ask(4), ask(4), ask(5)
    assert first == again
    assert all(first[row]["entropy_given_x"] != other[row]["entropy_given_x"] for row in first)


# Refusals and clips from files -------------------------------------------------------------------------------------


def test_a_source_with_other_classes_is_refused(tiny: hv.Config, builtin: Characters) -> None:
    other = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, classes=("hop", "skip")))
    with pytest.raises(UsageError, match="The model moves hop, skip; the builtin source has other classes"):
        HeldOut(hv.Model(untrained(other)), builtin)


def test_more_characters_than_there_are_is_refused(model: hv.Model, builtin: Characters) -> None:
    with pytest.raises(UsageError, match="builtin:test has 296 characters; 297 were asked for"):
        HeldOut(model, builtin, 297, split="test")


def test_too_few_samples_for_entropies_are_refused(oracle: Oracle, judge: NearestJudge) -> None:
    with pytest.raises(UsageError, match=f"Entropies of {FEW - 1} samples are biased; ask for at least {FEW} samples"):
        disentanglement(seen(oracle, judge.source), judge, samples=FEW - 1)  # type: ignore[arg-type]


def test_clips_are_their_own_truth_where_no_character_can_be_rendered(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path, clips=6), loop=True, size=32)
    held_out = HeldOut(hv.Model(untrained(hv.build("clips", source=source)).eval()), source, split="test")
    count = source.splits["test"]
    assert len(held_out.clips) == len(held_out.long) == count
    figures = generation(held_out) | static_floor(held_out) | copy_floor(held_out)
    frames = source.frames("test", torch.arange(count), torch.arange(16).expand(count, -1)) / 255
    still = psnr(frames[:, :1].expand_as(frames), frames).mean()
    assert figures["static"]["psnr"] == pytest.approx(float(still), abs=1e-4)
    assert 0 < figures["reconstruction"]["psnr"] < 20 and 0 < figures["first_frame"]["psnr"] < 20
    assert figures["copy"]["psnr"] > figures["first_frame"]["psnr"]  # nothing is learned yet


def test_clips_that_end_too_soon_to_be_rolled_are_only_reconstructed(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path), size=32)
    held_out = HeldOut(hv.Model(untrained(hv.build("clips", source=source)).eval()), source, split="test")
    assert (len(held_out.clips), len(held_out.long)) == (1, 0)
    assert generation(held_out).keys() == {"reconstruction"}
    assert not static_floor(held_out) and not copy_floor(held_out)
    with pytest.raises(UsageError, match="No held-out clip of the folder source repeats"):
        roll(held_out)


def test_a_folder_has_no_exact_renders_to_score_swaps_against(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path), size=32)
    held_out = HeldOut(hv.Model(untrained(hv.build("clips", source=source)).eval()), source, split="test")
    with pytest.raises(UsageError, match="has no exact renders to score against"):
        swap(held_out)
    with pytest.raises(UsageError, match="has clips and no characters to count"):
        HeldOut(hv.Model(held_out.network), source, 1, split="test")


def test_a_class_that_nobody_held_out_shows_cannot_keep_its_motion(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path), size=32)
    held_out = HeldOut(hv.Model(untrained(hv.build("clips", source=source)).eval()), source, split="test")
    with pytest.raises(UsageError, match="is held out, so its motion cannot be kept; move one to the test split"):
        list(draws.contents_from_prior(held_out, FEW, torch.Generator()))
