"""Write frames: whole or not at all, in the format that the extension names."""

from pathlib import Path

import torch

from ..atomic import write_bytes
from ..errors import UsageError
from . import gif, png
from .frames import enlarge, validate

EXTENSIONS = (".gif", ".png")


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
    if extension not in EXTENSIONS:
        named = f"the extension '{path.suffix}'" if path.suffix else "a name without extension"
        raise UsageError(f"{path}: {named} names no supported format; use {' or '.join(EXTENSIONS)}.")
    return extension
