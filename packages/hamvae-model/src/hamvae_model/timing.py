"""Time as a real number: which moments of a motion to show, and for how long each."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .clip import Clip
from .errors import UsageError

FPS = 8.0  # frames per second of a clip whose source has no clock


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
        if self.frames is not None and self.frames < 1:
            raise UsageError(f"Ask for at least one frame; got {self.frames}.")

    def moments(self, times: Tensor) -> Tensor:
        """The times (n,) to show of a motion whose frames stand at `times` (t,), ascending; float32."""
        step = self.speed or 1.0
        span = float(times[-1] - times[0]) + 1  # a frame lasts a unit
        count = self.frames or (len(times) if self.speed is None else max(1, round(span / step)))
        if self.speed is None:
            own = times[:count].double()
            further = own[-1] + torch.arange(1, count - len(own) + 1, dtype=torch.float64)
            shown = torch.cat([own, further])
        else:
            shown = times[0].double() + step * torch.arange(count, dtype=torch.float64)
        shown = (shown + self.start).float()
        return shown.flip(0) if self.reverse else shown

    def durations(self, clip: Clip) -> list[float]:
        """Seconds that each frame of a clip is shown; at another speed, moments a step apart take a unit each."""
        unit = 1 / self.fps if self.fps else clip.frame_seconds or 1 / FPS
        gaps = clip.times.double().diff().abs() / (self.speed or 1.0)
        last = gaps.median().reshape(1) if len(gaps) else torch.ones(1, dtype=torch.float64)
        return [round(float(gap) * unit, 6) for gap in torch.cat([gaps, last])]
