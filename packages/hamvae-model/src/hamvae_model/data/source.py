"""What every source of clips offers to training."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor

from ..clips.clip import Batch, Clip
from ..config.run import DataConfig


class Source(Protocol):
    """Labelled clips in a train and a test split; a clip is known by its position in its split."""

    @property
    def name(self) -> str: ...

    @property
    def data(self) -> DataConfig:
        """What must be known to open the same clips again; it travels with the run."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def length(self) -> int:
        """Frames of the windows that training looks through; no clip that ends has fewer."""

    @property
    def periods(self) -> tuple[float | None, ...]:
        """For each class, the time after which its clips repeat; None when they do not."""

    @property
    def spans(self) -> tuple[float, ...]:
        """For each class, the time in which its motion unfolds: its period, or how long its clips last."""

    @property
    def size(self) -> int:
        """Height and width of a frame, in pixels."""

    @property
    def splits(self) -> Mapping[str, int]:
        """Number of clips in each split."""

    @property
    def inventory(self) -> Mapping[str, str]:
        """The side, the class and a hash of each clip by its name, for a resumed run; empty where the art is fixed."""

    def identities(self, split: str) -> Sequence[str]:
        """Who is seen in each clip of a split; the clip's own name where nobody said."""

    def labels(self, split: str, clips: Tensor) -> Tensor:
        """Classes int64 (m,) of clips int64 (m,)."""

    def lengths(self, split: str, clips: Tensor) -> Tensor:
        """Frames int64 (m,) of clips (m,)."""

    def repeats(self, split: str, clips: Tensor) -> Tensor:
        """bool (m,), which of clips (m,) begin again after their last frame."""

    def frames(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        """Frames uint8 (m, t, 3, h, w) number `indices` (m, t) of `clips` (m,), counted on where a clip repeats."""

    def times(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        """When these frames are shown, float32 (m, t), in units of time: 0, 1, 2, … for an evenly sampled clip."""

    def clips(self, split: str, clips: Tensor) -> Batch:
        """The first `length` frames of clips (m,)."""

    def clip(self, split: str, name: str) -> Clip:
        """One whole clip by the name a user types, without the source and the split."""
