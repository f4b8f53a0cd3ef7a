"""Frames as uint8 tensors (t, c, h, w): checked and enlarged."""

import torch

from ..errors import UsageError
from ..limits import PIXEL_LIMIT


def validate(frames: torch.Tensor) -> None:
    """Raise UsageError unless `frames` is a non-empty (t, c, h, w) uint8 tensor with 1, 3 or 4 channels."""
    if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[1] not in (1, 3, 4):
        raise UsageError(
            f"frames must be uint8 of shape (t, 1, 3 or 4, h, w); got {str(frames.dtype).removeprefix('torch.')} "
            f"of shape {tuple(frames.shape)}."
        )
    if frames.numel() == 0:
        raise UsageError(f"there is nothing to write: frames of shape {tuple(frames.shape)} hold no pixels.")


def enlarge(frames: torch.Tensor, scale: int) -> torch.Tensor:
    """Repeat every pixel `scale` times along both sides: (..., h, w) → (..., scale h, scale w).

    Raises: UsageError: `scale` is below 1, or makes a larger picture than is read again.
    """
    if scale < 1:
        raise UsageError(f"scale must be a whole number of at least 1; got {scale}.")
    height, width = frames.shape[-2:]
    if scale > 1 and height * width * scale**2 > PIXEL_LIMIT:
        raise UsageError(
            f"scale {scale} makes pictures of more than {PIXEL_LIMIT // 10**6} million pixels out of {width}×{height}; "
            "choose a smaller one."
        )
    return frames.repeat_interleave(scale, dim=-2).repeat_interleave(scale, dim=-1)
