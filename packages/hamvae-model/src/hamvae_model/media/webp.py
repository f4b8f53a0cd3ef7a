"""Animated WebP, without loss: every frame kept, durations in milliseconds."""

import struct
from collections.abc import Iterable
from io import BytesIO
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import UsageError
from .shown import Shown

_LARGEST = 2**14 - 1  # pixels a side
_ANIMATION, _ALPHA = 0x02, 0x10  # flags of the file
_OVERWRITE = 0x02  # flag of a frame: do not blend it with the one before


def write(file: BinaryIO, shown: Iterable[Shown], *, loop: int) -> None:
    """Write frames (h, w, 3 or 4), exactly.

    libwebp's animation encoder merges equal neighbours, so Pillow encodes the frames one at a time and their data is
    put into the chunks of an animation here (WebP Container Specification, RFC 9649, section 2.7).

    Raises: UsageError: frames too large for the format.
    """
    begun = file.tell()
    file.write(b"RIFF\0\0\0\0WEBP")
    for number, one in enumerate(shown):
        height, width = one.pixels.shape[:2]
        if not number:
            if max(height, width) > _LARGEST:
                raise UsageError(f"a WebP holds at most {_LARGEST} pixels a side; got {width} x {height}.")
            flags = _ANIMATION | (_ALPHA if one.pixels.shape[2] == 4 else 0)
            _put(file, b"VP8X", struct.pack("<I", flags) + _three(width - 1) + _three(height - 1))
            _put(file, b"ANIM", struct.pack("<IH", 0, loop))
        place = _three(0) + _three(0) + _three(width - 1) + _three(height - 1)
        milliseconds = _three(min(round((one.seconds or 0) * 1000), 2**24 - 1))
        _put(file, b"ANMF", place + milliseconds + bytes([_OVERWRITE]) + _encoded(one.pixels))
    size = file.tell() - begun - 8
    file.seek(begun + 4)
    file.write(struct.pack("<I", size))


def _encoded(pixels: NDArray[np.uint8]) -> bytes:
    """The chunk that holds one picture, without the file around it."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, exact=True)
    data, at = buffer.getvalue(), 12
    while data[at : at + 4] != b"VP8L":
        at += 8 + struct.unpack_from("<I", data, at + 4)[0]
    (length,) = struct.unpack_from("<I", data, at + 4)
    return data[at : at + 8 + length + length % 2]


def _put(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2))


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")
