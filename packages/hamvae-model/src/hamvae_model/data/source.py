"""What every source of clips offers to training."""

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from ..clip import Batch, Clip


class Source(Protocol):
    """Labelled clips of one length in a train and a test split; a clip is known by its position in its split."""

    @property
    def name(self) -> str: ...

    @property
    def labelling(self) -> str:
        """What a class is: ``action`` or ``action-direction``."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def length(self) -> int:
        """Frames of a clip."""

    @property
    def period(self) -> int | None:
        """Frames after which every clip repeats; None when clips do not."""

    @property
    def size(self) -> int:
        """Height and width of a frame, in pixels."""

    @property
    def splits(self) -> Mapping[str, int]:
        """Number of clips in each split."""

    def labels(self, split: str, clips: Tensor) -> Tensor:
        """Classes int64 (m,) of clips int64 (m,)."""

    def frames(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        """Frames uint8 (m, t, 3, h, w) number `indices` (m, t) of `clips` (m,); a period wraps the numbers around."""

    def clips(self, split: str, clips: Tensor) -> Batch:
        """Whole clips."""

    def clip(self, split: str, name: str) -> Clip:
        """One clip by the name a user types, without the source and the split."""
