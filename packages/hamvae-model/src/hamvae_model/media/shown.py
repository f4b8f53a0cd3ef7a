"""From the frames a reader finds, one after the other, to clips."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..clips.clip import Clip
from ..errors import HamvaeError, UsageError
from ..limits import CLIP_LIMIT, FRAME_LIMIT

_JITTER = 0.005001  # seconds by which frames of an even beat start early or late in a GIF, whose ticks are 10 ms
_AT_ONCE = 4 * 10**6  # pixels a stream hands over together


class Shown(NamedTuple):
    """One frame as a file holds it.

    Args:
        pixels: (h, w, 3) red, green, blue, or (h, w, 4) with straight alpha.
        seconds: how long it is shown; None when the file has no clock.
    """

    pixels: NDArray[np.uint8]
    seconds: float | None = None


def whole(shown: Iterable[Shown], path: Path) -> Clip:
    """All frames as one clip, with times in units of the median duration.

    Raises:
        UsageError: no frames, or more than CLIP_LIMIT pixels.
        HamvaeError: frames of different sizes.
    """
    taken: list[Shown] = []
    pixels = 0
    for one in shown:
        pixels += one.pixels.shape[0] * one.pixels.shape[1]
        if pixels > CLIP_LIMIT or len(taken) == FRAME_LIMIT:
            most = f"{CLIP_LIMIT // 10**6} million pixels" if pixels > CLIP_LIMIT else f"{FRAME_LIMIT} frames"
            raise UsageError(
                f"{path} would unpack to more than {most}, the most that is read at once; take some of its frames, as "
                f"in '{path.name}#0:{len(taken)}', or make it smaller."
            )
        taken.append(one)
    if not taken:
        raise UsageError(f"{path} holds no frames where they are looked for; check the part that is asked for.")
    durations = [one.seconds for one in taken if one.seconds is not None]
    beat = _beat(durations)
    if not durations or beat is not None:
        return _clip(taken, list(range(len(taken))), beat, path, 1.0)
    unit = median_low(durations)
    starts = [start / unit for start in accumulate(durations[:-1], initial=0.0)]
    return _clip(taken, starts, unit, path, durations[-1] / unit)


def _beat(durations: Sequence[float]) -> float | None:
    """Seconds between frames that are evenly timed, as nearly as a file can say; None where they are not."""
    ends = list(enumerate(accumulate(durations), 1))
    least = max(((end - _JITTER) / number for number, end in ends), default=1.0)
    most = min(((end + _JITTER) / number for number, end in ends), default=0.0)
    return (least + most) / 2 if least <= most else None


def in_parts(shown: Iterable[Shown], path: Path) -> Iterator[Clip]:
    """The frames as clips of some frames each, with times that go on, in seconds, or in frames without a clock.

    Raises: HamvaeError: frames of different sizes.
    """
    part: list[Shown] = []
    starts: list[float] = []
    now, lasting, shape = 0.0, 1.0, None
    for one in shown:
        if shape not in (None, one.pixels.shape[:2]):
            raise _mixed(path)
        shape = one.pixels.shape[:2]
        part.append(one)
        starts.append(now)
        lasting = 1.0 if one.seconds is None else one.seconds
        now += lasting
        if len(part) * shape[0] * shape[1] >= _AT_ONCE:
            yield _clip(part, starts, None if one.seconds is None else 1.0, path, lasting)
            part, starts = [], []
        del one  # what is large goes before more is decoded
    if part:
        yield _clip(part, starts, None if part[0].seconds is None else 1.0, path, lasting)


def _clip(shown: Sequence[Shown], starts: Sequence[float], unit: float | None, path: Path, lasting: float) -> Clip:
    frames, alpha = over_black([one.pixels for one in shown], path)
    times = torch.tensor(starts, dtype=torch.float32)
    return Clip(
        frames=frames, times=times, label=None, source=str(path), alpha=alpha, lasting=lasting, frame_seconds=unit
    )


def over_black(pixels: Sequence[NDArray[np.uint8]], path: Path) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Pictures of one size as frames (t, 3, h, w) over black and their alpha (t, 1, h, w), None if all is opaque."""
    if len({one.shape[:2] for one in pixels}) > 1:
        raise _mixed(path)
    height, width = pixels[0].shape[:2]
    frames = np.empty((len(pixels), 3, height, width), dtype=np.uint8)
    clear = any(one.shape[2] == 4 and one[..., 3].min() < 255 for one in pixels)
    alpha = np.full((len(pixels), 1, height, width), 255, dtype=np.uint8) if clear else None
    for number, one in enumerate(pixels):  # one at a time: what is between takes six times a frame's memory
        colour = one.transpose(2, 0, 1)
        if alpha is None or one.shape[2] == 3:
            frames[number] = colour[:3]
            continue
        alpha[number] = colour[3:]
        # At most 255·255 + 127, which sixteen bits hold.
        frames[number] = (colour[:3].astype(np.uint16) * colour[3:] + np.uint16(127)) // np.uint16(255)
    return torch.from_numpy(frames), None if alpha is None else torch.from_numpy(alpha)


def _mixed(path: Path) -> HamvaeError:
    return HamvaeError(f"{path} holds frames of different sizes; make them one size.")
