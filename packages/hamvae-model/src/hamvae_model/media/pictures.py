"""Pictures that Pillow reads, still and animated: GIF, PNG and APNG, WebP, JPEG."""

import re
from collections.abc import Iterator
from os import SEEK_END
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..errors import HamvaeError
from .facts import Facts
from .opening import check_length, opened
from .shown import Shown

FORMATS = {
    **{".gif": "GIF", ".png": "PNG", ".apng": "PNG", ".webp": "WEBP"},
    **{".jpg": "JPEG", ".jpeg": "JPEG"},
}
STILLS = (".png", ".jpg", ".jpeg")
"""Extensions a single frame may have in a folder of frames."""
STRIP_KEY = "hamvae-frames"
"""The text entry in which a strip notes how many frames it holds, so that they need not be square to be found."""

_UNTIMED = 0.1  # seconds that browsers show a frame whose stated duration is zero
_PADDING = 1024  # bytes at the end of a GIF in which its end marker is looked for: some programs fill a file up
_ORIENTATION = 0x0112  # the EXIF tag that says which way up the camera was held


def shown(path: Path, start: int = 0) -> Iterator[Shown]:
    """Frames from number `start` on. A still picture is one frame, or a row of them if it is a strip."""
    with opened(path, FORMATS[path.suffix.lower()]) as image:
        if image.format == "GIF":
            _check_end(path)
        count, turned = _count(image), image.getexif().get(_ORIENTATION, 1) != 1
        columns = _columns(image) if count == 1 else 1
        check_length(path, columns * count, image.width * image.height // columns)
        for number in range(_hidden(image) + start if count > 1 else 0, count):
            image.seek(number)
            # A WebP knows a frame's duration only once it is decoded.
            pixels = as_array(ImageOps.exif_transpose(image) if turned else image)
            if count == 1:
                for one in np.split(pixels, columns, axis=1)[start:]:
                    yield Shown(one, _seconds(image))
            else:
                yield Shown(pixels, _seconds(image) or _UNTIMED)


def still(path: Path) -> NDArray[np.uint8]:
    """One picture (h, w, 3 or 4), never cut into frames; of an animation, the first."""
    with opened(path, FORMATS[path.suffix.lower()]) as image:
        return as_array(ImageOps.exif_transpose(image))


def size(path: Path) -> tuple[int, int]:
    """Width and height of the whole picture, from its header."""
    with opened(path, FORMATS[path.suffix.lower()]) as image:
        return image.size


def read_rgba(path: Path) -> torch.Tensor:
    """One still picture as it is stored, uint8 (4, h, w) with straight alpha; palettes are resolved.

    Raises: as `hamvae_model.media.read`.
    """
    with opened(path, FORMATS[path.suffix.lower()]) as image:
        image.load()
        return torch.from_numpy(np.array(_as_mode(image, "RGBA"))).permute(2, 0, 1)


def facts(path: Path) -> Facts:
    """What the header says; the frames are counted, and not decoded."""
    with opened(path, FORMATS[path.suffix.lower()]) as image:
        columns = _columns(image) if _count(image) == 1 else 1
        if image.format == "WEBP":
            image.load()  # it knows a frame's duration only then
        seconds = _seconds(image)
        return Facts(
            format="APNG" if image.format == "PNG" and _count(image) > 1 else str(image.format),
            width=image.width // columns,
            height=image.height,
            frames=columns * _count(image) - _hidden(image),
            fps=1 / seconds if seconds else None,
        )


def as_array(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels (h, w, 3 or 4), eight bits a channel, whatever the picture's mode."""
    mode = "RGBA" if image.has_transparency_data else "RGB"  # Pillow cannot tell of every GIF once it is loaded
    image.load()  # a frame of a GIF knows its own mode only then
    if image.mode == "I" or image.mode.startswith("I;16"):  # sixteen bits of grey, which Pillow would cut off at 255
        grey = np.asarray(image).clip(0, 65535).astype(np.uint32)
        return np.repeat(((grey + 128) // 257).astype(np.uint8)[..., None], 3, axis=2)
    return np.asarray(_as_mode(image, mode))


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    """The loaded picture in a mode, itself where it has that already: Pillow would copy it, four bytes a pixel."""
    return image if image.mode == mode else image.convert(mode)


def _check_end(path: Path) -> None:
    """Pillow takes a GIF that is cut between two frames for a shorter animation.

    Raises: HamvaeError: its end marker is missing.
    """
    with path.open("rb") as file:
        file.seek(-min(_PADDING, path.stat().st_size), SEEK_END)
        if not file.read().rstrip(b"\0\r\n ").endswith(b";"):
            raise HamvaeError(f"{path} is cut short (its end marker is missing); make or fetch it again.")


def _seconds(image: Image.Image) -> float | None:
    return float(image.info.get("duration", 0)) / 1000 or None


def _count(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1))


def _hidden(image: Image.Image) -> int:
    """Frames at the beginning that are only for programs that show no animations: 1 or 0."""
    return int(bool(image.info.get("default_image", False)) and _count(image) > 1)


def _columns(image: Image.Image) -> int:
    """How many frames of a still picture stand side by side; only a PNG is taken for a strip."""
    noted = str(image.info.get(STRIP_KEY, ""))
    if re.fullmatch("[1-9][0-9]{0,8}", noted) and image.width % int(noted) == 0:
        return int(noted)
    return image.width // image.height if image.format == "PNG" and image.width % image.height == 0 else 1
