"""Read ordinary files of bounded length: reading a pipe could wait for ever, and a device never ends."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from ..limits import FILE_LIMIT, INDEX_LIMIT, NESTS_LIMIT


class NotOrdinaryError(OSError):
    """What stands there is no file, or a longer one than is read."""


def check_ordinary(path: Path, limit: int | None = FILE_LIMIT) -> None:
    """Look before opening.

    Args: limit: bytes that are read at most; None where the caller asks.

    Raises: OSError: nothing there, a folder, something else that is no ordinary file, or one that is too long.
    """
    facts = path.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(facts.st_mode):
        raise NotOrdinaryError(errno.EINVAL, "it is a pipe or a device, and no file", str(path))
    if limit is not None and facts.st_size > limit:
        raise NotOrdinaryError(errno.EFBIG, f"it is longer than {limit // 2**20} MiB, the most that is read", str(path))


def read_bytes(path: Path, limit: int) -> bytes:
    """The content of an ordinary file of at most `limit` bytes.

    Raises: OSError: as `check_ordinary`, or it cannot be read.
    """
    check_ordinary(path, limit)
    with path.open("rb") as file:
        return file.read(limit)


def read_json(path: Path) -> Any:
    """What an ordinary file of at most INDEX_LIMIT bytes says, in the JSON of the standard: no NaN and no Infinity.

    Raises: OSError: as `read_bytes`. ValueError: no such JSON.
    """
    return parse_json(read_bytes(path, INDEX_LIMIT))


def parse_json(data: bytes | str) -> Any:
    """JSON of the standard.

    Raises: ValueError: it is none, or nested too deep or too often.
    """
    nests = data.count(b"[") + data.count(b"{") if isinstance(data, bytes) else data.count("[") + data.count("{")
    if nests > NESTS_LIMIT:
        raise ValueError(f"more than {NESTS_LIMIT} lists and objects")
    try:
        return json.loads(data, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")
