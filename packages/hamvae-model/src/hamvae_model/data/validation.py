"""Training clips that are held out of training, so that weights and settings are chosen by what they did not see.

Whole identities are, by a hash, as in `splits`: the same ones on every machine and whenever a run is resumed. The test
split stays what it is, for it is not looked at before the end.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..clips import Batch, Clip
from .files.splits import place
from .source import Source

ENOUGH = 10  # identities: of as many, at least one is held out


def held_out(identities: Sequence[str], labels: Tensor, share: float) -> Tensor:
    """Which of the training clips are held out for validation, bool (n,).

    Args:
        identities: who is seen in each clip.
        labels: int64 (n,), of the clips.
        share: of the identities, rounded down; at least one from ten on, none of fewer unless the share is that large.
            Nor is one held out without whom a class would have no clip left to train on.
    """
    clips: dict[str, list[int]] = {}
    for number, identity in enumerate(identities):
        clips.setdefault(identity, []).append(number)
    left = labels.bincount()
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    wanted = max(int(share * len(clips)), int(share > 0 and len(clips) >= ENOUGH))
    for identity in sorted(clips, key=lambda key: place(f"validation {key}")):
        theirs = labels[clips[identity]].bincount(minlength=len(left))
        if wanted and bool(((left > theirs) | (theirs == 0)).all()):
            chosen[clips[identity]] = True
            left, wanted = left - theirs, wanted - 1
    return chosen


def with_validation(source: Source, share: float) -> Source:
    """The source with a third split, ``validation``, cut from ``train`` by `held_out`.

    Returns: the source itself if it has such a split, or when nothing is held out.
    """
    if "validation" in source.splits:
        return source
    labels = source.labels("train", torch.arange(source.splits["train"])).cpu()
    chosen = held_out(source.identities("train"), labels, share)
    return _Validated(source, chosen) if chosen.any() else source


class _Validated(Source):
    """A source whose training clips are counted anew, apart from those that are held out."""

    def __init__(self, source: Source, chosen: Tensor) -> None:
        every = torch.arange(len(chosen))
        self._source, self._numbers = source, {"train": every[~chosen], "validation": every[chosen]}
        self.name, self.data, self.classes = source.name, source.data, source.classes
        self.length, self.size, self.periods, self.spans = source.length, source.size, source.periods, source.spans
        self.splits = {split: len(clips) for split, clips in self._numbers.items()} | {"test": source.splits["test"]}
        self.inventory, self.material, self.attributes = source.inventory, source.material, source.attributes
        self.decoded, self.skipped, self.notes = source.decoded, source.skipped, source.notes

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

    def values(self, split: str, clips: Tensor) -> Tensor:
        return self._source.values(*self._place(split, clips))

    def clips(self, split: str, clips: Tensor) -> Batch:
        return self._source.clips(*self._place(split, clips))

    def clip(self, split: str, name: str) -> Clip:
        return self._source.clip("train" if split in self._numbers else split, name)

    def find(self, name: str) -> Clip:
        return self._source.find(name)
