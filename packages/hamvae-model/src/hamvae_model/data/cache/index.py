"""What a store knows of its clips, and of which recordings that is still true.

Sizes and modification times that are as they were are believed; where they differ, a hash of names and bytes decides.
So a touched or renamed clip is not decoded again, and a changed one is.
"""

import dataclasses
import hashlib
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import HamvaeError, UsageError
from ...files.atomic import write_bytes
from ...files.bounded import check_ordinary, read_json
from ...limits import INDEX_LIMIT
from ..files.recording import Recording

INDEX = "index.json"
SHARD = re.compile(r"frames-[0-9a-f]{16}\.u8")


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
    """The clips of an index whose frames are there; one that was not written here, or is damaged, is an empty one."""
    try:
        values = read_json(folder / INDEX)
        clips = {name: _stored(value) for name, value in values.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return {}
    frames = {shard: frames_in(folder / shard, size) for shard in {clip.shard for clip in clips.values()}}
    return {
        name: clip for name, clip in clips.items() if not clip.count or clip.start + clip.count <= frames[clip.shard]
    }


def _stored(value: dict[str, Any]) -> Stored:
    """Raises: ValueError, TypeError, LookupError, AttributeError: no clip that was ever stored."""
    listed = {name: tuple(value[name]) for name in ("times", "problem") if value[name] is not None}
    clip = Stored(**{**value, **listed})
    times = clip.times or ()
    problem = ("", False) if clip.problem is None else clip.problem
    kinds = {
        str: (clip.stamp, clip.source, clip.content, clip.shard, problem[0]),
        int: (clip.start, clip.count, clip.height, clip.width),
        bool: (bool(clip.loop) if clip.loop is None else clip.loop, problem[1]),
    }
    numbers = (clip.lasting, clip.frame_seconds or 0.0, clip.brightness, clip.moving, *times)
    if not (
        all(type(part) is kind for kind, parts in kinds.items() for part in parts)
        and all(type(number) in (int, float) and math.isfinite(number) and number >= 0 for number in numbers)
        and SHARD.fullmatch(clip.shard)
        and (clip.start >= 0 and clip.count >= 0 and clip.lasting > 0)
        and (clip.times is None or len(times) == clip.count > 0)
        and all(sooner <= later for sooner, later in itertools.pairwise(times))
        and (clip.frame_seconds is None or clip.frame_seconds > 0)
        and len(problem) == 2
    ):
        raise ValueError("no stored clip")
    return clip


def frames_in(shard: Path, size: int) -> int:
    """How many whole frames a shard holds; none when it is not there."""
    try:
        check_ordinary(shard)
        return shard.stat().st_size // (3 * size * size)
    except OSError:
        return 0


def save(folder: Path, clips: Mapping[str, Stored]) -> None:
    """Put a new index in the place of the old one.

    Raises:
        UsageError: it would not be read again, for there are too many clips.
        HamvaeError: the disk refused it.
    """
    data = json.dumps({name: dataclasses.asdict(clip) for name, clip in clips.items()}).encode()
    if len(data) > INDEX_LIMIT:
        raise UsageError(
            f"{folder / INDEX} would be longer than {INDEX_LIMIT // 2**20} MiB, the most that is read; of the "
            f"{len(clips)} clips put some into another folder."
        )
    write_bytes(folder / INDEX, data)


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
        check_ordinary(path)
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
