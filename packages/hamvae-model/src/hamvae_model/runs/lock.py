"""One process at a time in a run folder: a lock that dies with its process, and who holds it in words."""

import errno
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from ..errors import HamvaeError, UsageError
from ..files.bounded import read_json

LOCK = "run.lock"
READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # one in an untrusted run could lead to any file, which would be emptied
_held: set[int] = set()  # descriptors of this process that hold a lock


@contextmanager
def run_lock(run: Path) -> Iterator[None]:
    """Keep every other process out of the run folder for the time of the block.

    The operating system holds the lock for this process and lets go of it when the process ends, however it ends, so
    that the file of a process that was killed, of another boot or in a copied folder stops nobody. What the file
    holds is only there to be read: process, host and since when. On a file system that has no locks, some network
    ones among them, nobody is kept out.

    Raises:
        UsageError: the folder is missing or cannot be written to.
        HamvaeError: another process is at work there, or the disk refused the file.
    """
    path = run / LOCK
    descriptor = _taken(path)
    _held.add(descriptor)
    try:
        yield
    finally:
        if descriptor in _held:  # it is not in a fork, which only inherits the block
            _held.remove(descriptor)
            _release(path, descriptor)


def _taken(path: Path) -> int:
    """An open, locked descriptor of the file at `path`, which names this process."""
    try:
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o644)
            try:
                _lock(descriptor)
                if _stands(path, descriptor):
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, json.dumps(_this_process()).encode())
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
    except BlockingIOError:
        raise HamvaeError(
            f"'{path.parent}' is being trained by {_holder(path)}; wait for it, stop it there (Ctrl-C saves), or "
            "choose another folder."
        ) from None
    except FileNotFoundError:
        raise UsageError(f"There is no run folder at '{path.parent}'.") from None
    except OSError as error:
        if error.errno in READ_ONLY:
            raise UsageError(
                f"The run folder '{path.parent}' may not be written to; copy it to a place of your own, or choose "
                "another."
            ) from None
        raise HamvaeError(f"{path} could not be written ({error.strerror}); nothing was changed.") from error


def _stands(path: Path, descriptor: int) -> bool:
    """Whether the file is still the one at `path`: the holder before may have removed it after it was opened here."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _this_process() -> dict[str, object]:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since}


def _holder(path: Path) -> str:
    try:
        held = read_json(path)
        return f"process {held['pid']} on {held['host']} since {held['since']}"
    except (OSError, ValueError, KeyError, TypeError):  # it has only just begun
        return "another process"


if sys.platform == "win32":
    import msvcrt

    FAR = 2**30  # what is locked there cannot be read by others: a byte behind anything written

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None
        os.lseek(descriptor, 0, os.SEEK_SET)

    def _release(path: Path, descriptor: int) -> None:
        os.close(descriptor)  # first: an open file cannot be removed
        with suppress(OSError):
            path.unlink()

else:
    import fcntl

    NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}

    def _lock(descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise

    def _release(path: Path, descriptor: int) -> None:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)

    def _forget() -> None:
        """A fork shares the lock as long as it has the file open, and may outlive the process that took it."""
        for descriptor in _held:
            os.close(descriptor)
        _held.clear()

    os.register_at_fork(after_in_child=_forget)
