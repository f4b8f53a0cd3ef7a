"""Decoded clips, framed once and kept in memory-mapped files: the second epoch and the second run decode nothing.

A store is a folder: `index.json`, and shards `frames-*.u8` of uint8 frames (3, size, size) one after the other. A shard
never changes; new clips go into a new shard, and then a new index takes the old one's place. So a crash leaves the old
store, a reader keeps what it has mapped, and of two processes that build at once the last one's index stands. A clip
is known by the sizes and modification times of its files, and where those differ by a hash of their names and bytes:
a touched or renamed clip is not decoded again, a changed one is.
"""

import dataclasses
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from platformdirs import user_cache_path
from torch import Tensor

from ..atomic import write_bytes, writing
from ..clip import Clip
from ..config import FramingConfig
from ..errors import HamvaeError, UsageError
from ..framing import framed
from .recording import Recording

CACHE_VARIABLE = "HAMVAE_CACHE"
FORMAT = 1  # grows when stored bytes would come out differently
BESIDE = ".hamvae"  # the store's folder inside the data's
INDEX = "index.json"
ABANDONED = 24 * 3600  # seconds after which a shard that no index knows belongs to nobody who is still at work

Progress = Callable[[int, int], None]  # clips decoded, clips to decode
Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the index knows of a clip.

    Args:
        stamp: of the sizes and modification times of its files.
        source: hash of its files' bytes.
        content: hash of its frames.
        shard, start, count: where its frames are; a recording of nothing has none.
        times: of its frames in its own unit; None for 0, 1, 2, …
        frame_seconds, period: as of a `Clip`.
        height, width: of its pictures before they were framed.
        brightness: mean of all pixel values, in [0, 1].
        moving: the largest share of pixel values in which a frame differs from the first.
    """

    stamp: str
    source: str
    content: str
    shard: str
    start: int
    count: int
    times: tuple[float, ...] | None
    frame_seconds: float | None
    period: float | None
    height: int
    width: int
    brightness: float
    moving: float


class Store:
    """The frames of some recordings at one size.

    Args:
        folder: where index and shards are.
        size: height and width of a frame.
        clips: what is stored, by the recordings' names.
        problems: why the others could not be.
        decoded: how many clips had to be decoded to get there.
    """

    def __init__(
        self, folder: Path, size: int, clips: dict[str, Stored], problems: dict[str, HamvaeError], decoded: int
    ) -> None:
        self.folder, self.size, self.clips, self.problems, self.decoded = folder, size, clips, problems, decoded
        self.shards = sorted({clip.shard for clip in clips.values()})
        self._maps = [_map(folder / shard, size) for shard in self.shards]

    def read(self, shards: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> Tensor:
        """Frames uint8 (m, t, 3, size, size): `rows` (m, t) of the shards numbered `shards` (m,)."""
        out = np.empty((*rows.shape, 3, self.size, self.size), dtype=np.uint8)
        for number in np.unique(shards):
            chosen = np.flatnonzero(shards == number)
            if len(chosen) == len(shards):
                np.take(self._maps[number], rows, axis=0, out=out, mode="clip")
            else:
                out[chosen] = self._maps[number][rows[chosen]]
        return torch.from_numpy(out)


def open_store(
    root: Path,
    recordings: Sequence[Recording],
    *,
    framing: FramingConfig,
    size: int,
    recipe: str = "",
    progress: Progress | None = None,
) -> Store:
    """The store of `recordings`, found under `root` and brought up to date: what is missing in it is decoded.

    It lives in ``root/.hamvae``, or where that cannot be written in the user's cache folder; $HAMVAE_CACHE names
    another place and wins.

    Args:
        root: the folder of the data.
        recordings: whose names are unique.
        framing, size: how the frames become square.
        recipe: names what else was done to the frames, when something was.
        progress: is told of every decoded clip.

    Raises:
        UsageError: no place to write to.
        HamvaeError: the disk refused data.
    """
    colour = "".join(f"{value:02x}" for value in framing.background)
    key = "-".join(filter(None, (str(size), framing.fit, framing.resample, colour, recipe, f"v{FORMAT}")))
    places = [place / key for place in _places(root)]
    for folder in places:
        kept, missing, problems = _compare(_load(folder, size), recordings)
        if not missing:
            break
    else:
        folder = _writable(places)
        known = _load(folder, size)
        kept, missing, problems = _compare(known, recordings)
        kept, failed = _extend(folder, known, kept, missing, framing, size, progress)
        problems |= failed
    return Store(folder, size, kept, problems, len(missing))


def _places(root: Path) -> list[Path]:
    ours = hashlib.blake2b(os.fsencode(root.resolve()), digest_size=8).hexdigest()
    if os.environ.get(CACHE_VARIABLE):
        return [Path(os.environ[CACHE_VARIABLE]) / ours]
    return [root / BESIDE, user_cache_path("hamvae", appauthor=False) / ours]


def _writable(folders: Sequence[Path]) -> Path:
    for folder in folders:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f".{secrets.token_hex(8)}.tmp"
            probe.touch()
            probe.unlink()
            return folder
    raise UsageError(
        f"Decoded clips can be kept in none of {', '.join(str(folder.parent) for folder in folders)}; "
        f"set {CACHE_VARIABLE} to a folder that can be written to."
    )


def _load(folder: Path, size: int) -> dict[str, Stored]:
    """The clips of an index whose frames are there; a damaged index is an empty one."""
    try:
        values = json.loads((folder / INDEX).read_bytes())
        clips = {name: _stored(value) for name, value in values.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
    frames = {shard: _frames_in(folder / shard, size) for shard in {clip.shard for clip in clips.values()}}
    return {name: clip for name, clip in clips.items() if clip.start + clip.count <= frames[clip.shard]}


def _stored(value: dict[str, Any]) -> Stored:
    return Stored(**{**value, "times": None if value["times"] is None else tuple(value["times"])})


def _frames_in(shard: Path, size: int) -> int:
    try:
        return shard.stat().st_size // (3 * size * size)
    except OSError:
        return 0


def _map(shard: Path, size: int) -> Frames:
    return np.memmap(shard, dtype=np.uint8, mode="r").reshape(-1, 3, size, size)


def _compare(
    known: dict[str, Stored], recordings: Sequence[Recording]
) -> tuple[dict[str, Stored], list[tuple[Recording, str, str]], dict[str, HamvaeError]]:
    """What is stored already, what is not (with its stamp and the hash of its bytes), and what cannot be looked at."""
    by_source = {clip.source: clip for clip in known.values()}
    kept: dict[str, Stored] = {}
    missing: list[tuple[Recording, str, str]] = []
    problems: dict[str, HamvaeError] = {}
    for recording in recordings:
        try:
            stamp = _stamp(recording)
            clip = known.get(recording.name)
            if clip is None or clip.stamp != stamp:
                source = _hash_of_bytes(recording)
                clip = by_source.get(source)
        except OSError as error:
            path = error.filename or recording.files[0]
            problems[recording.name] = UsageError(f"{path} cannot be read ({error.strerror or error}).")
            continue
        if clip is None:
            missing.append((recording, stamp, source))
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
    digest = hashlib.blake2b(f"{recording.name.partition('#')[2]}\0{recording.note}".encode(), digest_size=12)
    for path in recording.files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()


def _extend(
    folder: Path,
    known: dict[str, Stored],
    kept: dict[str, Stored],
    missing: Sequence[tuple[Recording, str, str]],
    framing: FramingConfig,
    size: int,
    progress: Progress | None,
) -> tuple[dict[str, Stored], dict[str, HamvaeError]]:
    """Write the missing clips into a new shard, then the new index."""
    clips = dict(kept)
    problems: dict[str, HamvaeError] = {}
    shard = f"frames-{secrets.token_hex(8)}.u8"
    with writing(folder / shard) as file:
        if _wasteful(folder, kept, size):
            for name, clip in kept.items():
                start = file.tell() // (3 * size * size)
                file.write(_map(folder / clip.shard, size)[clip.start : clip.start + clip.count].data)
                clips[name] = dataclasses.replace(clip, shard=shard, start=start)
        for done, (recording, stamp, source) in enumerate(missing, start=1):
            place = file.tell()
            try:
                clips[recording.name] = Stored(
                    stamp=stamp,
                    source=source,
                    shard=shard,
                    start=place // (3 * size * size),
                    **_append(file, recording.decode(), framing, size),
                )
            except HamvaeError as error:
                problems[recording.name] = error
                file.seek(place)
                file.truncate()
            if progress is not None:
                progress(done, len(missing))
    used = {clip.shard for clip in clips.values()}
    if shard not in used:  # every clip failed
        (folder / shard).unlink()
    index = {name: dataclasses.asdict(clip) for name, clip in clips.items()}
    write_bytes(folder / INDEX, json.dumps(index).encode())
    _sweep(folder, used, superseded={clip.shard for clip in known.values()})
    return clips, problems


def _append(file: BinaryIO, pieces: Iterable[Clip], framing: FramingConfig, size: int) -> dict[str, Any]:
    """Frame and write the pieces of one clip; returns what is learnt of it on the way."""
    digest = hashlib.blake2b(digest_size=12)
    shown: list[float] = []
    total, moving = 0, 0.0
    first: Frames | None = None
    last: Clip | None = None
    for last in pieces:
        frames: Frames = framed(last, framing, size).frames.expand(-1, 3, -1, -1).contiguous().numpy()
        first = frames[0] if first is None else first
        file.write(frames.data)
        digest.update(frames.data)
        shown += (last.times.double() * (last.frame_seconds or 1)).tolist()
        total += int(frames.sum(dtype=np.int64))
        moving = max(moving, float((frames != first).mean((1, 2, 3)).max()))
    if last is None:
        return _NOTHING
    # To the microsecond: the times of a stream have the digits of a single-precision number.
    unit = round(median_low(np.diff(shown).tolist()), 6) if len(shown) > 1 else last.frame_seconds or 1.0
    times = [(moment - shown[0]) / unit for moment in shown]
    height, width = last.frames.shape[-2:]
    return {
        "content": digest.hexdigest(),
        "count": len(times),
        "times": None if np.allclose(times, np.arange(len(times)), rtol=1e-5, atol=1e-3) else tuple(times),
        "frame_seconds": None if last.frame_seconds is None else unit,
        "period": last.period,
        "height": height,
        "width": width,
        "brightness": total / (255 * len(times) * 3 * size * size),
        "moving": moving,
    }


# A row of a sheet may be empty; that is remembered, so that nobody looks again.
_NOTHING: dict[str, Any] = {
    **{"content": "", "count": 0, "times": None, "frame_seconds": None, "period": None},
    **{"height": 0, "width": 0, "brightness": 0.0, "moving": 0.0},
}


def _wasteful(folder: Path, kept: dict[str, Stored], size: int) -> bool:
    """Whether more than half of the frames in the shards still in use are of clips that are gone."""
    held = sum(_frames_in(folder / shard, size) for shard in {clip.shard for clip in kept.values()})
    return sum(clip.count for clip in kept.values()) < held / 2


def _sweep(folder: Path, used: set[str], superseded: set[str]) -> None:
    """Remove the shards that the index before this one used, and what a crash left long ago."""
    for path in _leftovers(folder):
        with suppress(OSError):  # another process may sweep as well, or hold it open where that forbids removal
            old = time.time() - path.stat().st_mtime > ABANDONED
            if path.name not in used and (path.name in superseded or old):
                path.unlink()


def _leftovers(folder: Path) -> Iterator[Path]:
    yield from folder.glob("frames-*.u8")
    yield from folder.glob(".*.tmp")
