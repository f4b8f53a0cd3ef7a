"""What is in a folder of clips, what is wrong with it, what training would use of it, and what that would cost."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config.run import DataConfig
from ..errors import HamvaeError
from .cache.index import Stored
from .cache.shards import Progress, Store, open_store
from .cache.source import StoredClips, source_of, usable_clips
from .files.recording import Listing, Recording

DARK = 0.02  # mean of all pixel values, of 1: less is next to black
UNEVEN = 5  # times as many clips in the largest motion as in the smallest
UNLIKE = 1.1  # times the shortest period in a motion is the longest


@dataclass(frozen=True, kw_only=True)
class Checkup:
    """What was found; clips are called by their names.

    Args:
        clips: of each motion in each split, of those that training would use.
        sizes: how many clips there are of each size, ``64x48``: width and height before framing.
        frames: least, median and most in a clip; `total_frames` in all.
        rates: how many clips there are of each rate, ``10 fps`` or ``no clock``.
        attributes: how many clips there are of each value, by the columns of clips.csv.
        preparations: how many clips were prepared in which way, where a source says.
        problems: why a clip cannot be used.
        ignored: files that are no clips.
        duplicates: clips of the same frames, together.
        dark, still: clips that are next to black, and clips in which nothing moves.
        advice: what is worth a second look, in sentences.
        store_bytes: of the decoded frames on disk.
        refusal: why training would not even begin with `--skip-bad`; None when it would.
    """

    clips: Mapping[str, Mapping[str, int]]
    sizes: Mapping[str, int]
    frames: tuple[int, float, int] | None
    total_frames: int
    rates: Mapping[str, int]
    attributes: Mapping[str, Mapping[str, int]]
    preparations: Mapping[str, int]
    frame_seconds: float | None
    length: int
    problems: Mapping[str, str]
    ignored: Sequence[str]
    duplicates: Sequence[Sequence[str]]
    dark: Sequence[str]
    still: Sequence[str]
    advice: Sequence[str]
    store_bytes: int
    refusal: str | None


def check(
    listing: Listing, data: DataConfig, *, size: int, length: int, progress: Progress | None = None
) -> tuple[Checkup, StoredClips | None]:
    """Decode what was listed, as training would, and look at it.

    Returns: what was found, and the source that training would use; None when it would use none.
    Raises: HamvaeError: the decoded frames cannot be kept anywhere.
    """
    store = open_store(
        listing.root, listing.recordings, framing=data.framing, size=size, recipe=listing.recipe, progress=progress
    )
    usable, problems = usable_clips(listing, store, length, data.loop)
    source: StoredClips | None = None
    refusal: str | None = None
    try:
        source = source_of(listing, store, usable, data, length, problems)
    except HamvaeError as error:
        refusal = str(error)
    stored = [store.clips[recording.name] for recording in usable]
    counts = [clip.count for clip in stored]
    return Checkup(
        clips=_counts(source, usable),
        sizes=_tally(f"{clip.width}x{clip.height}" for clip in stored),
        frames=(min(counts), statistics.median(counts), max(counts)) if counts else None,
        total_frames=sum(counts),
        rates=_tally(f"{1 / clip.frame_seconds:.4g} fps" if clip.frame_seconds else "no clock" for clip in stored),
        attributes=_attributes(usable),
        preparations=_tally(recording.note for recording in usable if recording.note),
        frame_seconds=source.data.frame_seconds if source else None,
        length=length,
        problems={name: str(error) for name, error in problems.items()},
        ignored=listing.ignored,
        duplicates=_duplicates(usable, store),
        dark=[recording.name for recording, clip in zip(usable, stored, strict=True) if clip.brightness < DARK],
        still=[recording.name for recording, clip in zip(usable, stored, strict=True) if not clip.moving],
        advice=_advice(source, usable, stored),
        store_bytes=sum(counts) * 3 * size * size,
        refusal=refusal,
    ), source


def _counts(source: StoredClips | None, usable: Sequence[Recording]) -> dict[str, dict[str, int]]:
    """By motion and split; all on one side while nothing could be split."""
    if source is None:
        return {label: {"train": count} for label, count in _tally(recording.label for recording in usable).items()}
    sides = {split: source.count_labels(split) for split in source.splits}
    return {label: {split: counts[label] for split, counts in sides.items()} for label in source.classes}


def _tally(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _attributes(usable: Sequence[Recording]) -> dict[str, dict[str, int]]:
    columns = dict.fromkeys(column for recording in usable for column in recording.attributes)
    return {
        column: _tally(recording.attributes[column] for recording in usable if column in recording.attributes)
        for column in columns
    }


def _duplicates(usable: Sequence[Recording], store: Store) -> list[list[str]]:
    same: defaultdict[str, list[str]] = defaultdict(list)
    for recording in usable:
        same[store.clips[recording.name].content].append(recording.name)
    return [names for names in same.values() if len(names) > 1]


def _advice(source: StoredClips | None, usable: Sequence[Recording], stored: Sequence[Stored]) -> list[str]:
    found: list[str] = []
    if source is None:
        return found
    trained = source.count_labels("train")
    most, least = max(trained, key=lambda label: trained[label]), min(trained, key=lambda label: trained[label])
    if trained[most] > UNEVEN * trained[least]:
        found.append(
            f"'{most}' has {trained[most]} clips to train on and '{least}' {trained[least]}: the model will know the "
            "rare motion least; add clips of it."
        )
    for label, (shortest, longest) in source.period_ranges().items():
        if longest > UNLIKE * shortest:
            found.append(
                f"Clips of '{label}' repeat after {shortest:.4g} to {longest:.4g} frames, and one operator moves them "
                "all; bring them to one length where you can."
            )
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for recording, clip in zip(usable, stored, strict=True):
        labels[clip.content].add(recording.label)
    contradictions = sum(len(names) > 1 for names in labels.values())
    if contradictions:
        found.append(f"{contradictions} of the repeated clips stand under different motions; keep each under one.")
    sides: defaultdict[str, set[str]] = defaultdict(set)
    for split in source.splits:
        for recording in source.recordings(split):
            if recording.identity is None:
                sides[Path(recording.name.partition("#")[0]).stem].add(split)
    both = [stem for stem, found_on in sides.items() if len(found_on) > 1 and not stem.isdigit()]
    if both:
        found.append(
            f"Clips called '{both[0]}' are both trained on and held out; if they show the same one, say so with an "
            "identity in clips.csv."
        )
    if not source.splits["test"]:
        found.append("No clip is held out, so nothing will tell how the model does on clips it has not seen.")
    return found
