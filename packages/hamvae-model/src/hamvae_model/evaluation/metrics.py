"""Picture metrics on images in [0, 1]; torchmetrics computes SSIM."""

from torch import Tensor

CAP_DB = 60.0  # an exact frame has infinite PSNR; it counts as this


def mse(images: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error of each frame over pixels and channels: (…, c, h, w) → (…)."""
    return ((images - truth) ** 2).flatten(-3).mean(-1)


def psnr(images: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each frame in dB, −10 log₁₀ MSE for a peak of 1, at most `CAP_DB`."""
    return -10 * mse(images, truth).clamp(min=10 ** (-CAP_DB / 10)).log10()


def ssim(images: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity of each frame with the 11-tap Gaussian window (σ = 1.5) of Wang et al. (2004): (…)."""
    from torchmetrics.functional.image import structural_similarity_index_measure  # here: it takes a second to load

    shape = images.shape[:-3]
    value = structural_similarity_index_measure(
        images.flatten(0, -4), truth.flatten(0, -4), data_range=1.0, sigma=1.5, kernel_size=11, reduction="none"
    )
    if not isinstance(value, Tensor):  # torchmetrics returns a pair only when asked for the full picture
        raise TypeError("structural_similarity_index_measure returned more than the similarity")
    return value.reshape(shape)
