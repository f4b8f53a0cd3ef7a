"""Clips put together for people to look at: beside each other in one animation, or below each other on a sheet."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .clip import Clip
from .data import Source
from .errors import UsageError
from .media import sheet


def side_by_side(clips: Sequence[Clip]) -> Tensor:
    """One animation of several clips of one frame size, as long as the longest.

    A shorter clip repeats when it is periodic, and holds its last frame otherwise.

    Returns: frames uint8 (t, 3, h, w), the clips from left to right.
    Raises: UsageError: no clips, or frames of different sizes.
    """
    if not clips:
        raise UsageError("There is no clip to show.")
    sizes = sorted({tuple(clip.frames.shape[1:]) for clip in clips})
    if len(sizes) > 1:
        raise UsageError(
            f"Clips beside each other must have frames of one size; got {sizes} (channels, height, width)."
        )
    length = max(len(clip) for clip in clips)
    return torch.cat([clip.frames[_indices(clip, length)] for clip in clips], dim=-1)


def rows(clips: Sequence[Clip], scale: int = 1) -> Tensor:
    """A contact sheet uint8 (1, 3, H, W): one clip a row, one frame a column, with the motion's name beside it.

    Raises: UsageError: no clips, or frames of different sizes.
    """
    names = [clip.label or clip.source for clip in clips]
    return sheet([clip.frames for clip in clips], row_labels=names, scale=scale).unsqueeze(0)


def examples(source: Source, count: int) -> list[Clip]:
    """The first `count` clips of each motion, as far as there are so many: held-out ones, else of those to train on.

    Of a long clip, its first frames. In turns: one clip of every motion, then the next of every motion.
    """
    found: list[list[Clip]] = []
    for number in range(len(source.classes)):
        of_motion: list[Clip] = []
        for split in ("test", "train"):
            every = torch.arange(source.splits[split])
            some = every[source.labels(split, every) == number][: count - len(of_motion)]
            batch = source.clips(split, some)
            of_motion += [
                Clip(frames=frames.cpu(), times=times, label=source.classes[number], source=source.name)
                for frames, times in zip(batch.frames, batch.times, strict=True)
            ]
        found.append(of_motion)
    return [clips[turn] for turn in range(count) for clips in found if turn < len(clips)]


def _indices(clip: Clip, length: int) -> Tensor:
    moments = torch.arange(length)
    if clip.period is not None and clip.period <= len(clip):
        return torch.where(moments < len(clip), moments, moments % clip.period)
    return moments.clamp(max=len(clip) - 1)
