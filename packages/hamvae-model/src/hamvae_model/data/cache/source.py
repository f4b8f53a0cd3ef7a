"""A source of clips that were decoded from files: what `folder`, `mug` and `sprites` of whole sheets have in common."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from statistics import median

import numpy as np
import torch
from torch import Tensor

from ...clips import Clip
from ...config import DataConfig
from ...errors import HamvaeError, UsageError
from ...words import counted, nearest
from ..files.recording import Listing, Recording
from ..files.splits import assign
from ..source import Source
from ..validation import held_out
from .index import Stored
from .shards import Progress, Store, open_store


class StoredClips(Source):
    """Clips of any number of frames, rate and period, read from a store as training asks for them.

    Args:
        store: which holds all of `recordings`.
        recordings: the clips that can be used.
        data: what travels with a run; its `frame_seconds` is the unit of time, the median over the clips when it is
            None, and a frame when no clip says how long its frames last.
        length: frames of a training window.
        skipped: the clips that cannot be used, and why.

    Raises: UsageError: a motion of which no clip is left to train on.
    """

    def __init__(
        self,
        store: Store,
        recordings: Sequence[Recording],
        data: DataConfig,
        length: int,
        skipped: Mapping[str, HamvaeError],
    ) -> None:
        self.name, self.size, self.length, self.skipped = data.source, store.size, length, skipped
        self.decoded = True
        self.classes = tuple(sorted({recording.label for recording in recordings}))
        clips = [store.clips[recording.name] for recording in recordings]
        self.data, scales = _clocked(data, clips)
        self.store = store
        splits = _three_way(recordings, assign(recordings), self.classes, data.validation)
        self._sides = {
            side: _Side(
                [recording for recording, split in zip(recordings, splits, strict=True) if split == side],
                [clip for clip, split in zip(clips, splits, strict=True) if split == side],
                [scale for scale, split in zip(scales, splits, strict=True) if split == side],
                self,
            )
            for side in ("train", "validation", "test")
        }
        if not self._sides["validation"].recordings:
            del self._sides["validation"]
        self.splits = {name: len(side.recordings) for name, side in self._sides.items()}
        trained = self._sides["train"]
        absent = [name for name in self.classes if name not in {recording.label for recording in trained.recordings}]
        if absent:
            raise UsageError(f"No clip of '{absent[0]}' is left to train on; add one, or move one with clips.csv.")
        self.periods = tuple(trained.period_of(number) for number in range(len(self.classes)))
        self.spans = tuple(trained.span_of(number) for number in range(len(self.classes)))

    @cached_property
    def inventory(self) -> dict[str, str]:
        """What each clip shows, whether it is one to train on or to test, and a hash of its frames."""
        return {
            recording.name: f"{'test' if name == 'test' else 'train'} {recording.label} "
            f"{self.store.clips[recording.name].content}"
            for name, side in self._sides.items()
            for recording in side.recordings
        }

    @cached_property
    def notes(self) -> dict[str, int]:
        """How clips were prepared, where a source says, the most frequent way first."""
        every = (recording.note for side in self._sides.values() for recording in side.recordings)
        return dict(Counter(note for note in every if note).most_common())

    def recordings(self, split: str) -> Sequence[Recording]:
        """The clips of a split on disk, in order."""
        return self._sides[split].recordings

    def names(self, split: str) -> list[str]:
        """Names of the clips of a split, in order."""
        return [recording.name for recording in self.recordings(split)]

    def identities(self, split: str) -> list[str]:
        """Who is seen in each clip of a split; the clip's own name if unknown."""
        return [recording.identity or recording.name for recording in self.recordings(split)]

    def count_labels(self, split: str) -> dict[str, int]:
        """How many clips of each class a split has."""
        counts = self._sides[split].labels.bincount(minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, counts, strict=True))

    def period_ranges(self) -> dict[str, tuple[float, float]]:
        """The shortest and the longest period in each class whose training clips all repeat."""
        side = self._sides["train"]
        laps = {label: side.laps[side.labels == number] for number, label in enumerate(self.classes)}
        return {label: (float(few.min()), float(few.max())) for label, few in laps.items() if few.isfinite().all()}

    def labels(self, split: str, clips: Tensor) -> Tensor:
        """Classes int64 (m,) of clips int64 (m,)."""
        return self._sides[split].labels[clips]

    def lengths(self, split: str, clips: Tensor) -> Tensor:
        """Frames int64 (m,) of clips (m,)."""
        return self._sides[split].counts[clips]

    def repeats(self, split: str, clips: Tensor) -> Tensor:
        """bool (m,), which of clips (m,) begin again after their last frame."""
        return self._sides[split].laps[clips].isfinite()

    def frames(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        """Frames uint8 (m, t, 3, h, w) number `indices` (m, t) of `clips` (m,), counted on where a clip repeats."""
        side = self._sides[split]
        _, within = side.place(clips, indices)
        rows = side.starts[clips].unsqueeze(1) + within
        return self.store.read(side.shards[clips].numpy(), rows.numpy())

    def times(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        """When these frames are shown, float32 (m, t), in units of time from the clip's first frame."""
        side = self._sides[split]
        lap, within = side.place(clips, indices)
        begun = torch.where(lap > 0, lap * side.laps[clips].unsqueeze(1), 0.0)
        return (begun + side.moments[side.offsets[clips].unsqueeze(1) + within]).float()

    def clip(self, split: str, name: str) -> Clip:
        """One whole clip, named as in its folder: ``walk/hero.gif``.

        Raises: UsageError: no such split or clip.
        """
        if split not in self.splits:
            raise UsageError(f"The {self.name} source has no split '{split}'{nearest(split, self.splits)}")
        if split == "train" and "validation" in self.splits and name in self.names("validation"):
            split = "validation"
        names = self.names(split)
        if name not in names:
            raise UsageError(f"The {split} split of {self.name} has no clip '{name}'{nearest(name, names)}")
        side, number = self._sides[split], names.index(name)
        which = torch.tensor([number])
        indices = torch.arange(int(side.counts[number])).unsqueeze(0)
        lap = float(side.laps[number])
        times = self.times(split, which, indices)[0]
        return Clip(
            frames=self.frames(split, which, indices)[0],
            times=times,
            lasting=float(side.lasting[number]) - float(times[-1]),
            label=side.recordings[number].label,
            source=f"{self.name}:{split}/{name}",
            period=int(lap) if lap.is_integer() else None,
            loop=math.isfinite(lap),
            frame_seconds=self.data.frame_seconds,
        )

    def find(self, name: str) -> Clip:
        """One whole clip, on whichever side it is.

        Raises: UsageError: no such clip.
        """
        for split in self.splits:
            if name in self.names(split):
                return self.clip(split, name)
        everything = [known for split in self.splits for known in self.names(split)]
        raise UsageError(f"The {self.name} source has no clip '{name}'{nearest(name, everything)}")


class _Side:
    """The clips of one split as arrays, one entry a clip."""

    def __init__(
        self, recordings: list[Recording], clips: list[Stored], scales: list[float], source: StoredClips
    ) -> None:
        self.recordings = recordings
        shards = {shard: number for number, shard in enumerate(source.store.shards)}
        self.labels = torch.tensor(
            [source.classes.index(recording.label) for recording in recordings], dtype=torch.int64
        )
        self.shards = torch.tensor([shards[clip.shard] for clip in clips], dtype=torch.int64)
        self.starts = torch.tensor([clip.start for clip in clips], dtype=torch.int64)
        self.counts = torch.tensor([clip.count for clip in clips], dtype=torch.int64)
        self.offsets = self.counts.cumsum(0) - self.counts
        moments = [scale * _times(clip) for clip, scale in zip(clips, scales, strict=True)]
        self.moments = torch.from_numpy(np.concatenate([np.empty(0), *moments]))
        lasting = [scale * _whole(clip) for clip, scale in zip(clips, scales, strict=True)]
        self.lasting = torch.tensor(lasting, dtype=torch.float64)
        # Units of time after which a clip begins again; infinite for one that does not.
        laps = [scale * _lap(clip, source.data.loop) for clip, scale in zip(clips, scales, strict=True)]
        self.laps = torch.tensor(laps, dtype=torch.float64)

    def place(self, clips: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
        """How often a clip has begun again at frame number `indices` (m, t), and which of its frames that is."""
        counts = self.counts[clips].unsqueeze(1)
        lap = torch.where(self.laps[clips].isfinite().unsqueeze(1), indices // counts, 0)
        return lap, torch.where(lap > 0, indices % counts, indices.clamp(max=counts - 1))

    def period_of(self, label: int) -> float | None:
        """The median period of a class; None unless all its clips repeat."""
        laps = self.laps[self.labels == label]
        return float(laps.median()) if len(laps) and laps.isfinite().all() else None

    def span_of(self, label: int) -> float:
        """The median time that clips of a class take, with that of their last frame."""
        return float(self.lasting[self.labels == label].median())


def open_listing(
    listing: Listing,
    data: DataConfig,
    *,
    size: int,
    length: int,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> StoredClips:
    """Decode what was listed, unless that was done before, and make it a source.

    Args:
        data: `source`, `labels`, `framing`, `frame_seconds` and `loop` are used.
        size: height and width of a frame.
        length: frames of a training window.
        skip_bad: leave clips out that cannot be used, instead of refusing them.
        progress: is told of every decoded clip.

    Raises:
        UsageError, HamvaeError: a clip that cannot be used, without `skip_bad`; too few clips.
    """
    store = open_store(
        listing.root, listing.recordings, framing=data.framing, size=size, recipe=listing.recipe, progress=progress
    )
    usable, problems = usable_clips(listing, store, length, data.loop)
    if problems and not skip_bad:
        first = next(iter(problems.values()))
        more = len(problems) - 1
        others = f"{counted(more, 'more clip')} cannot be used either: " if more else ""
        raise type(first)(f"{first} {others}`hamvae data check` lists all, --skip-bad leaves them out.")
    return source_of(listing, store, usable, data, length, problems)


def source_of(
    listing: Listing,
    store: Store,
    usable: Sequence[Recording],
    data: DataConfig,
    length: int,
    skipped: Mapping[str, HamvaeError],
) -> StoredClips:
    """The source of the usable clips.

    Raises: UsageError: they show fewer than two motions, or none is left of one to train on.
    """
    motions = len({recording.label for recording in usable})
    if motions < 2:
        raise UsageError(
            f"'{listing.root}' holds usable clips of {counted(motions, 'motion')} and a model tells at least two "
            "apart; put clips into a folder for each motion."
        )
    return StoredClips(store, usable, data, length, skipped)


def usable_clips(
    listing: Listing, store: Store, length: int, loop: bool
) -> tuple[list[Recording], dict[str, HamvaeError]]:
    """The recordings that training can use, and why it cannot use the others."""
    problems = dict(listing.problems) | store.problems
    usable = []
    for recording in listing.recordings:
        if recording.name not in store.clips or not store.clips[recording.name].count:
            continue
        clip = store.clips[recording.name]
        path = recording.files[0]
        if clip.count < 2:
            problems[recording.name] = UsageError(
                f"{path} has a single frame, which shows no motion; give at least two, or remove it."
            )
        elif clip.count < length and _lap(clip, loop) == np.inf:
            problems[recording.name] = UsageError(
                f"{path} has {clip.count} frames and training looks through windows of {length}; "
                f"train with --length {clip.count}, with --clips-repeat if it repeats, or remove it."
            )
        else:
            usable.append(recording)
    return usable, problems


def _three_way(
    recordings: Sequence[Recording], sides: Sequence[str], classes: Sequence[str], share: float
) -> list[str]:
    """The split of each recording, once some of those to train on are held out for validation."""
    training = [recording for recording, side in zip(recordings, sides, strict=True) if side == "train"]
    labels = torch.tensor([classes.index(recording.label) for recording in training], dtype=torch.int64)
    chosen = held_out([recording.identity or recording.name for recording in training], labels, share)
    validation = {recording.name for recording, out in zip(training, chosen.tolist(), strict=True) if out}
    return [
        "validation" if recording.name in validation else side
        for recording, side in zip(recordings, sides, strict=True)
    ]


def _times(clip: Stored) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.arange(clip.count, dtype=np.float64) if clip.times is None else np.array(clip.times, dtype=np.float64)


def _whole(clip: Stored) -> float:
    """How long a clip takes, in its own unit."""
    return float(_times(clip)[-1]) + clip.lasting


def _lap(clip: Stored, loop: bool) -> float:
    """Frames of a clip's own unit after which it begins again."""
    return _whole(clip) if (loop if clip.loop is None else clip.loop) else np.inf


def _clocked(data: DataConfig, clips: Sequence[Stored]) -> tuple[DataConfig, list[float]]:
    """The unit of time, and how many of it each clip's own unit lasts."""
    seconds = [clip.frame_seconds for clip in clips if clip.frame_seconds]
    unit = data.frame_seconds or (median(seconds) if seconds else None)
    scales = [clip.frame_seconds / unit if clip.frame_seconds and unit else 1.0 for clip in clips]
    return replace(data, frame_seconds=unit), scales
