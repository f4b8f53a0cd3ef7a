"""What a store knows of its clips, and of which recordings that is still true.

Sizes and modification times that are as they were are believed; where they differ, a hash of names and bytes decides.
So a touched or renamed clip is not decoded again, and a changed one is.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..atomic import write_bytes
from ..errors import HamvaeError, UsageError
from .recording import Recording

INDEX = "index.json"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the index knows of a clip.

    Args:
        stamp: of the sizes and modification times of its files.
        source: hash of its files' bytes.
        content: hash of its frames.
        shard, start, count: where its frames are; a recording of nothing has none.
        times: of its frames in its own unit; None for 0, 1, 2, …
        lasting: of the last frame, in the same unit.
        frame_seconds, loop: as of a `Clip`.
        height, width: of its pictures before they were framed.
        brightness: mean of all pixel values, in [0, 1].
        moving: the largest share of pixel values in which a frame differs from the first.
        problem: why it cannot be decoded, and whether that is the user's mistake (`UsageError`).
    """

    stamp: str
    source: str
    content: str
    shard: str
    start: int
    count: int
    times: tuple[float, ...] | None
    lasting: float
    frame_seconds: float | None
    loop: bool | None
    height: int
    width: int
    brightness: float
    moving: float
    problem: tuple[str, bool] | None = None


def load(folder: Path, size: int) -> dict[str, Stored]:
    """The clips of an index whose frames are there; a damaged index is an empty one."""
    try:
        values = json.loads((folder / INDEX).read_bytes())
        clips = {name: _stored(value) for name, value in values.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
    frames = {shard: frames_in(folder / shard, size) for shard in {clip.shard for clip in clips.values()}}
    return {
        name: clip for name, clip in clips.items() if not clip.count or clip.start + clip.count <= frames[clip.shard]
    }


def _stored(value: dict[str, Any]) -> Stored:
    listed = {name: tuple(value[name]) for name in ("times", "problem") if value[name] is not None}
    return Stored(**{**value, **listed})


def frames_in(shard: Path, size: int) -> int:
    """How many whole frames a shard holds; none when it is not there."""
    try:
        return shard.stat().st_size // (3 * size * size)
    except OSError:
        return 0


def save(folder: Path, clips: Mapping[str, Stored]) -> None:
    """Put a new index in the place of the old one.

    Raises: HamvaeError: the disk refused it.
    """
    values = {name: dataclasses.asdict(clip) for name, clip in clips.items()}
    write_bytes(folder / INDEX, json.dumps(values).encode())


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A recording that is not stored, with the stamp and the hash of its files."""

    recording: Recording
    stamp: str
    source: str


def compare(
    known: dict[str, Stored], recordings: Sequence[Recording]
) -> tuple[dict[str, Stored], list[Missing], dict[str, HamvaeError]]:
    """What is known already, what is not, and what cannot be looked at."""
    # A sentence names its file, so another with the same bytes gets its own.
    by_source = {clip.source: clip for clip in known.values() if clip.problem is None}
    kept: dict[str, Stored] = {}
    missing: list[Missing] = []
    problems: dict[str, HamvaeError] = {}
    for recording in recordings:
        try:
            stamp = _stamp(recording)
            clip = known.get(recording.name)
            if clip and clip.problem and str(recording.files[0].parent) not in clip.problem[0]:  # all was moved
                clip = None
            if clip is None or clip.stamp != stamp:
                source = _hash_of_bytes(recording)
                clip = by_source.get(source)
        except OSError as error:
            path = error.filename or recording.files[0]
            problems[recording.name] = UsageError(f"{path} cannot be read ({error.strerror or error}).")
            continue
        if clip is None:
            missing.append(Missing(recording=recording, stamp=stamp, source=source))
        else:
            kept[recording.name] = clip if clip.stamp == stamp else dataclasses.replace(clip, stamp=stamp)
    return kept, missing, problems


def _stamp(recording: Recording) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for path in recording.files:
        facts = path.stat()
        digest.update(f"{path.name}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _hash_of_bytes(recording: Recording) -> str:
    # The part after the file's name and the preparation: clips of one sheet share its bytes, not its frames.
    digest = hashlib.blake2b(
        f"{recording.name.partition('#')[2]}\0{recording.note}".encode(errors="surrogateescape"), digest_size=12
    )
    for path in recording.files:
        if len(recording.files) > 1:  # names say the order of frames
            digest.update(f"{path.name}\0".encode(errors="surrogateescape"))
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()
