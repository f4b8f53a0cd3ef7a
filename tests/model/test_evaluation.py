"""Metrics against independent references, and protocols that tell good models from broken ones."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

import hamvae_model as hv
from hamvae_model import UsageError
from hamvae_model.data import Characters
from hamvae_model.evaluation.metrics import mse, psnr, ssim
from hamvae_model.evaluation.protocols import held_out, held_out_clips
from hamvae_model.posterior import Gaussian
from hamvae_model.training import new_model

from .clips import write_folder


@pytest.fixture
def pictures() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 3, 3, 32, 32, generator=generator)
    return (truth + 0.1 * torch.randn(truth.shape, generator=generator)).clamp(0, 1), truth


def test_psnr_is_ten_log_of_the_inverse_mean_square_of_each_frame(pictures: tuple[Tensor, Tensor]) -> None:
    images, truth = (picture.double().numpy() for picture in pictures)
    reference = 10 * np.log10(1 / ((images - truth) ** 2).mean((2, 3, 4)))
    np.testing.assert_allclose(psnr(*pictures).numpy(), reference, atol=1e-4)
    assert mse(*pictures).shape == (2, 3)


def test_an_exact_frame_counts_as_sixty_decibels(pictures: tuple[Tensor, Tensor]) -> None:
    assert psnr(pictures[0], pictures[0]).eq(60).all()


def test_ssim_agrees_with_scipys_gaussian_window(pictures: tuple[Tensor, Tensor]) -> None:
    images, truth = (picture.double().flatten(0, 2).numpy() for picture in pictures)

    def blur(x: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(x, sigma=1.5, radius=5, mode="mirror", axes=(1, 2))

    mean_x, mean_y = blur(images), blur(truth)
    var_x, var_y = blur(images**2) - mean_x**2, blur(truth**2) - mean_y**2
    covariance = blur(images * truth) - mean_x * mean_y
    map_ = (2 * mean_x * mean_y + 0.01**2) * (2 * covariance + 0.03**2)
    map_ = map_ / ((mean_x**2 + mean_y**2 + 0.01**2) * (var_x + var_y + 0.03**2))
    reference = map_.mean((1, 2)).reshape(2, 3, 3).mean(-1)
    np.testing.assert_allclose(ssim(*pictures).numpy(), reference, rtol=0, atol=1e-4)


class Oracle(nn.Module):
    """Stands in for a model that has learnt everything: its content is a character's number, its state a phase.

    `latents` says how the two are altered on the way, so that a test can break one of them.
    """

    def __init__(self, source: Characters, config: hv.Config) -> None:
        super().__init__()
        self.source, self.classes, self.config = source, source.classes, config
        self.start_prior = nn.Module()
        self.start_prior.mean = torch.zeros(1)  # says which device
        self.known: dict[bytes, tuple[int, int]] = {}
        count = source.splits["test"] // len(source.motions)
        for character in range(count if count < 16 else 16):
            clips = source.performance(torch.full((9,), character), torch.arange(9))
            for frames in source.clips("test", clips).frames:
                for phase, frame in enumerate(frames):
                    self.known.setdefault(frame.contiguous().numpy().tobytes(), (character, phase))

    def infer_content(self, frames: Tensor) -> Tensor:
        return torch.tensor([[float(self.known[clip[0].contiguous().numpy().tobytes()][0])] for clip in frames])

    def infer_state(self, frames: Tensor, labels: Tensor) -> Gaussian:
        phase = [[float(self.known[clip[-1].contiguous().numpy().tobytes()][1])] for clip in frames]
        return Gaussian(torch.tensor(phase), torch.zeros(len(phase), 1))

    def render(self, content: Tensor, state: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        clips = self.source.performance(content[:, 0].long(), labels)
        return self.source.frames("test", clips, (state + offsets).round().long()) / 255


@pytest.fixture(scope="module")
def oracle(builtin: Characters) -> Oracle:
    return Oracle(builtin, hv.build("demo", source=builtin))


def test_a_perfect_model_gets_perfect_scores(oracle: Oracle, builtin: Characters) -> None:
    scores = held_out(oracle, builtin, characters=10)  # type: ignore[arg-type]
    assert scores["reconstruction_psnr"] == scores["one_frame_psnr"] == scores["swap_psnr"] == 60
    assert scores["swap_class_accuracy"] == 1
    assert scores["one_frame_mse"] == scores["roll_mse"] == 0
    assert 10 < scores["static_psnr"] < 30


def test_a_model_that_loses_the_character_fails_every_score_but_keeps_the_class(
    oracle: Oracle, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracle, "infer_content", lambda frames: (Oracle.infer_content(oracle, frames) + 1) % 10)
    scores = held_out(oracle, builtin, characters=10)  # type: ignore[arg-type]
    assert max(scores["reconstruction_psnr"], scores["one_frame_psnr"], scores["swap_psnr"]) < 25
    assert scores["swap_class_accuracy"] > 0.9


def test_a_model_that_ignores_the_other_motion_fails_the_swap_alone(
    oracle: Oracle, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(1000))

    def render(content: Tensor, state: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        swapping = next(calls) % 4 == 3  # reconstruction, sixteen frames, the roll, then the swap
        own = torch.arange(9).repeat(len(labels) // 9)
        return Oracle.render(oracle, content, state, own if swapping else labels, offsets)

    monkeypatch.setattr(oracle, "render", render)
    scores = held_out(oracle, builtin, characters=10)  # type: ignore[arg-type]
    assert scores["reconstruction_psnr"] == scores["one_frame_psnr"] == 60
    assert scores["swap_psnr"] < 25 and scores["swap_class_accuracy"] == 0


def test_a_model_that_drifts_fails_the_long_roll_alone(
    oracle: Oracle, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(content: Tensor, state: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        return Oracle.render(oracle, content, state, labels, offsets * 1.01) + 0.01

    monkeypatch.setattr(oracle, "render", render)
    scores = held_out(oracle, builtin, characters=4)  # type: ignore[arg-type]
    assert scores["reconstruction_psnr"] == pytest.approx(40, abs=0.1)
    assert scores["roll_mse_ratio"] > 10


def test_scores_are_the_same_for_the_same_seed(tiny: hv.Config, builtin: Characters) -> None:
    model = new_model(tiny).eval()
    first = held_out(model, builtin, characters=2, seed=4)
    assert held_out(model, builtin, characters=2, seed=4) == first
    assert held_out(model, builtin, characters=2, seed=5)["swap_psnr"] != first["swap_psnr"]


def test_a_source_with_other_classes_is_refused(tiny: hv.Config, builtin: Characters) -> None:
    other = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, classes=("hop", "skip")))
    with pytest.raises(UsageError, match="The model moves hop, skip; the builtin source has other classes"):
        held_out(new_model(other), builtin)


def test_more_characters_than_there_are_is_refused(tiny: hv.Config, builtin: Characters) -> None:
    with pytest.raises(UsageError, match="builtin:test has 296 characters; 297 were asked for"):
        held_out(new_model(tiny), builtin, characters=297)


def test_clips_are_their_own_truth_where_no_character_can_be_rendered(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path, clips=6), loop=True, size=32)
    config = hv.build("clips", source=source)
    scores = held_out_clips(new_model(config).eval(), source)
    assert scores["clips"] == scores["rolled_clips"] == source.splits["test"]
    frames = source.frames(
        "test", torch.arange(source.splits["test"]), torch.arange(16).expand(source.splits["test"], -1)
    )
    still = psnr(frames[:, :1].expand_as(frames) / 255, frames / 255).mean()
    assert scores["static_psnr"] == pytest.approx(float(still), abs=1e-4)
    assert 0 < scores["reconstruction_psnr"] < 20 and 0 < scores["one_frame_psnr"] < 20


def test_clips_that_end_too_soon_to_be_rolled_are_only_reconstructed(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path), size=32)
    scores = held_out_clips(new_model(hv.build("clips", source=source)).eval(), source)
    assert (scores["clips"], scores["rolled_clips"]) == (1, 0)
    assert scores.keys() == {"clips", "rolled_clips", "reconstruction_psnr"}


def test_a_folder_has_no_exact_renders_to_score_swaps_against(tmp_path: Path, model: hv.HamVAE) -> None:
    source = hv.open_source("folder", write_folder(tmp_path), size=32)
    with pytest.raises(UsageError, match="has no exact renders to score against"):
        held_out(model, source)
