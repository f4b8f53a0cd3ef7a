"""Clips put together for people to look at: beside each other in one animation, or below each other on a sheet."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..clips.clip import Clip
from ..clips.framing import resized, straight
from ..errors import UsageError
from ..limits import CLIP_LIMIT, FRAME_LIMIT
from ..media import sheet
from .source import Source


def side_by_side(clips: Sequence[Clip]) -> Tensor:
    """One animation of several clips from left to right; see `grid`."""
    return grid([clips])


def in_step(clips: Sequence[Clip], durations: Sequence[Sequence[float]]) -> tuple[list[Tensor], list[float]]:
    """Which frames of several clips are shown together, when each is shown at its own pace.

    Clips that change frames together keep their times to the last digit. Others are looked at in steps of the
    shortest frame of all.

    Args: durations: in seconds, of every frame of every clip.
    Returns: for each clip the frames to show, int64 (t,), and the durations of these t moments.
    Raises: UsageError: too many moments to show.
    """
    longest = max(durations, key=len)
    if all(list(own) == list(longest[: len(own)]) for own in durations):
        return [_indices(clip, len(longest)) for clip in clips], list(longest)
    step, whole = min(map(min, durations)), max(map(sum, durations))
    if whole / step > FRAME_LIMIT:
        raise UsageError(
            f"One of the clips has frames of {step:g} s and one lasts {whole:g} s, which is too much to show in step; "
            "write each into a file of its own."
        )
    moments = (torch.arange(max(1, round(whole / step)), dtype=torch.float64) + 0.5) * step
    shown = []
    for clip, own in zip(clips, durations, strict=True):
        often = 1 if clip.period is None else 1 + int(whole / min(own))
        order = _indices(clip, often * len(clip))
        ends = torch.tensor(own, dtype=torch.float64)[order].cumsum(0)
        shown.append(order[torch.searchsorted(ends, moments, right=True).clamp(max=len(order) - 1)])
    return shown, [step] * len(moments)


def grid(
    table: Sequence[Sequence[Clip | None]], shown: Sequence[Tensor] | None = None, *, transparent: bool = False
) -> Tensor:
    """One animation of clips in rows and columns, as long as the longest; None leaves a place empty.

    A shorter clip repeats when it is periodic, and holds its last frame otherwise. A smaller one is enlarged to the
    largest height and width, in its proportions.

    Args: shown: which frames of each clip to show, as `in_step` finds them; by default one after the other.
    Returns: frames uint8 (t, 3, h, w) over black, or (t, 4, h, w) with straight alpha if asked to be transparent.
    Raises: UsageError: no clips, or more than is put together.
    """
    clips = [clip for row in table for clip in row if clip is not None]
    if not clips:
        raise UsageError("There is no clip to show.")
    length = max(len(clip) for clip in clips)
    order = iter(shown or [_indices(clip, length) for clip in clips])
    length = len(shown[0]) if shown else length
    height, width = _largest(clips)
    columns = max(len(row) for row in table)
    if length * len(table) * height * columns * width > CLIP_LIMIT:
        raise UsageError(
            f"Together this would be more than {CLIP_LIMIT // 10**6} million pixels, the most that is put together; "
            "ask for fewer frames, give smaller clips, or write each into a file of its own."
        )
    canvas = torch.zeros(length, 4 if transparent else 3, len(table) * height, columns * width, dtype=torch.uint8)
    for i, row in enumerate(table):
        for j, clip in enumerate(row):
            if clip is not None:
                fitting = resized(clip, height, width)
                frames = straight(fitting) if transparent else fitting.frames
                place = canvas[..., i * height : (i + 1) * height, j * width : (j + 1) * width]
                place[:] = frames[next(order)]
    return canvas


def clip_rows(clips: Sequence[Clip], scale: int = 1, names: Sequence[str] = ()) -> Tensor:
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
            of_motion += [window(source, split, clip) for clip in some.tolist()]
        found.append(of_motion)
    return [clips[turn] for turn in range(count) for clips in found if turn < len(clips)]


def window(source: Source, split: str, number: int) -> Clip:
    """The first frames of one clip, as training sees them."""
    clip = torch.tensor([number])
    batch = source.clips(split, clip)
    whole = bool(source.repeats(split, clip)) and int(source.lengths(split, clip)) == source.length
    return Clip(
        frames=batch.frames[0].cpu(),
        times=batch.times[0],
        label=source.classes[int(batch.labels)],
        source=source.name,
        period=source.length if whole else None,
    )


def _indices(clip: Clip, length: int) -> Tensor:
    moments = torch.arange(length)
    if clip.period is not None and clip.period <= len(clip):
        return torch.where(moments < len(clip), moments, moments % clip.period)
    return moments.clamp(max=len(clip) - 1)
