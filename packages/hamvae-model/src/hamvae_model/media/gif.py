"""Animated GIF: exact palettes, every frame kept, durations in ticks of 10 ms."""

import numpy as np
import torch
from PIL import GifImagePlugin, Image

from ..errors import UsageError
from .frames import to_image

_TICK_MS = 10


def encode(frames: torch.Tensor, *, fps: float, loop: int) -> bytes:
    """The bytes of a GIF of `frames` (t, c, h, w) uint8, c = 1 or 3.

    Pillow's own animation writer merges equal neighbours into one longer frame, which would lose their number; here
    Pillow encodes one frame at a time, and the few bytes around the frames are written out.

    Raises: UsageError: `fps` or `loop` does not fit the format, or the frames are too large for it.
    """
    if not 0.002 <= fps <= 50:
        raise UsageError(f"a GIF can show between 0.002 and 50 frames per second; got {fps:g}.")
    if not 0 <= loop < 2**16:
        raise UsageError(f"loop must be between 0 (for ever) and {2**16 - 1} repeats; got {loop}.")
    height, width = frames.shape[-2:]
    if max(height, width) >= 2**16:
        raise UsageError(f"a GIF holds at most {2**16 - 1} pixels a side; got {width} x {height}.")

    duration = round(1000 / _TICK_MS / fps) * _TICK_MS
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    parts = [
        b"GIF89a" + size + bytes([0x70, 0, 0]),  # 8 bits a channel, no shared palette, no aspect ratio
        b"!\xff\x0bNETSCAPE2.0\x03\x01" + loop.to_bytes(2, "little") + b"\0",
    ]
    for frame in frames:
        parts += GifImagePlugin.getdata(_indexed(frame), duration=duration, include_color_table=True)
    return b"".join([*parts, b";"])


def _indexed(frame: torch.Tensor) -> Image.Image:
    """One frame with a palette of its own: its exact colours, or the best 256 when there are more."""
    image = to_image(frame)
    pixels = np.asarray(image).astype(np.uint32)
    colours, indices = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32), return_inverse=True)
    if len(colours) > 256:
        return image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    exact = Image.fromarray(indices.reshape(pixels.shape[:2]).astype(np.uint8), mode="L")
    exact.putpalette(np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8).tobytes())
    return exact
