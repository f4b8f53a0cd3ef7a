"""Decoded clips, framed once and kept in memory-mapped files: the second epoch and the second run decode nothing.

A store is a folder: `index.json`, and shards `frames-*.u8` of uint8 frames (3, size, size) one after the other. A shard
never changes; new clips go into a new shard, and then a new index takes the old one's place. So a crash leaves the old
store, a reader keeps what it has mapped, and of two processes that build at once the last one's index stands.
"""

import dataclasses
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median_low
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from platformdirs import user_cache_path
from torch import Tensor

from ...clips.clip import Clip
from ...clips.framing import framed
from ...config.run import FramingConfig
from ...errors import HamvaeError, UsageError
from ...files.atomic import writing
from ..files.recording import Recording
from .index import Missing, Stored, compare, frames_in, load, save

CACHE_VARIABLE = "HAMVAE_CACHE"
FORMAT = 2  # grows when stored bytes would come out differently
BESIDE = ".hamvae"  # the store's folder inside the data's
ABANDONED = 24 * 3600  # seconds after which a shard that no index knows belongs to nobody who is still at work

Progress = Callable[[int, int], None]  # clips decoded, clips to decode
Frames = npt.NDArray[np.uint8]


class Store:
    """The frames of some recordings at one size.

    Args:
        folder: where index and shards are.
        size: height and width of a frame.
        clips: what is stored, by the recordings' names.
        problems: why the others could not be.
        decoded: how many clips had to be decoded to get there.

    Raises: HamvaeError: frames vanished meanwhile.
    """

    def __init__(
        self, folder: Path, size: int, clips: dict[str, Stored], problems: dict[str, HamvaeError], decoded: int
    ) -> None:
        self.folder, self.size, self.clips, self.problems, self.decoded = folder, size, clips, problems, decoded
        self.shards = sorted({clip.shard for clip in clips.values() if clip.count})
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
        UsageError: no place to write to, or too many clips.
        HamvaeError: the disk refused data.
    """
    colour = "".join(f"{value:02x}" for value in framing.background)
    key = "-".join(filter(None, (str(size), framing.fit, framing.resample, colour, recipe, f"v{FORMAT}")))
    places = [place / key for place in _places(root) if _stays(place / key, place.parent)]
    found = {folder: known for folder in places if (known := load(folder, size))}
    compared = {folder: compare(known, recordings) for folder, known in found.items()}
    for folder, (kept, missing, problems) in compared.items():
        if not missing:
            return _opened(folder, size, kept, problems, 0)
    folder = _writable(places)
    kept, missing, problems = compared[folder] if folder in compared else compare({}, recordings)
    kept = _extend(folder, found.get(folder, {}), kept, missing, framing, size, progress)
    return _opened(folder, size, kept, problems, len(missing))


def _opened(folder: Path, size: int, known: dict[str, Stored], problems: dict[str, HamvaeError], decoded: int) -> Store:
    """The store of what is known, with what is known to be of no use among the problems."""
    clips = {name: clip for name, clip in known.items() if clip.problem is None}
    failed = {
        name: (UsageError if clip.problem[1] else HamvaeError)(clip.problem[0])
        for name, clip in known.items()
        if clip.problem is not None
    }
    return Store(folder, size, clips, problems | failed, decoded)


def _places(root: Path) -> list[Path]:
    ours = hashlib.blake2b(os.fsencode(root.resolve()), digest_size=8).hexdigest()
    if os.environ.get(CACHE_VARIABLE):
        return [Path(os.environ[CACHE_VARIABLE]) / ours]
    return [root / BESIDE, user_cache_path("hamvae", appauthor=False) / ours]


def _stays(folder: Path, above: Path) -> bool:
    """Whether a store would be where its path says: links in an untrusted folder may lead anywhere."""
    try:
        return folder.resolve().is_relative_to(above.resolve())
    except (OSError, RuntimeError):
        return False


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


def _map(shard: Path, size: int) -> Frames:
    """The whole frames of a shard, read when they are asked for."""
    try:
        return np.memmap(shard, dtype=np.uint8, mode="r", shape=(frames_in(shard, size), 3, size, size))
    except (OSError, ValueError) as error:  # the latter for an empty file
        raise HamvaeError(f"{shard} changed while it was opened ({error}); try again.") from None


def _extend(
    folder: Path,
    known: dict[str, Stored],
    kept: dict[str, Stored],
    missing: Sequence[Missing],
    framing: FramingConfig,
    size: int,
    progress: Progress | None,
) -> dict[str, Stored]:
    """Write the missing clips into a new shard, then a new index; whatever stops it, what is decoded by then."""
    clips = dict(kept)
    stopped: BaseException | None = None
    shard = f"frames-{secrets.token_hex(8)}.u8"
    with writing(folder / shard) as file:
        if _wasteful(folder, kept, size):
            for name, clip in kept.items():
                if not clip.count:
                    continue
                start = file.tell() // (3 * size * size)
                file.write(_map(folder / clip.shard, size)[clip.start : clip.start + clip.count].data)
                clips[name] = dataclasses.replace(clip, shard=shard, start=start)
        for done, one in enumerate(missing, start=1):
            place = file.tell()
            try:
                clips[one.recording.name] = Stored(
                    stamp=one.stamp,
                    source=one.source,
                    shard=shard,
                    start=place // (3 * size * size),
                    **_append(file, _decoded(one.recording), framing, size),
                )
            except OSError:  # the disk's, which nothing can be saved to
                raise
            except BaseException as error:
                file.seek(place)
                file.truncate()
                if not isinstance(error, HamvaeError):
                    stopped = error
                    break
                clips[one.recording.name] = Stored(
                    stamp=one.stamp,
                    source=one.source,
                    shard=shard,
                    start=0,
                    problem=(str(error), isinstance(error, UsageError)),
                    **_NOTHING,
                )
            try:
                if progress is not None:
                    progress(done, len(missing))
            except BaseException as error:
                stopped = error
                break
    used = {clip.shard for clip in clips.values() if clip.count}
    if shard not in used:  # every clip failed, or is one of nothing
        (folder / shard).unlink()
    try:
        save(folder, clips)
    except HamvaeError:
        (folder / shard).unlink(missing_ok=True)  # no index will name it
        raise
    _sweep(folder, used, superseded={clip.shard for clip in known.values()})
    if stopped is not None:
        raise stopped
    return clips


def _decoded(recording: Recording) -> Iterator[Clip]:
    """The pieces of a clip; what the disk refuses to read is the clip's problem and not the store's."""
    try:
        yield from recording.decode()
    except OSError as error:
        path = error.filename or recording.files[0]
        raise UsageError(f"{path} cannot be read ({error.strerror or error}).") from None


def _append(file: BinaryIO, pieces: Iterable[Clip], framing: FramingConfig, size: int) -> dict[str, Any]:
    """Frame and write the pieces of one clip; returns what is learned of it on the way."""
    digest = hashlib.blake2b(digest_size=12)
    shown: list[float] = []
    total, moving, ended = 0, 0.0, 0.0
    first: Frames | None = None
    last: Clip | None = None
    height = width = 0
    for last in pieces:
        height, width = last.frames.shape[-2:]
        frames: Frames = framed(last, framing, size).frames.expand(-1, 3, -1, -1).contiguous().numpy()
        first = frames[0] if first is None else first
        file.write(frames.data)
        digest.update(frames.data)
        shown += (last.times.double() * (last.frame_seconds or 1)).tolist()
        ended = shown[-1] + last.lasting * (last.frame_seconds or 1)
        total += int(frames.sum(dtype=np.int64))
        moving = max(moving, float((frames != first).mean((1, 2, 3)).max()))
        last = dataclasses.replace(last, frames=last.frames.new_empty(0), alpha=None)  # goes before more is decoded
    if last is None:
        return _NOTHING
    # To the microsecond: the times of a stream have the digits of a single-precision number.
    unit = max(round(median_low(np.diff([*shown, ended]).tolist()), 6), 1e-6)
    times = [(moment - shown[0]) / unit for moment in shown]
    lasting = (ended - shown[-1]) / unit
    return {
        "content": digest.hexdigest(),
        "count": len(times),
        "times": None if np.allclose(times, np.arange(len(times)), rtol=1e-5, atol=1e-3) else tuple(times),
        "lasting": 1.0 if np.isclose(lasting, 1, rtol=0, atol=1e-3) else lasting,
        "frame_seconds": None if last.frame_seconds is None else unit,
        "loop": last.loop,
        "height": height,
        "width": width,
        "brightness": total / (255 * len(times) * 3 * size * size),
        "moving": moving,
    }


# A row of a sheet may be empty; that is remembered, so that nobody looks again.
_NOTHING: dict[str, Any] = {
    **{"content": "", "count": 0, "times": None, "lasting": 1.0, "frame_seconds": None, "loop": None},
    **{"height": 0, "width": 0, "brightness": 0.0, "moving": 0.0},
}


def _wasteful(folder: Path, kept: dict[str, Stored], size: int) -> bool:
    """Whether more than half of the frames in the shards still in use are of clips that are gone."""
    held = sum(frames_in(folder / shard, size) for shard in {clip.shard for clip in kept.values() if clip.count})
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
