"""Open a picture of one format with Pillow, and turn every way this can fail into one sentence."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ..errors import HamvaeError, UsageError

PIXEL_LIMIT = 64 * 10**6
"""Most pixels one file may hold over all its frames: a file of a few kilobytes can ask for gigabytes of memory."""

# What Pillow raises on damaged data; its decoders let the errors of the layers below them through.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)


@contextmanager
def opened(path: Path, format: str) -> Iterator[Image.Image]:
    """The picture at `path`, open while the caller decodes it.

    Raises:
        UsageError: nothing there, a folder, no permission, not a picture of this format, more than PIXEL_LIMIT pixels.
        HamvaeError: it ends early or is damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path, formats=(format,)) as image:
                # Counting the frames decodes none of them.
                if image.width * image.height * getattr(image, "n_frames", 1) > PIXEL_LIMIT:
                    raise _too_large(path)
                yield image
        except FileNotFoundError:
            raise UsageError(f"{path}: there is no such file; check the spelling.") from None
        except IsADirectoryError:
            raise UsageError(f"{path} is a folder; name a {format} file inside it.") from None
        except PermissionError:
            raise UsageError(f"{path} may not be read; change its permissions or copy it elsewhere.") from None
        except UnidentifiedImageError:
            raise UsageError(f"{path} does not hold a {format} picture, whatever its name says.") from None
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise _too_large(path) from None
        except _DAMAGE as error:
            raise HamvaeError(f"{path} is cut short or damaged ({error}); make or fetch it again.") from error


def _too_large(path: Path) -> UsageError:
    return UsageError(
        f"{path} would unpack to more than {PIXEL_LIMIT // 10**6} million pixels, the most that is read; "
        "cut it into smaller files."
    )
