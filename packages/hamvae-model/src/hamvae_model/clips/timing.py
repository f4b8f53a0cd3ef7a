"""Time as a real number: which moments of a motion to show, and for how long each."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..errors import UsageError
from .clip import Clip

FPS = 8.0  # frames per second of a clip whose source has no clock


MOST_FRAMES = 10**7  # two weeks at eight a second: more is a slip of the finger

SAME_TEMPO = 1.5  # artists draw the same turn for anything from eight to twelve frames a second


def in_units(motion: Clip, unit: float | None, turn: float | None) -> tuple[Tensor, float, float | None]:
    """When a clip's frames are shown, in a model's units of time.

    Real time decides. Only a clip that is one turn of a motion which repeats, a little slower or faster than the model
    knows it, is taken for one turn: the model knows a motion at one tempo.

    Args:
        motion: whose own unit is one of its frames.
        unit: seconds of the model's; None where a frame of any clip is a unit.
        turn: units after which the motion repeats, if the clip is to be taken for one turn; None else.

    Returns: the times (t,), how long the last frame is shown, and how many seconds a unit then lasts.
    """
    seconds = motion.frame_seconds
    scale = 1.0 if unit is None or seconds is None else seconds / unit
    if turn is not None:
        whole = turn / (float(motion.times[-1] - motion.times[0]) + motion.lasting)
        scale = whole if 1 / SAME_TEMPO <= whole / scale <= SAME_TEMPO else scale
    return motion.times * scale, motion.lasting * scale, unit if seconds is None else seconds / scale


class Lasting(Protocol):
    """A clip, or anything else with moments of its own."""

    @property
    def times(self) -> Tensor:
        """When its frames are shown, (t,), in units of time."""

    @property
    def lasting(self) -> float | None:
        """How long the last of them stands, in the same units; None if unknown."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What is asked for; the default is a motion as it is.

    Args:
        frames: how many; by default as many as the motion takes at this speed.
        fps: how many units of time pass in a second; by default what the motion's source says, else 8.
        speed: units of time from one frame to the next: 0.25 makes three new frames between every two. By default the
            motion's own times.
        start: where to begin, in units of time after the motion's first frame.
        reverse: show the same moments backward.
    """

    frames: int | None = None
    fps: float | None = None
    speed: float | None = None
    start: float = 0.0
    reverse: bool = False

    def __post_init__(self) -> None:
        """Raises: UsageError: numbers that mean nothing."""
        for name, value in (("fps", self.fps), ("speed", self.speed)):
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(f"{name} must be above 0; got {value:g}. To play backward, reverse.")
        if not math.isfinite(self.start):
            raise UsageError(f"start must be a finite number of frames; got {self.start:g}.")
        if self.frames is not None and self.frames < 1:
            raise UsageError(f"Ask for at least one frame; got {self.frames}.")

    def moments(self, times: Tensor) -> Tensor:
        """The times (n,) to show of a motion whose frames stand at `times` (t,), ascending; float32.

        Raises: UsageError: they would be more than MOST_FRAMES.
        """
        step = self.speed or 1.0
        span = float(times[-1] - times[0]) + 1  # a frame lasts a unit
        count = self.frames or (len(times) if self.speed is None else max(1, round(min(span / step, 1e18))))
        if count > MOST_FRAMES:
            raise UsageError(
                f"This would make {count} frames, and at most {MOST_FRAMES // 10**6} million are made; "
                "ask for fewer, or for a higher speed."
            )
        if self.speed is None:
            own = times[:count].double()
            further = own[-1] + torch.arange(1, count - len(own) + 1, dtype=torch.float64)
            shown = torch.cat([own, further])
        else:
            shown = times[0].double() + step * torch.arange(count, dtype=torch.float64)
        shown = (shown + self.start).float()
        return shown.flip(0) if self.reverse else shown

    def of(self, clip: Clip) -> Clip:
        """A clip that was given, at the moments asked for: nothing is made between frames, the last one stands."""
        moments = self.moments(clip.times)
        looked_up = moments
        if clip.period is not None and clip.period <= len(clip):
            looked_up = torch.where(moments < len(clip), moments, moments % clip.period)
        frames = (torch.searchsorted(clip.times, looked_up, right=True) - 1).clamp(0, len(clip) - 1)
        alpha = None if clip.alpha is None else clip.alpha[frames]
        same = moments.equal(clip.times)
        return dataclasses.replace(
            clip,
            frames=clip.frames[frames],
            times=moments,
            lasting=1.0 if (lasting := self.lasting(clip)) is None else lasting,
            alpha=alpha,
            period=clip.period if same else None,
        )

    def lasting(self, motion: Lasting) -> float | None:
        """Units that the last frame of a motion stands; None where something else was asked for than all its frames."""
        return motion.lasting if self.speed is None and self.frames in (None, len(motion.times)) else None

    def durations(self, times: Tensor, frame_seconds: float | None, lasting: float | None = None) -> list[float]:
        """Seconds that each frame is shown of a clip with `times` (t,), a unit of which lasts `frame_seconds`.

        The last one is shown for `lasting` units, or for as long as most others. At another speed, moments that are a
        step apart are shown for a unit each, and so is the last.
        """
        unit = 1 / self.fps if self.fps else frame_seconds or 1 / FPS
        gaps = times.double().diff().abs() / (self.speed or 1.0)
        usual = float(gaps.median()) if len(gaps) else 1.0
        last = usual if lasting is None or self.speed is not None else lasting
        forward = [*(gaps.flip(0) if self.reverse else gaps).tolist(), last]
        return [round(gap * unit, 6) for gap in (reversed(forward) if self.reverse else forward)]
