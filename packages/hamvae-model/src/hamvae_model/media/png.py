"""PNG: one frame, or several side by side in one row."""

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..clip import Clip
from ..errors import UsageError
from .frames import from_images, to_image
from .opening import opened

_FRAMES_KEY = "hamvae-frames"
"""The text entry in which a strip notes how many frames it holds, so that they need not be square to be found."""


def read(path: Path) -> Clip:
    """The frame or the row of frames of a PNG; see `hamvae_model.media.read`."""
    with opened(path, "PNG") as image:
        if getattr(image, "is_animated", False):
            raise UsageError(f"{path} is an animated PNG, which is not read; save it as a GIF.")
        image.load()
        columns = _columns(image)
        width = image.width // columns
        images = [image.crop((column * width, 0, (column + 1) * width, image.height)) for column in range(columns)]
        frames, alpha = from_images(images)
    times = torch.arange(columns, dtype=torch.float32)
    return Clip(frames=frames, times=times, label=None, source=str(path), alpha=alpha, period=None)


def read_rgba(path: Path) -> torch.Tensor:
    """One still PNG as it is stored, uint8 (4, h, w) with straight alpha; palettes are resolved.

    Raises: as `hamvae_model.media.read`.
    """
    with opened(path, "PNG") as image:
        return torch.from_numpy(np.array(image.convert("RGBA"))).permute(2, 0, 1)


def encode(frames: torch.Tensor) -> bytes:
    """The bytes of a PNG of `frames` (t, c, h, w) uint8, c = 1 or 3, in one row."""
    note = PngInfo()
    note.add_text(_FRAMES_KEY, str(len(frames)))
    buffer = BytesIO()
    to_image(torch.cat(frames.unbind(), dim=-1)).save(buffer, "PNG", pnginfo=note)
    return buffer.getvalue()


def _columns(image: Image.Image) -> int:
    noted = str(image.info.get(_FRAMES_KEY, ""))
    if noted.isascii() and noted.isdigit() and int(noted) > 0 and image.width % int(noted) == 0:
        return int(noted)
    return image.width // image.height if image.width % image.height == 0 else 1
