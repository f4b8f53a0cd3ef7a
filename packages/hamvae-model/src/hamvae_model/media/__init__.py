"""Pictures on disk: read a clip, write frames, lay clips out on a contact sheet."""

from collections.abc import Callable
from pathlib import Path

import torch

from ..atomic import write_bytes
from ..clip import Clip
from ..errors import UsageError
from . import gif, png
from .contact import sheet as sheet
from .frames import enlarge, validate
from .png import read_rgba as read_rgba

__all__ = ["read", "read_rgba", "sheet", "write"]

_READERS: dict[str, Callable[[Path], Clip]] = {".gif": gif.read, ".png": png.read}


def read(path: str | Path) -> Clip:
    """Read every frame of the file at `path`; the extension names the format.

    A GIF gives its frames with their real durations. A PNG gives one frame, or a row of them: the number that
    `write` noted in the file, else width / height square frames when the width is a larger multiple of the height.

    Returns: a clip with
        frames: (t, 3, h, w) uint8, transparent parts composited over black
        times: (t,) float32, in units of the median frame duration: 0, 1, 2, ... for evenly timed frames
        alpha: (t, 1, h, w) uint8, or None when every pixel is opaque
        label: None, and source: `path` as text
    Raises:
        UsageError: nothing at `path`, an extension that is not supported, content of another format, too many pixels.
        HamvaeError: the file is damaged or cannot be read.
    """
    path = Path(path)
    return _READERS[_extension(path)](path)


def write(path: str | Path, frames: torch.Tensor, *, fps: float = 8.0, scale: int = 1, loop: int = 0) -> None:
    """Write `frames` to `path` all or nothing; the extension names the format.

    Args:
        frames: (t, c, h, w) uint8, c = 1 (grey) or 3 (red, green, blue).
        fps: Frames per second of a GIF, whose clock ticks every 10 ms: every frame lasts the nearest whole number of
            ticks. A PNG has no clock.
        scale: Each pixel becomes a square of scale x scale pixels.
        loop: How often a GIF repeats; 0 is for ever.

    A GIF is exact when each frame has at most 256 colours; richer frames get the 256 that suit them best. A PNG is
    always exact: one frame as it is, several side by side without a gap.

    Raises:
        UsageError: an extension that is not supported, frames or options out of range, a folder that is missing or
            cannot be written to.
        HamvaeError: the disk refused the data.
    """
    path = Path(path)
    extension = _extension(path)
    validate(frames)
    pixels = enlarge(frames, scale)
    data = gif.encode(pixels, fps=fps, loop=loop) if extension == ".gif" else png.encode(pixels)
    write_bytes(path, data)


def _extension(path: Path) -> str:
    extension = path.suffix.lower()
    if extension not in _READERS:
        named = f"the extension '{path.suffix}'" if path.suffix else "a name without extension"
        raise UsageError(f"{path}: {named} names no supported format; use {' or '.join(_READERS)}.")
    return extension
