"""Scores of the test split: each is recorded, because a split that was looked at before no longer surprises anybody."""

import errno
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import DiskError, UsageError
from ..files.bounded import parse_json, read_bytes
from ..limits import INDEX_LIMIT
from .environment import provenance
from .lock import NO_LINK
from .paths import FINAL


def earlier_finals(run: Path) -> list[dict[str, Any]]:
    """What was recorded each time the test split was scored, oldest first.

    Args: run: a run folder, or the weights file in one.

    Raises: UsageError: it cannot be read, or no more can be recorded there.
    """
    path = _path(run)
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"Scores of the test split are recorded in '{path}', and that folder may not be written to.")
    try:
        lines = read_bytes(path, INDEX_LIMIT).splitlines()
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read ({error.strerror}); move it elsewhere.") from None
    found = []
    for line in lines:
        try:
            value = parse_json(line)
        except ValueError:
            continue  # a line that people broke: the others still say that the split was seen
        if isinstance(value, dict):
            found.append(value)
    return found


def record_final(run: Path, scores: Mapping[str, Any]) -> None:
    """Add the scores with the date and the code they were made by; what was recorded before stays, byte for byte.

    Args: scores: as `evaluation.evaluate` returns them.

    Raises: DiskError: the disk refused them.
    """
    facts = provenance()
    line = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": facts["commit"],
        "versions": facts["versions"],
        "processor": facts["processor"],
        **scores,
    }
    path = _path(run)
    # Added in one write, and nothing is written again: two that record at once lose neither each other's line nor more.
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | NO_LINK, 0o644)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            torn = os.fstat(descriptor).st_size > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
            data = b"\n" * torn + json.dumps(line).encode() + b"\n"
            if file.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
    except OSError as error:
        raise DiskError(f"'{path}' could not be written ({error.strerror}).") from None


def _path(run: Path) -> Path:
    return (run if run.is_dir() else run.parent) / FINAL
