"""The calls by which a process reaches the disk in one folder, so that any of them can fail or be its last."""

import builtins
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

Act = Callable[[str, Callable[[], object]], None]
PATHS = ("mkdir", "unlink", "replace")  # of os, known by the path that comes first
DESCRIPTORS = ("fsync", "ftruncate")  # of os, known by a descriptor: here nobody but a run calls them


@contextmanager
def watched(folder: Path, act: Act) -> Iterator[None]:
    """In the block, `act` is called before each call that changes something in `folder`.

    Args:
        act: is given the name of the call and, to be called if it likes, a function that does half of it: of a write
            the first half, of anything else nothing. What it raises is what the call raises.
    """

    def inside(path: object) -> bool:
        return isinstance(path, str | os.PathLike) and Path(path).is_relative_to(folder)

    def on_path(name: str) -> Callable[..., Any]:
        call = getattr(os, name)

        def instead(path: Any, *arguments: Any, **options: Any) -> Any:
            if inside(path):
                act(name, _nothing)
            return call(path, *arguments, **options)

        return instead

    def on_descriptor(name: str) -> Callable[..., Any]:
        call = getattr(os, name)

        def instead(*arguments: Any) -> Any:
            act(name, _nothing)
            return call(*arguments)

        return instead

    open_file, open_descriptor, write = io.open, os.open, os.write

    def opened(path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if not inside(path) or not set(mode) & set("wxa+"):
            return open_file(path, mode, *arguments, **options)
        act("open", _nothing)
        return _Watched(open_file(path, mode, *arguments, **options), act)

    def descriptor_opened(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if inside(path) and flags & (os.O_WRONLY | os.O_RDWR):
            act("open", _nothing)
        return open_descriptor(path, flags, *arguments, **options)

    def written(descriptor: int, data: bytes) -> int:
        act("write", lambda: write(descriptor, data[: len(data) // 2]))
        return write(descriptor, data)

    replaced = {
        **{name: on_path(name) for name in PATHS},
        **{name: on_descriptor(name) for name in DESCRIPTORS},
        "open": descriptor_opened,
        "write": written,
    }
    with patch.multiple(os, **replaced), patch.object(io, "open", opened), patch.object(builtins, "open", opened):
        yield


class _Watched:
    """An open file whose writes, flushes and closing are announced."""

    def __init__(self, file: Any, act: Act) -> None:
        self._file, self._act = file, act

    def write(self, data: Any) -> int:
        def half() -> None:
            self._file.write(data[: len(data) // 2])
            self._file.flush()

        self._act("write", half)
        return int(self._file.write(data))

    def flush(self) -> None:
        self._act("flush", _nothing)
        self._file.flush()

    def close(self) -> None:
        """What was not yet flushed is written now: where there is no room for it, it is lost."""
        try:
            if not self._file.closed:
                self._act("close", _nothing)
        finally:
            self._file.close()

    def __enter__(self) -> "_Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _nothing() -> None:
    """Half of a call that has no halves."""
