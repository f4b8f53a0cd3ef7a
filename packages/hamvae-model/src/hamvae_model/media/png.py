"""PNG: frames side by side in one row, and animated (APNG)."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from io import BytesIO
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .pictures import STRIP_KEY
from .shown import Shown

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST = 2**16 - 1  # numerator and denominator of a duration have sixteen bits


def write_strip(file: BinaryIO, shown: Iterable[Shown]) -> None:
    """Write frames (h, w, 3 or 4) in one row without a gap."""
    pixels = [one.pixels for one in shown]
    note = PngInfo()
    note.add_text(STRIP_KEY, str(len(pixels)))
    Image.fromarray(np.concatenate(pixels, axis=1)).save(file, "PNG", pnginfo=note)


def write_animation(file: BinaryIO, shown: Iterable[Shown], *, loop: int) -> None:
    """Write frames (h, w, 3 or 4) as an animated PNG.

    Pillow encodes the frames one at a time, because its animation writer merges equal neighbours; their data is put
    into the chunks of an animation here (PNG specification, third edition, section 11.3.4).
    """
    file.write(_SIGNATURE)
    sequence = 0
    for number, one in enumerate(shown):
        chunks = dict[bytes, bytes]()
        for name, data in _chunks(one.pixels):
            chunks[name] = chunks.get(name, b"") + data
        if not number:
            _put(file, b"IHDR", chunks[b"IHDR"])
            count_at = file.tell()
            _put(file, b"acTL", struct.pack(">II", 0, loop))
        height, width = one.pixels.shape[:2]
        lasting = Fraction(one.seconds or 0).limit_denominator(1000)
        lasting = lasting if lasting.numerator <= _LARGEST else Fraction(round(lasting))
        control = (sequence, width, height, 0, 0, min(lasting.numerator, _LARGEST), lasting.denominator, 0, 0)
        _put(file, b"fcTL", struct.pack(">IIIIIHHBB", *control))
        sequence += 1
        if number:
            _put(file, b"fdAT", struct.pack(">I", sequence) + chunks[b"IDAT"])
            sequence += 1
        else:
            _put(file, b"IDAT", chunks[b"IDAT"])
    _put(file, b"IEND", b"")
    file.seek(count_at)  # how many frames there are is known only now
    _put(file, b"acTL", struct.pack(">II", number + 1, loop))


def _chunks(pixels: NDArray[np.uint8]) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the chunks of one picture as Pillow encodes it."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    data, at = buffer.getvalue(), len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _put(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))
