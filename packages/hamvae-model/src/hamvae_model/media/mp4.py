"""MP4 that plays everywhere: H.264, eight bits, 4:2:0, the index first."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import HamvaeError, UsageError
from .shown import Shown
from .video import INSTALL

if TYPE_CHECKING:  # PyAV takes a moment to load and may be absent
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_CLOCK = Fraction(1, 90_000)  # seconds; whole for 24, 25, 30, 50, 60 and 29.97 frames per second
_OPTIONS = {
    "crf": "12",  # constant rate factor: 0 is exact, 23 usual for films, whose edges are softer than those of drawings
    "mbtree": "0",  # with it, the same small frames do not always make the same file
}


def write(file: BinaryIO, shown: Iterable[Shown]) -> None:
    """Write frames (h, w, 3 or 4) into a named file; transparent pixels show black.

    Colour is stored at half the resolution, and only even sizes are possible: a row or column at the end is repeated
    where the size is odd.

    Raises:
        UsageError: PyAV is not installed.
        HamvaeError: the encoder of this machine's FFmpeg fails.
    """
    try:
        import av
    except ImportError:
        raise UsageError(f"Writing an MP4 needs PyAV; install it with: {INSTALL}") from None
    try:
        # By name: FFmpeg has to read again what it wrote, to move the index to the front.
        with av.open(f"file:{file.name}", "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream, now = None, Fraction(0)
            lasting: dict[int | None, int] = {}  # the encoder passes on when a frame is shown, but not for how long
            for one in shown:
                pixels = _even(one.pixels)
                if stream is None:
                    stream = container.add_stream("libx264", options=_OPTIONS)
                    stream.height, stream.width = pixels.shape[:2]
                    stream.pix_fmt = "yuv420p"
                    stream.time_base = stream.codec_context.time_base = _CLOCK
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=stream.pix_fmt, threads=1)
                frame.pts, frame.time_base = round(now / _CLOCK), _CLOCK
                now += Fraction(one.seconds or 0)
                lasting[frame.pts] = round(now / _CLOCK) - frame.pts
                _mux(container, stream.encode(frame), lasting)
            if stream is not None:
                _mux(container, stream.encode(None), lasting)
    except av.error.FFmpegError as error:
        raise HamvaeError(f"The MP4 could not be written ({error.strerror}); write a GIF or WebP instead.") from error


def _mux(
    container: "OutputContainer", packets: "Iterable[Packet[VideoStream]]", lasting: Mapping[int | None, int]
) -> None:
    for packet in packets:
        packet.duration = lasting[packet.pts]
        container.mux(packet)


def _even(pixels: np.ndarray) -> np.ndarray:
    """Opaque pixels (h, w, 3) of even sizes."""
    if pixels.shape[2] == 4:
        pixels = (pixels[..., :3].astype(np.uint16) * pixels[..., 3:] // 255).astype(np.uint8)
    height, width = pixels.shape[:2]
    return np.ascontiguousarray(np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))
