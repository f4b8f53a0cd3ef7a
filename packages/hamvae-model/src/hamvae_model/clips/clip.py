"""One clip, and one batch of clips, whatever they were made from."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Clip:
    """A short sequence of frames.

    Args:
        frames: uint8 (t, c, h, w), over black where the source had transparency: colour times `alpha`, so that
            `framing.composited` can lay it over any other colour.
        times: float32 (t,), in frames: 0, 1, 2, … for an evenly sampled clip.
        label: the name of the motion, such as ``walk-left``; None if unknown.
        source: where the clip came from, as a user would type it: a reference or a path.
        alpha: uint8 (t, 1, h, w), the coverage of each pixel, or None for an opaque clip.
        lasting: how long the last frame is shown, in units of `times`.
        period: frames after which the clip repeats, or None when it does not.
        loop: whether the first frame follows the last, evenly timed or not; None if unknown.
        frame_seconds: how long one unit of `times` lasts at the source; None if unknown.
    """

    frames: Tensor
    times: Tensor
    label: str | None
    source: str
    alpha: Tensor | None = None
    lasting: float = 1.0
    period: int | None = None
    loop: bool | None = None
    frame_seconds: float | None = None

    def __len__(self) -> int:
        return self.frames.shape[0]

    def __repr__(self) -> str:
        height, width = self.frames.shape[-2:]
        label = f"{self.label!r}, " if self.label is not None else ""
        return f"<Clip {label}{len(self)} frames of {width}x{height}, from {self.source!r}>"


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Clips of one length, stacked.

    Args:
        frames: uint8 (b, t, c, h, w).
        times: float32 (b, t), in frames.
        labels: int64 (b,), indices into the classes of the source.
    """

    frames: Tensor
    times: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return self.frames.shape[0]


def as_images(frames: Tensor) -> Tensor:
    """uint8 frames (…, c, h, w) as float32 in [0, 1]."""
    return frames.float() / 255


def as_frames(images: Tensor) -> Tensor:
    """Images (…, c, h, w) in [0, 1] as uint8 frames, rounded to nearest."""
    return (images.clamp(0, 1) * 255).round().to(torch.uint8)
