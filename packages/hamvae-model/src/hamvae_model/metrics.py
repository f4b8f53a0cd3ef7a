"""Picture metrics of frames in [0, 1]: (…, c, h, w) → (…), one figure a frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

CAP_DB = 60.0  # an exact frame has infinite PSNR; it counts as this
RADIUS, SIGMA = 5, 1.5  # of the Gaussian window of SSIM, in pixels
LUMINANCE, CONTRAST = 0.01**2, 0.03**2  # what keeps its two quotients finite, for a peak of 1
FRAMES_AT_ONCE = 32  # SSIM makes a dozen maps of each frame; so many stay near the processor


def mse(images: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error of each frame over pixels and channels: (…, c, h, w) → (…)."""
    return ((images - truth) ** 2).flatten(-3).mean(-1)


def decibels(error: Tensor) -> Tensor:
    """−10 log₁₀ of a mean squared error, for a peak of 1, at most `CAP_DB`."""
    return -10 * error.clamp(min=10 ** (-CAP_DB / 10)).log10()


def psnr(images: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each frame in dB, at most `CAP_DB`."""
    return decibels(mse(images, truth))


def ssim(images: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity of each frame, averaged over its pixels and channels."""
    frames = zip(
        torch.split(images.flatten(0, -4), FRAMES_AT_ONCE),
        torch.split(truth.flatten(0, -4), FRAMES_AT_ONCE),
        strict=True,
    )
    return torch.cat([ssim_map(*some).flatten(-3).mean(-1) for some in frames]).reshape(images.shape[:-3])


def ssim_map(images: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity around each pixel, (…, c, h, w), with an 11-tap Gaussian window mirrored at the edges.

    Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity",
    IEEE Transactions on Image Processing 13, 600, 2004.
    """
    mean, expected = _blurred(images), _blurred(truth)
    variance = (_blurred(images**2) - mean**2).clamp(min=0)
    expected_variance = (_blurred(truth**2) - expected**2).clamp(min=0)
    covariance = _blurred(images * truth) - mean * expected
    likeness = (2 * mean * expected + LUMINANCE) * (2 * covariance + CONTRAST)
    return likeness / ((mean**2 + expected**2 + LUMINANCE) * (variance + expected_variance + CONTRAST))


def _blurred(maps: Tensor) -> Tensor:
    # Two products with band matrices: several times as fast on a CPU as a convolution with one channel a group.
    return _window(maps.shape[-2], maps) @ maps @ _window(maps.shape[-1], maps).mT


def _window(side: int, like: Tensor) -> Tensor:
    """The Gaussian window along one axis as a matrix (side, side), the mirrored margin folded in."""
    taps = torch.exp(-(torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float64) ** 2) / (2 * SIGMA**2))
    each = F.pad(torch.eye(side, dtype=torch.float64).unsqueeze(0), (RADIUS, RADIUS), mode="reflect")
    return F.conv1d(each.transpose(0, 1), (taps / taps.sum()).view(1, 1, -1)).squeeze(1).mT.to(like)


Figures = dict[str, float | list[float]]
"""Figures of one row of a table by name; a list is a curve over frames."""


@dataclass(frozen=True)
class FrameScores:
    """SSIM, PSNR and MSE of every frame of m clips, (m, t) each."""

    ssim: Tensor
    psnr: Tensor
    mse: Tensor

    @classmethod
    def of(cls, images: Tensor, truth: Tensor) -> Self:
        """Of images (m, t, c, h, w)."""
        error = mse(images, truth)
        return cls(*(score.cpu().double() for score in (ssim(images, truth), decibels(error), error)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The clips of all parts."""
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in ("ssim", "psnr", "mse")))

    def figures(self) -> dict[str, float]:
        """Means over frames and clips, and the PSNR of the mean MSE, on which large errors weigh more."""
        means = {name: float(score.mean()) for name, score in vars(self).items()}
        return means | {"psnr_of_mse": float(decibels(self.mse.mean()))}

    def figures_and_curves(self) -> Figures:
        """The same, and the means over clips frame by frame as `ssim_curve`, `psnr_curve` and `mse_curve`."""
        return self.figures() | {f"{name}_curve": score.mean(0).tolist() for name, score in vars(self).items()}
