"""Write a file all or nothing: a reader sees the old content or the new, never half of it."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import DiskError, UsageError

TOKEN = 8  # random bytes in the name of a file that is being written
LEFTOVER = re.compile(rf"\.[0-9a-f]{{{2 * TOKEN}}}\.tmp")


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the content of `path` by `data`; when anything fails, leave what was there and nothing else.

    Raises:
        UsageError: the folder is missing, or it or `path` cannot be written to.
        DiskError: the disk refused the data.
    """
    with writing(path) as file:
        file.write(data)


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to fill, which takes the place of `path` when the block ends well; see `write_bytes`."""
    # Beside its destination, because a rename is atomic only within one file system.
    temporary = path.with_name(f".{secrets.token_hex(TOKEN)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        rename(temporary, path)
    except FileNotFoundError:
        raise UsageError(f"{path}: the folder {path.parent} does not exist; make it first.") from None
    except NotADirectoryError:
        raise UsageError(f"{path}: {path.parent} is not a folder; choose another place.") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; name a file.") from None
    except PermissionError:
        raise UsageError(f"{path}: {path.parent} may not be written to; choose another folder.") from None
    except OSError as error:
        raise DiskError(f"{path} could not be written ({error.strerror or error}); nothing was changed.") from error
    finally:
        with suppress(OSError):  # after success, or when it could not even be made, there is none to remove
            temporary.unlink()


def rename(path: Path, other: Path) -> None:
    """Give a file the name of another, which it replaces, so that it outlives a power cut. Raises: OSError."""
    os.replace(path, other)
    _sync_folder(other.parent)


def sweep(folder: Path) -> None:
    """Remove what a process that was killed while it wrote left in a folder; nobody else may be writing there."""
    for path in folder.iterdir():
        if LEFTOVER.fullmatch(path.name):
            with suppress(OSError):  # it is only in the way
                path.unlink()


def _sync_folder(folder: Path) -> None:
    """Have the disk remember which file a name stands for, so that a renamed one outlives a power cut."""
    with suppress(OSError):  # the file is whole and in place; some file systems sync no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
