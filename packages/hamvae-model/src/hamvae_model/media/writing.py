"""Write frames: whole or not at all, in the format that the extension names."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path

import torch

from ..clips.timing import FPS
from ..config.choices import OUTPUTS
from ..errors import UsageError
from ..files.atomic import writing
from ..files.bounded import read_json
from . import aseprite, gif, mp4, png, webp
from .frames import enlarge, validate
from .shown import Shown

LOOPS = 2**16  # the formats count repeats in sixteen bits


def write(
    path: str | Path,
    frames: torch.Tensor | Iterable[torch.Tensor],
    *,
    fps: float = FPS,
    durations: Sequence[float] | None = None,
    scale: int = 1,
    loop: int = 0,
) -> None:
    """Write `frames` to `path` all or nothing; the extension names the format.

    .gif: exact when each frame has at most 256 colours, else the 256 that suit it best; durations in ticks of 10 ms;
    a pixel is transparent or not. .apng and .webp: exact. .mp4: H.264 that plays everywhere, which blurs colours a
    little and has no transparency; an odd size grows by a pixel. .png: exact, one frame as it is, several side by side
    without a gap, without a clock. .json: a sprite sheet, as `write_sheet`.

    Args:
        frames: (t, c, h, w) uint8, c = 1 (grey), 3 (red, green, blue) or 4 (with straight alpha); or such parts one
            after the other, so that a long animation need not be in memory at once.
        fps: frames per second.
        durations: seconds of each frame, instead of `fps`.
        scale: each pixel becomes a square of scale x scale pixels.
        loop: how often a GIF, APNG or WebP plays; 0 is for ever.

    Raises:
        UsageError: an extension that is not supported, frames or options out of range, a folder that is missing or
            cannot be written to.
        HamvaeError: the disk refused the data.
    """
    path = Path(path)
    extension = _extension(path)
    if not 0 <= loop < LOOPS:
        raise UsageError(f"loop must be between 0 (for ever) and {LOOPS - 1} repeats; got {loop}.")
    shown = _shown(frames, fps, durations, scale)
    if extension == ".json":
        _write_sheet(path, {path.stem: list(shown)})
        return
    with writing(path) as file:
        match extension:
            case ".gif":
                gif.write(file, shown, loop=loop)
            case ".apng":
                png.write_animation(file, shown, loop=loop)
            case ".webp":
                webp.write(file, shown, loop=loop)
            case ".mp4":
                mp4.write(file, shown)
            case _:
                png.write_strip(file, shown)


def write_sheet(
    path: str | Path,
    clips: Mapping[str, torch.Tensor],
    *,
    fps: float = FPS,
    durations: Mapping[str, Sequence[float]] | None = None,
    scale: int = 1,
) -> None:
    """Write a sprite sheet: ``hero.json``, which Aseprite, Godot and Phaser read, and the picture ``hero.png``.

    Args:
        clips: frames (t, c, h, w) uint8 of one size by the name of their action, each a row of the sheet and a tag.
        fps, durations, scale: as for `write`, for each action.

    Raises: as `write`.
    """
    path = Path(path)
    _extension(path)
    each = durations or {}
    _write_sheet(path, {name: list(_shown(frames, fps, each.get(name), scale)) for name, frames in clips.items()})


def picture_of(path: Path) -> Path:
    """The file that the pixels of a sprite sheet go to: ``hero.png`` for ``hero.json``.

    Raises: UsageError: it is there already, and of no sheet that was written here before.
    """
    picture = path.with_suffix(".png")
    if picture.exists() and not _describes(path, picture.name):
        raise UsageError(f"{picture} would be replaced by the picture of {path.name}; choose another name.")
    return picture


def _describes(path: Path, picture: str) -> bool:
    """Whether `path` is a description of ours, of that picture."""
    try:
        match read_json(path):
            case {"meta": {"app": aseprite.APP, "image": image}}:
                return bool(image == picture)
    except (OSError, ValueError):  # what cannot be read is not ours
        pass
    return False


def _write_sheet(path: Path, rows: Mapping[str, Sequence[Shown]]) -> None:
    picture = picture_of(path)
    pixels, description = aseprite.sheet(rows, picture.name)
    with writing(picture) as drawn, writing(path) as described:  # both are on the disk before either is replaced
        png.write_strip(drawn, [Shown(pixels)])
        drawn.flush()
        described.write(json.dumps(description, indent=1).encode())


def _shown(
    frames: torch.Tensor | Iterable[torch.Tensor], fps: float, durations: Sequence[float] | None, scale: int
) -> Iterator[Shown]:
    """Raises: UsageError: frames that are no frames, or durations that are not theirs."""
    if not 0 < fps < 1e6:
        raise UsageError(f"fps must be above 0 frames per second; got {fps:g}.")
    if isinstance(frames, torch.Tensor):
        validate(frames)
        if durations is not None and len(durations) != len(frames):
            raise UsageError(f"{len(frames)} frames need as many durations; got {len(durations)}.")
        frames = [frames]
    lasting = repeat(1 / fps) if durations is None else iter(durations)
    count = 0
    for part in frames:
        validate(part)
        count += len(part)
        if durations is not None and count > len(durations):
            break
        for frame in part:
            pixels = enlarge(frame, scale).expand(3 if len(frame) == 1 else -1, -1, -1)
            yield Shown(pixels.permute(1, 2, 0).contiguous().cpu().numpy(), next(lasting))
    if not count:
        raise UsageError("there are no frames to write.")
    if durations is not None and count != len(durations):
        raise UsageError(f"frames need as many durations; got {len(durations)} durations.")


def _extension(path: Path) -> str:
    """The extension, in small letters.

    Raises: UsageError: it names no format that can be written.
    """
    extension = path.suffix.lower()
    if extension not in OUTPUTS:
        named = f"the extension '{path.suffix}'" if path.suffix else "a name without extension"
        raise UsageError(f"{path}: {named} names no format that is written; use {' '.join(OUTPUTS)}.")
    return extension
