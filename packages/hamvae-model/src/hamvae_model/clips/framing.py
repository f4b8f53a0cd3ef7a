"""How pictures of any size become the model's square ones, and back.

Colour over black is colour times alpha, so a clip (`Clip.frames` with `Clip.alpha`) can be laid over any other
background by adding what shows through. Resizing is linear, so it makes no difference that this happens first.
"""

import dataclasses
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config.run import FramingConfig
from .clip import Clip


def framed(clip: Clip, config: FramingConfig, size: int) -> Clip:
    """The clip as the model sees it: opaque frames uint8 (t, 3, size, size).

    A clip of that size keeps every bit, unless there is a background to show through it.
    """
    return dataclasses.replace(clip, frames=fitted(clip, config, size, size), alpha=None)


def fitted(clip: Clip, config: FramingConfig, height: int, width: int) -> Tensor:
    """The clip over the background, fitted into opaque frames uint8 (t, 3, height, width) as `config` says."""
    frames = composited(clip, config.background)
    place = _place(config.fit, frames, height, width)
    picture = _resized(place.source.of(frames), place.target.height, place.target.width, config.resample)
    if picture.shape[-2:] == (height, width):
        return picture
    canvas = _colour(config.background)[:, : frames.shape[1]].expand(len(frames), -1, height, width).contiguous()
    place.target.of(canvas).copy_(picture)
    return canvas


def restored(frames: Tensor, like: Clip, config: FramingConfig) -> Tensor:
    """Frames uint8 (t, 3, size, size) that the model made, at the size `like` had before it was framed.

    Letterbox margins are cut off. What ``crop`` cut away cannot come back: its result is the square, at the scale of
    `like`.

    Returns: uint8 (t, 3, h, w).
    """
    place = _place(config.fit, like.frames, frames.shape[-2], frames.shape[-1])
    return _resized(place.target.of(frames), place.source.height, place.source.width, config.resample)


def composited(clip: Clip, background: tuple[int, ...]) -> Tensor:
    """The clip over a colour (red, green, blue): opaque frames uint8 (t, 3, h, w)."""
    if clip.alpha is None or not any(background):
        return clip.frames
    frames = clip.frames.clone()
    for frame, alpha in zip(frames, clip.alpha, strict=True):  # one at a time: integers take four times the memory
        behind = (_colour(background)[0].int() * (255 - alpha.int()) + 127) // 255
        frame.copy_((frame + behind).clamp(max=255))
    return frames


def resized(clip: Clip, height: int, width: int) -> Clip:
    """The clip in frames of another size, in its proportions and with its transparency; margins are black or clear."""
    if tuple(clip.frames.shape[-2:]) == (height, width):
        return clip
    alpha = clip.alpha
    if alpha is not None:
        alpha = fitted(dataclasses.replace(clip, frames=alpha, alpha=None), FramingConfig(), height, width)[:, :1]
    opaque = dataclasses.replace(clip, alpha=None)
    return dataclasses.replace(clip, frames=fitted(opaque, FramingConfig(), height, width), alpha=alpha)


def straight(clip: Clip) -> Tensor:
    """Frames to write, uint8 (t, 4, h, w): colours as they are without a background, and alpha."""
    if clip.alpha is None:
        return torch.cat([clip.frames, torch.full_like(clip.frames[:, :1], 255)], dim=1)
    alpha = clip.alpha.int().clamp(min=1)
    colour = (clip.frames.int() * 255 + alpha // 2) // alpha
    return torch.cat([colour.clamp(max=255).to(torch.uint8), clip.alpha], dim=1)


def _colour(background: tuple[int, ...]) -> Tensor:
    return torch.tensor(background, dtype=torch.uint8).view(1, 3, 1, 1)


class _Box(NamedTuple):
    top: int
    left: int
    height: int
    width: int

    def of(self, frames: Tensor) -> Tensor:
        """The part of frames (…, h, w) inside the box, a view."""
        return frames[..., self.top : self.top + self.height, self.left : self.left + self.width]


class _Place(NamedTuple):
    """The part of the picture that is seen, and where in the frame it stands."""

    source: _Box
    target: _Box


def _place(fit: str, pictures: Tensor, height: int, width: int) -> _Place:
    """Where pictures (…, h, w) go in frames of `height` × `width`."""
    whole, frame = _Box(0, 0, *pictures.shape[-2:]), _Box(0, 0, height, width)
    across, down = frame.width / whole.width, frame.height / whole.height
    if fit == "crop":
        scale = max(across, down)
        return _Place(_centred(whole, frame.height / scale, frame.width / scale), frame)
    if fit == "letterbox":
        scale = min(across, down)
        return _Place(whole, _centred(frame, whole.height * scale, whole.width * scale))
    return _Place(whole, frame)


def _centred(outer: _Box, height: float, width: float) -> _Box:
    """A box of about this size, at least one pixel, in the middle of `outer`."""
    rows, columns = max(1, round(height)), max(1, round(width))
    return _Box((outer.height - rows) // 2, (outer.width - columns) // 2, rows, columns)


def _resized(frames: Tensor, height: int, width: int, resample: str) -> Tensor:
    """Frames uint8 (t, c, h, w) at another size: the pixel nearest to each centre, or the average of those around."""
    if frames.shape[-2:] == (height, width):
        return frames
    if resample == "nearest":
        rows, columns = _nearest(frames.shape[-2], height), _nearest(frames.shape[-1], width)
        return frames[..., rows[:, None], columns]
    return F.interpolate(frames, size=(height, width), mode="bilinear", antialias=True)


def _nearest(old: int, new: int) -> Tensor:
    """For each of `new` pixels, which of `old` its centre falls on; integers, so that enlarging can be undone."""
    return (2 * torch.arange(new) + 1) * old // (2 * new)
