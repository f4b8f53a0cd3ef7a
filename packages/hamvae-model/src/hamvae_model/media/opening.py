"""Open what a path names, and turn every way this can fail into one sentence."""

import errno
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ..errors import HamvaeError, UsageError
from ..files.bounded import NotOrdinaryError, check_ordinary
from ..limits import ANIMATION_LIMIT, FRAME_LIMIT, MOVING_LIMIT, PIXEL_LIMIT

# What Pillow raises on damaged data; its decoders let the errors of the layers below them through.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)
_MARKS = {"GIF": b"GIF8", "PNG": b"\x89PNG", "WEBP": b"RIFF", "JPEG": b"\xff\xd8"}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say in one sentence why `path` could not be looked at.

    Raises: UsageError: instead of the operating system's error.
    """
    try:
        yield
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file; check the spelling.") from None
    except NotADirectoryError:
        raise UsageError(f"{path}: {path.parent} is not a folder; check the spelling.") from None
    except PermissionError:
        raise UsageError(f"{path} may not be read; change its permissions or copy it elsewhere.") from None
    except NotOrdinaryError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); name a file that can.") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UsageError(f"{path} is a link that leads back to itself; name the real file.") from None
        raise


def exists(path: Path) -> bool:
    """Whether something is there; nothing is under a name that no file can have."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


@contextmanager
def opened(path: Path, format: str) -> Iterator[Image.Image]:
    """The picture at `path`, open while the caller decodes it.

    Raises:
        UsageError: nothing there, a folder, no permission, not a picture of this format, more than PIXEL_LIMIT pixels.
        HamvaeError: it ends early or is damaged.
    """
    try:
        with explained(path), _opened(path, format) as image:
            if image.width * image.height > PIXEL_LIMIT:
                raise too_large(path)
            yield image
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; name a {format} file inside it.") from None
    except UnidentifiedImageError:
        with path.open("rb") as file:
            begins = file.read(max(map(len, _MARKS.values())))
        if begins.startswith(_MARKS[format]):
            raise HamvaeError(f"{path} is cut short or damaged; make or fetch it again.") from None
        what = f"does not hold a {format} picture, whatever its name says"
        if begins.startswith(tuple(_MARKS.values())):
            raise UsageError(f"{path} {what}; name it after what it holds.") from None
        why = "it is empty" if not begins else "it does not begin as a picture does"
        raise UsageError(f"{path} {what}: {why}; make or fetch it again.") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise too_large(path) from None
    except (*_DAMAGE, UserWarning) as error:
        raise HamvaeError(f"{path} is cut short or damaged ({error}); make or fetch it again.") from error


def _opened(path: Path, format: str) -> Image.Image:
    """The picture, of which the header is read; Pillow only warns of what would end in a wrong clip."""
    check_ordinary(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings("error", "Invalid APNG", UserWarning)
        return Image.open(path, formats=(format,))


def too_large(path: Path, limit: int = PIXEL_LIMIT) -> UsageError:
    return UsageError(
        f"{path} has pictures of more than {limit // 10**6} million pixels, the most that is read; make them smaller."
    )


def check_length(path: Path, frames: int, pixels: int) -> None:
    """Args: pixels: of one frame.

    Raises: UsageError: an animated picture of more frames, or of more pixels over all of them, than is read.
    """
    if frames > FRAME_LIMIT:
        raise UsageError(
            f"{path} has {frames} frames, and at most {FRAME_LIMIT} are read; make it shorter, or a video."
        )
    if frames > 1 and pixels > MOVING_LIMIT:
        raise too_large(path, MOVING_LIMIT)
    if frames > 1 and frames * pixels > ANIMATION_LIMIT:
        raise UsageError(
            f"{path} has more than {ANIMATION_LIMIT // 10**6} million pixels over its {frames} frames, the most that "
            "is read; make it smaller or shorter, or a video."
        )
