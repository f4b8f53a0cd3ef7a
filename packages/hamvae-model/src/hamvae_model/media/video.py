"""Videos, read through PyAV (FFmpeg): the extra `video` of this package."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import HamvaeError, UsageError
from ..files.bounded import check_ordinary
from ..limits import DECODED_LIMIT, MOVING_LIMIT
from .facts import Facts
from .opening import explained, too_large
from .shown import Shown

if TYPE_CHECKING:  # PyAV takes a moment to load and may be absent
    from av.container import InputContainer
    from av.video.format import VideoFormat
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

FORMATS = {
    **{".mp4": "MP4", ".m4v": "MP4", ".mov": "QuickTime", ".webm": "WebM", ".mkv": "Matroska", ".avi": "AVI"},
}

INSTALL = "pip install 'av>=18,<19'"  # the extra `video`, for people who have no index that holds this package

# An untrusted file may be a playlist, whatever its name says, or have a name that FFmpeg takes for an address.
_ITSELF = {"protocol_whitelist": "file", "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"}
_SMALL = 256 * 256  # pixels of a frame below which starting threads takes longer than decoding


def shown(path: Path, start: int = 0) -> Iterator[Shown]:
    """Frames from number `start` on, turned upright, each for as long as the next one is later."""
    with _opened(path) as (container, stream):
        usual = longest = 1 / float(stream.average_rate or stream.guessed_rate or 25)
        pixels, waiting, now = _Upright(), None, 0.0
        for number, frame in enumerate(container.decode(stream)):
            _check_size(path, frame.format, frame.width, frame.height)
            if waiting is not None:
                lasting = _between(waiting, frame) or usual
                now, longest = now + lasting, max(longest, lasting)
                if number > start:
                    yield Shown(pixels(waiting), lasting)
            waiting = frame
        end = _end(container, stream)
        if waiting is None or (end is not None and now + 1.5 * longest < end):
            raise HamvaeError(f"{path} is cut short (it ends before its time); make or fetch it again.")
        last = float(waiting.duration * waiting.time_base) if waiting.duration and waiting.time_base else usual
        if number >= start:
            yield Shown(pixels(waiting), last)


def facts(path: Path) -> Facts:
    """What the header says; many formats leave the number of frames open."""
    with _opened(path) as (_, stream):
        return Facts(
            format=FORMATS[path.suffix.lower()],
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            frames=stream.frames or None,
            fps=float(stream.average_rate) if stream.average_rate else None,
        )


@contextmanager
def _opened(path: Path) -> Iterator["tuple[InputContainer, VideoStream]"]:
    try:
        import av
    except ImportError:
        raise UsageError(f"{path} needs PyAV to be read; install it with: {INSTALL}") from None
    try:
        with explained(path):
            check_ordinary(path)
            path.open("rb").close()  # its errors, unlike FFmpeg's, tell a missing file from a forbidden one
        with av.open(f"file:{path}", metadata_errors="replace", options=_ITSELF) as container:
            if not container.streams.video or container.streams.video[0].codec_context is None:
                raise UsageError(f"{path} holds no video that can be decoded; name a file that does.")
            stream = container.streams.video[0]
            context = stream.codec_context
            _check_size(path, context.format, context.width, context.height)
            # Of frames further on, before there is room for them; decoders count whole blocks, so not to the pixel.
            context.options = {"max_pixels": str(2 * MOVING_LIMIT)}
            if context.width * context.height <= _SMALL:
                stream.thread_type = "NONE"
            yield container, stream
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; name a video inside it.") from None
    except av.error.FFmpegError as error:
        if not path.stat().st_size:
            raise UsageError(f"{path} is empty; make or fetch it again.") from None
        raise HamvaeError(
            f"{path} is cut short, damaged or no video ({error.strerror}); make or fetch it again."
        ) from None


def _check_size(path: Path, format: "VideoFormat | None", width: int, height: int) -> None:
    """Raises: UsageError: frames of more pixels, or bytes, than are decoded."""
    if width * height > MOVING_LIMIT:
        raise too_large(path, MOVING_LIMIT)
    if format is not None and width * height * format.padded_bits_per_pixel > 8 * DECODED_LIMIT:
        raise UsageError(
            f"{path} has frames of {width}×{height} pixels of {format.padded_bits_per_pixel} bits, and at most "
            f"{DECODED_LIMIT // 10**6} million bytes a frame are decoded; make them smaller."
        )


class _Upright:
    """Frames as upright pixels (h, w, 3), or (h, w, 4) where the video has transparency."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()  # one for all frames: to make one takes longer than a small frame

    def __call__(self, frame: "VideoFrame") -> NDArray[np.uint8]:
        transparent = any(component.is_alpha for component in frame.format.components)
        plain = self._reformatter.reformat(frame, format="rgba" if transparent else "rgb24", threads=1)
        pixels = plain.to_ndarray().astype(np.uint8, copy=False)
        return np.rot90(pixels, round(frame.rotation / 90)) if frame.rotation else pixels


def _between(frame: "VideoFrame", following: "VideoFrame") -> float | None:
    """Seconds from one frame to the next; None when the file does not say, or nonsense."""
    if frame.time is None or following.time is None or following.time <= frame.time:
        return None
    return following.time - frame.time


def _end(container: "InputContainer", stream: "VideoStream") -> float | None:
    """Seconds the pictures last by what the file says; None when it does not tell them from sound.

    FFmpeg itself notices when an MP4 or a QuickTime file is cut short; Matroska, WebM and AVI just end.
    """
    if len(container.streams) > 1 or "mp4" in container.format.name or container.duration is None:
        return None
    return container.duration / 1_000_000
