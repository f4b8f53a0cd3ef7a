"""Training clips that are held out of training, so that the best weights are chosen by what they did not see.

Whole identities are, by a hash, as in `splits`: the same ones on every machine and whenever a run is resumed. The test
split stays what it is, for it is not looked at while training.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..clips.clip import Batch, Clip
from .files.splits import place
from .source import Source


def with_validation(source: Source, share: float) -> Source:
    """The source with a third split, ``validation``, cut from ``train``.

    Args:
        share: of the training identities, rounded down; so among few, none is held out. Nor is one without whom a
            class would have no clip left to train on.

    Returns: the source itself when nothing is held out.
    """
    held_out = _held_out(source, share)
    return _Validated(source, held_out) if held_out.any() else source


def _held_out(source: Source, share: float) -> Tensor:
    """Which of the training clips, bool (n,)."""
    identities = source.identities("train")
    labels = source.labels("train", torch.arange(source.splits["train"]))
    clips: dict[str, list[int]] = {}
    for number, identity in enumerate(identities):
        clips.setdefault(identity, []).append(number)
    left = labels.bincount(minlength=len(source.classes))
    held_out = torch.zeros(len(labels), dtype=torch.bool)
    wanted = int(share * len(clips))
    for identity in sorted(clips, key=lambda key: place(f"validation {key}")):
        theirs = labels[clips[identity]].bincount(minlength=len(left))
        if wanted and bool((left > theirs).all()):
            held_out[clips[identity]] = True
            left, wanted = left - theirs, wanted - 1
    return held_out


class _Validated:
    """A source whose training clips are counted anew, apart from those that are held out."""

    def __init__(self, source: Source, held_out: Tensor) -> None:
        every = torch.arange(len(held_out))
        self._source, self._numbers = source, {"train": every[~held_out], "validation": every[held_out]}
        self.name, self.data, self.classes = source.name, source.data, source.classes
        self.length, self.size, self.inventory = source.length, source.size, source.inventory
        self.periods, self.spans = source.periods, source.spans
        self.splits = {**source.splits, **{split: len(clips) for split, clips in self._numbers.items()}}

    def _place(self, split: str, clips: Tensor) -> tuple[str, Tensor]:
        return ("train", self._numbers[split][clips]) if split in self._numbers else (split, clips)

    def identities(self, split: str) -> Sequence[str]:
        if split not in self._numbers:
            return self._source.identities(split)
        every = self._source.identities("train")
        return [every[number] for number in self._numbers[split].tolist()]

    def labels(self, split: str, clips: Tensor) -> Tensor:
        return self._source.labels(*self._place(split, clips))

    def lengths(self, split: str, clips: Tensor) -> Tensor:
        return self._source.lengths(*self._place(split, clips))

    def repeats(self, split: str, clips: Tensor) -> Tensor:
        return self._source.repeats(*self._place(split, clips))

    def frames(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        return self._source.frames(*self._place(split, clips), indices)

    def times(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        return self._source.times(*self._place(split, clips), indices)

    def clips(self, split: str, clips: Tensor) -> Batch:
        return self._source.clips(*self._place(split, clips))

    def clip(self, split: str, name: str) -> Clip:
        return self._source.clip("train" if split in self._numbers else split, name)
