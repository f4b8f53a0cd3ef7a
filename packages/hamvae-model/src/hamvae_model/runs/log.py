"""The log of a run: a line for every report, none twice."""

import json
import math
from pathlib import Path

from ..errors import DiskError, UsageError
from ..files.atomic import write_bytes
from ..files.bounded import parse_json, read_bytes
from ..limits import INDEX_LIMIT
from .paths import LOG


def append_log(run: Path, line: dict[str, float]) -> None:
    """Add a line to metrics.jsonl.

    Raises: DiskError: the disk refused it.
    """
    try:
        with (run / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    except OSError as error:
        raise DiskError(f"'{run / LOG}' could not be written ({error.strerror}).") from None


def truncate_log(run: Path, step: float, newest: int | None = None) -> None:
    """Forget the lines after `step`, which will be trained again; finds out as well whether the folder can be written.

    A line that does not come after the one before is forgotten too: training that went back wrote it and was killed
    before it saved.

    Args:
        newest: the step of the last line if that one is to stay.

    Raises: UsageError, HamvaeError: it cannot.
    """
    path = run / LOG
    try:
        lines = read_bytes(path, INDEX_LIMIT).decode(errors="replace").splitlines(keepends=True)
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read ({error.strerror}); move it elsewhere.") from None
    kept, last = [], -math.inf
    for number, line in enumerate(lines, start=1):
        this = _step_of(line)
        if last < this and (this <= step or (this == newest and number == len(lines))):
            kept.append(line)
            last = this
    write_bytes(path, "".join(kept).encode())


def _step_of(line: str) -> float:
    try:
        return float(parse_json(line)["step"]) if line.endswith("\n") else math.nan
    except (ValueError, KeyError, TypeError, OverflowError):
        return math.nan  # half a line, from a machine that stopped while it was written
