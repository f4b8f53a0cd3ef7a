"""PNG: one frame, or several side by side in one row."""

from io import BytesIO

import torch
from PIL.PngImagePlugin import PngInfo

from .frames import to_image
from .pictures import STRIP_KEY


def encode(frames: torch.Tensor) -> bytes:
    """The bytes of a PNG of `frames` (t, c, h, w) uint8, c = 1 or 3, in one row."""
    note = PngInfo()
    note.add_text(STRIP_KEY, str(len(frames)))
    buffer = BytesIO()
    to_image(torch.cat(frames.unbind(), dim=-1)).save(buffer, "PNG", pnginfo=note)
    return buffer.getvalue()
