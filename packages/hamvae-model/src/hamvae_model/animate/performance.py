"""A character and a motion, ready to be shown at any times."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..clips import Clip, as_frames, cut_out, restored
from ..errors import UsageError
from ..limits import CLIP_LIMIT
from ..network import Network

AT_ONCE = 4 * 10**6  # pixels of a part


@dataclass(frozen=True, kw_only=True, eq=False)
class Performance:
    """What a network read from its inputs.

    Args:
        network: that will draw.
        content: (1, c).
        state: (1, s), of the motion at `origin`.
        label: int64 (1,), the class of the motion.
        times: (t,), when the motion's own frames are shown, in the model's units of time.
        lasting: how long the last of them stands, in the same units; None if unknown.
        origin: when the motion was in `state`.
        frame_seconds: how long a unit of time lasts; None if unknown.
        like: the clip whose size the frames come back to; None for the model's own.
        source: what this shows, in words.
    """

    network: Network
    content: Tensor
    state: Tensor
    label: Tensor
    times: Tensor
    lasting: float | None = None
    origin: float = 0.0
    frame_seconds: float | None = None
    like: Clip | None = None
    source: str

    @property
    def action(self) -> str:
        """The name of the motion."""
        return self.network.classes[int(self.label)]

    def clip(self, times: Tensor | None = None, *, transparent: bool = False) -> Clip:
        """The performance at some times (n,), by default its own.

        Args: transparent: make the background clear; see `cutout`.
        Raises:
            UsageError: more pixels than a clip in memory may have.
            HamvaeError: an orbit grew beyond what a float holds.
        """
        times = self.times if times is None else times
        size = self.network.config.model.image_size
        height, width = (size, size) if self.like is None else self.like.frames.shape[-2:]
        if len(times) * height * width > CLIP_LIMIT:
            raise UsageError(
                f"{len(times)} frames of {width}×{height} are more than {CLIP_LIMIT // 10**6} million pixels, the most "
                "that is kept at once; ask for fewer, or give a smaller picture."
            )
        frames = torch.cat(list(self.parts(times, transparent=transparent)))
        colour, alpha = (frames[:, :3] * (frames[:, 3:] > 0), frames[:, 3:]) if transparent else (frames, None)
        return Clip(
            frames=colour,
            times=times,
            lasting=1.0 if self.lasting is None or times.max() != self.times.max() else self.lasting,
            label=self.action,
            source=self.source,
            alpha=alpha,
            period=self._period(times),
            frame_seconds=self.frame_seconds,
        )

    def parts(self, times: Tensor, *, transparent: bool = False) -> Iterator[Tensor]:
        """The frames at `times` (n,) in parts uint8 (m, 3, h, w), so that a roll of any length needs little memory.

        Args: transparent: make the background clear, and the parts (m, 4, h, w) with alpha 0 or 255; see `cutout`.
        """
        framing = self.network.config.data.framing
        for images in self.network.rendered(self.content, self.state, self.label, times - self.origin):
            drawn = as_frames(images[0]).cpu()
            drawn = cut_out(drawn, framing.background) if transparent else drawn
            for some in torch.split(drawn, self._at_once()):
                frames = some if self.like is None else restored(some, self.like, framing)
                if transparent:
                    frames[:, 3] = (frames[:, 3] > 127) * 255  # smooth resizing averages it
                yield frames

    def _at_once(self) -> int:
        """Frames that come back to the size of `like` together, a few million pixels."""
        return max(1, AT_ONCE // self.like.frames[0, 0].numel()) if self.like is not None else AT_ONCE

    def _period(self, times: Tensor) -> int | None:
        """Frames after which the clip comes round: only where they stand a unit apart, and the period is whole."""
        period = self.network.config.model.period_of(int(self.label))
        even = times.equal(torch.arange(float(len(times))))
        return int(period) if even and period is not None and period.is_integer() else None
