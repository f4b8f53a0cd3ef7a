"""What a source of clips offers to training, evaluation and judges."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from ..clips import Batch, Clip
from ..config import DataConfig
from ..errors import HamvaeError, UsageError
from ..words import nearest

NOTHING: Mapping[str, str] = MappingProxyType({})


class Exact(Protocol):
    """What can be rendered that nobody recorded: any character of a split in any of some motions."""

    @property
    def motions(self) -> tuple[str, ...]:
        """Their names; a split has as many clips as characters times motions."""

    def performance(self, characters: Tensor, motions: Tensor) -> Tensor:
        """The clips int64 (m,) in which `characters` (m,), by their position in a split, perform `motions` (m,)."""


class Source(Protocol):
    """Labelled clips in splits; a clip is known by its position in its split.

    A source of your own is a subclass with the first five attributes, `labels` and `frames`; everything else has an
    answer that fits clips of one length, a frame to a unit of time. A `validation` split is cut from `train` unless the
    source brings one.
    """

    name: str
    """What users call it."""

    classes: tuple[str, ...]
    """Names of the motions."""

    size: int
    """Height and width of a frame, in pixels; a multiple of 16."""

    length: int
    """Frames of the windows that training looks through; no clip that ends has fewer."""

    splits: Mapping[str, int]
    """Number of clips in each split: ``train`` and ``test``, and ``validation`` if some are held out for that."""

    def labels(self, split: str, clips: Tensor) -> Tensor:
        """Classes int64 (m,) of clips int64 (m,)."""

    def frames(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        """Frames uint8 (m, t, 3, h, w) number `indices` (m, t) of `clips` (m,), counted on where a clip repeats."""

    # Answers that fit most sources -------------------------------------------------------------------------------

    @cached_property
    def data(self) -> DataConfig:
        """What must be known to open the same clips again; it travels with the run."""
        return DataConfig(source=self.name, labels="action")

    @cached_property
    def periods(self) -> tuple[float | None, ...]:
        """For each class, the time after which its clips repeat; None when they do not."""
        return (None,) * len(self.classes)

    @cached_property
    def spans(self) -> tuple[float, ...]:
        """For each class, the time in which its motion unfolds: its period, or how long its clips last."""
        return tuple(period or float(self.length) for period in self.periods)

    def lengths(self, split: str, clips: Tensor) -> Tensor:
        """Frames int64 (m,) of clips (m,)."""
        return torch.full_like(clips, self.length)

    def repeats(self, split: str, clips: Tensor) -> Tensor:
        """bool (m,), which of clips (m,) begin again after their last frame."""
        return torch.tensor([period is not None for period in self.periods])[self.labels(split, clips).cpu()]

    def times(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        """When these frames are shown, float32 (m, t), in units of time: 0, 1, 2, … for an evenly sampled clip."""
        return indices.float()

    def identities(self, split: str) -> Sequence[str]:
        """Who is seen in each clip of a split; the clip's own name if unknown."""
        return [f"{split}/{number}" for number in range(self.splits[split])]

    def clips(self, split: str, clips: Tensor) -> Batch:
        """The first `length` frames of clips (m,)."""
        indices = torch.arange(self.length).expand(len(clips), -1)
        return Batch(
            frames=self.frames(split, clips, indices),
            times=self.times(split, clips, indices),
            labels=self.labels(split, clips),
        )

    def clip(self, split: str, name: str) -> Clip:
        """One whole clip by the name a user types, without the source and the split; here, its number.

        Raises: UsageError: no such split or clip.
        """
        if split not in self.splits:
            raise UsageError(f"The {self.name} source has no split '{split}'{nearest(split, self.splits)}")
        if not (name.isascii() and name.isdigit() and int(name) < self.splits[split]):
            raise UsageError(f"{self.name}:{split} has clips 0 to {self.splits[split] - 1}; '{name}' is none of them.")
        number = torch.tensor([int(name)])
        indices = torch.arange(int(self.lengths(split, number))).unsqueeze(0)
        label = int(self.labels(split, number))
        return Clip(
            frames=self.frames(split, number, indices)[0].cpu(),
            times=self.times(split, number, indices)[0].cpu(),
            label=self.classes[label],
            source=f"{self.name}:{split}/{name}",
            period=indices.shape[1] if bool(self.repeats(split, number)) else None,
            frame_seconds=self.data.frame_seconds,
        )

    def find(self, name: str) -> Clip:
        """One whole clip by its name alone, on whichever side it is; here, the name begins with the split.

        Raises: UsageError: no such clip.
        """
        split, _, rest = name.partition("/")
        return self.clip(split, rest)

    # What only some know -----------------------------------------------------------------------------------------

    @cached_property
    def inventory(self) -> Mapping[str, str]:
        """The side, the class and a hash of each clip by its name, for a resumed run; empty where clips are fixed."""
        return NOTHING

    @cached_property
    def material(self) -> Mapping[str, str]:
        """What the clips are made from, for a judge: a word and a hash of each part by its name."""
        return self.inventory

    @cached_property
    def attributes(self) -> Mapping[str, tuple[str, ...]]:
        """What characters look like: the values that each attribute can have. None if unknown."""
        return MappingProxyType({})

    def values(self, split: str, clips: Tensor) -> Tensor:
        """Attribute values int64 (m, attributes) of clips (m,)."""
        return clips.new_zeros(len(clips), 0)

    @cached_property
    def exact(self) -> Exact | None:
        """What can be rendered that nobody recorded; None if nothing."""
        return None

    @cached_property
    def decoded(self) -> bool:
        """Whether the clips were decoded from files, so that framing, rate and windows were a choice."""
        return False

    @cached_property
    def skipped(self) -> Mapping[str, HamvaeError]:
        """The clips that cannot be used, by name, and why."""
        return MappingProxyType({})

    @cached_property
    def notes(self) -> Mapping[str, int]:
        """How clips were prepared, in words for people, and how many were so."""
        return MappingProxyType({})
