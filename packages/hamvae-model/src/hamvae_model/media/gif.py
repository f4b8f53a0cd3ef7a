"""Animated GIF: exact palettes, every frame kept, durations in ticks of 10 ms."""

import math
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from ..errors import UsageError
from .shown import Shown

_TICK = 0.01  # seconds
_SHORTEST = 2 * _TICK  # programs take a shorter duration for a mistake, and show 100 ms
_LONGEST = (2**16 - 1) * _TICK
_OPAQUE = 128  # the lowest alpha that a format without half-transparency shows
_RESTORE = 2  # disposal: clear the frame before the next, so that nothing is seen through it


def check_duration(seconds: float) -> None:
    """Raises: UsageError: a GIF cannot show a frame for so short or so long a time."""
    if _SHORTEST - 1e-6 <= seconds <= _LONGEST:  # durations are given to the microsecond
        return
    fps = 1 / max(seconds, 1e-9)
    steps = math.ceil(fps * _SHORTEST)
    fewer = f"leave frames out (speed {steps} with fps {fps / steps:.4g}), or " if steps > 1 else ""
    raise UsageError(
        f"a GIF can show between 0.002 and 50 frames per second; got {fps:.4g}: {fewer}write a .webp or .mp4."
    )


def write(file: BinaryIO, shown: Iterable[Shown], *, loop: int) -> None:
    """Write frames (h, w, 3 or 4) as a GIF; alpha is cut at one half.

    Pillow's own animation writer merges equal neighbours into one longer frame, which would lose their number; here
    Pillow encodes one frame at a time, and the few bytes around the frames are written out.

    Raises: UsageError: a duration or `loop` that does not fit the format, or frames too large for it.
    """
    now = 0.0
    for number, one in enumerate(shown):
        if not number:
            height, width = one.pixels.shape[:2]
            if max(height, width) >= 2**16:
                raise UsageError(f"a GIF holds at most {2**16 - 1} pixels a side; got {width} x {height}.")
            size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
            file.write(b"GIF89a" + size + bytes([0x70, 0, 0]))  # 8 bits a channel, no shared palette, no aspect ratio
            file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + loop.to_bytes(2, "little") + b"\0")
        seconds = one.seconds or 0.0
        check_duration(seconds)
        image, transparent = _indexed(one.pixels)
        start, now = now, now + seconds
        ticks = round(now / _TICK) - round(start / _TICK)  # rounded each by itself, frames would drift apart from time
        options: dict[str, Any] = {"duration": 10 * ticks, "include_color_table": True}
        if transparent is not None:
            options |= {"transparency": transparent, "disposal": _RESTORE}
        file.write(b"".join(GifImagePlugin.getdata(image, **options)))
    file.write(b";")


def _indexed(pixels: NDArray[np.uint8]) -> tuple[Image.Image, int | None]:
    """One frame with a palette of its own, of its colours or the best when too many, and the entry that is clear."""
    clear = pixels[..., 3] < _OPAQUE if pixels.shape[2] == 4 else np.zeros(pixels.shape[:2], dtype=bool)
    room = 255 if clear.any() else 256
    seen = np.ascontiguousarray(pixels[..., :3])
    if room == 255 and not clear.all():
        seen[clear] = seen[~clear][0]  # what cannot be seen is to take no place in the palette
    rich = Image.fromarray(seen)
    counted = rich.getcolors(room)
    if counted is None:
        chosen = rich.quantize(room, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        palette = np.array(chosen.getpalette(), dtype=np.uint8)
        indices = np.asarray(chosen)
    else:
        palette = np.array(sorted(colour for _, colour in counted), dtype=np.uint8)
        indices = np.searchsorted(_numbers(palette), _numbers(seen)).astype(np.uint8)
        palette = palette.ravel()
    if room == 255:
        indices = np.where(clear, np.uint8(len(palette) // 3), indices)
    image = Image.fromarray(indices, mode="L")
    entries = palette.tobytes() + bytes(3 * int(room == 255))
    image.putpalette(entries)
    return image, len(palette) // 3 if room == 255 else None


def _numbers(colours: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Colours (..., 3) as numbers in their order."""
    red, green, blue = np.moveaxis(colours, -1, 0).astype(np.int32)
    numbers: NDArray[np.int32] = red << 16 | green << 8 | blue
    return numbers
