"""Metrics against independent references."""

import numpy as np
import pytest
import torch
from scipy import stats
from skimage.metrics import structural_similarity
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from hamvae_model.evaluation.answers import answers
from hamvae_model.metrics import FrameScores, mse, psnr, ssim, ssim_map


@pytest.fixture(params=[(32, 32), (48, 64)], ids="{0[0]}x{0[1]}".format)
def pictures(request: pytest.FixtureRequest) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 3, 3, *request.param, generator=generator)
    truth[0] = truth[0, :, :, :1, :1]  # flat frames too, where similarity is a quotient of small numbers
    return (truth + 0.1 * torch.randn(truth.shape, generator=generator)).clamp(0, 1), truth


def test_psnr_is_ten_log_of_the_inverse_mean_square_of_each_frame(pictures: tuple[Tensor, Tensor]) -> None:
    images, truth = (picture.double().numpy() for picture in pictures)
    reference = 10 * np.log10(1 / ((images - truth) ** 2).mean((2, 3, 4)))
    np.testing.assert_allclose(psnr(*pictures).numpy(), reference, atol=1e-4)
    assert mse(*pictures).shape == (2, 3)


def test_an_exact_frame_counts_as_sixty_decibels(pictures: tuple[Tensor, Tensor]) -> None:
    assert psnr(pictures[0], pictures[0]).eq(60).all()


def test_ssim_agrees_with_torchmetrics(pictures: tuple[Tensor, Tensor]) -> None:
    images, truth = (picture.flatten(0, 1) for picture in pictures)
    reference = structural_similarity_index_measure(images, truth, data_range=1.0, reduction="none")
    np.testing.assert_allclose(ssim(*pictures).flatten().numpy(), reference.numpy(), rtol=0, atol=1e-4)


def test_ssim_agrees_with_scikit_image_which_leaves_the_margin_out(pictures: tuple[Tensor, Tensor]) -> None:
    inside = ssim_map(*pictures)[..., 5:-5, 5:-5].mean((-3, -2, -1))
    reference = [
        structural_similarity(
            image.numpy(),
            true.numpy(),
            data_range=1.0,
            channel_axis=0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for image, true in zip(*(picture.flatten(0, 1) for picture in pictures), strict=True)
    ]
    np.testing.assert_allclose(inside.flatten().numpy(), reference, rtol=0, atol=1e-4)


def test_frames_of_clips_are_averaged_and_the_psnr_of_the_mean_error_stands_beside(
    pictures: tuple[Tensor, Tensor],
) -> None:
    scores = FrameScores.joined(
        [FrameScores.of(image[None], true[None]) for image, true in zip(*pictures, strict=True)]
    )
    figures = scores.figures_and_curves()
    assert figures["psnr"] == pytest.approx(float(psnr(*pictures).mean()), abs=1e-4)
    assert figures["psnr_of_mse"] == pytest.approx(-10 * np.log10(float(mse(*pictures).mean())), abs=1e-4)
    assert figures["ssim_curve"] == pytest.approx(ssim(*pictures).mean(0).tolist(), abs=1e-6)


def test_entropies_agree_with_scipy() -> None:
    log_p = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)).mul(3).log_softmax(-1)
    p = log_p.double().exp().numpy()
    figures = answers(log_p, torch.zeros(50, dtype=torch.long))
    given, marginal = stats.entropy(p, axis=1).mean(), stats.entropy(p.mean(0))
    assert figures["entropy_given_x"] == pytest.approx(given, abs=1e-4)
    assert figures["entropy"] == pytest.approx(marginal, abs=1e-4)
    assert figures["inception_score"] == pytest.approx(np.exp(marginal - given), abs=1e-3)
    assert figures["accuracy"] == (p.argmax(1) == 0).mean()


def test_a_sure_judge_of_balanced_samples_gives_the_ceilings() -> None:
    labels = torch.arange(18) % 9
    figures = answers(torch.eye(9).log()[labels], labels)
    assert figures == pytest.approx(
        {"accuracy": 1, "entropy_given_x": 0, "entropy": np.log(9), "inception_score": 9}, abs=1e-9
    )
