"""Clips put together for people to look at: beside each other in one animation, or below each other on a sheet."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .clip import Clip
from .data import Source
from .errors import UsageError
from .framing import resized, straight
from .media import sheet


def side_by_side(clips: Sequence[Clip]) -> Tensor:
    """One animation of several clips from left to right; see `grid`."""
    return grid([clips])


def grid(table: Sequence[Sequence[Clip | None]], *, transparent: bool = False) -> Tensor:
    """One animation of clips in rows and columns, as long as the longest; None leaves a place empty.

    A shorter clip repeats when it is periodic, and holds its last frame otherwise. A smaller one is enlarged to the
    largest height and width, in its proportions.

    Returns: frames uint8 (t, 3, h, w) over black, or (t, 4, h, w) with straight alpha if asked to be transparent.
    Raises: UsageError: no clips.
    """
    clips = [clip for row in table for clip in row if clip is not None]
    if not clips:
        raise UsageError("There is no clip to show.")
    length = max(len(clip) for clip in clips)
    height, width = _largest(clips)
    columns = max(len(row) for row in table)
    canvas = torch.zeros(length, 4 if transparent else 3, len(table) * height, columns * width, dtype=torch.uint8)
    for i, row in enumerate(table):
        for j, clip in enumerate(row):
            if clip is not None:
                fitting = resized(clip, height, width)
                shown = straight(fitting) if transparent else fitting.frames
                place = canvas[..., i * height : (i + 1) * height, j * width : (j + 1) * width]
                place[:] = shown[_indices(clip, length)]
    return canvas


def rows(clips: Sequence[Clip], scale: int = 1, names: Sequence[str] = ()) -> Tensor:
    """A contact sheet uint8 (1, 3, H, W): one clip a row, one frame a column, with a name beside it.

    Args: names: of the clips; by default of their motions.
    """
    names = names or [clip.label or clip.source for clip in clips]
    height, width = _largest(clips)
    return sheet([resized(clip, height, width).frames for clip in clips], row_labels=names, scale=scale).unsqueeze(0)


def _largest(clips: Sequence[Clip]) -> tuple[int, int]:
    return max(clip.frames.shape[-2] for clip in clips), max(clip.frames.shape[-1] for clip in clips)


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
