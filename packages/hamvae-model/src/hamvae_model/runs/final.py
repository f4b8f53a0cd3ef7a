"""Scores of the test split: each is recorded, because a split that was looked at before no longer surprises anybody."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..files.atomic import write_bytes
from ..files.bounded import parse_json, read_bytes
from ..limits import INDEX_LIMIT
from .environment import provenance
from .paths import FINAL


def earlier_finals(run: Path) -> list[dict[str, Any]]:
    """What was recorded each time the test split was scored, oldest first.

    Args: run: a run folder, or the weights file in one.

    Raises: UsageError: it cannot be read, or no more can be recorded there.
    """
    path = _path(run)
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"Scores of the test split are recorded in '{path}', and that folder may not be written to.")
    found = []
    for line in _text(run).splitlines():
        try:
            value = parse_json(line)
        except ValueError:
            continue  # a line that people broke: the others still say that the split was seen
        if isinstance(value, dict):
            found.append(value)
    return found


def record_final(run: Path, scores: Mapping[str, Any]) -> None:
    """Add the scores with the date and the code they were made by; what was recorded before stays.

    Args: scores: as `evaluation.evaluate` returns them.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`.
    """
    facts = provenance()
    line = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": facts["commit"],
        "versions": facts["versions"],
        "processor": facts["processor"],
        **scores,
    }
    write_bytes(_path(run), (_text(run) + json.dumps(line) + "\n").encode())


def _path(run: Path) -> Path:
    return (run if run.is_dir() else run.parent) / FINAL


def _text(run: Path) -> str:
    path = _path(run)
    try:
        text = read_bytes(path, INDEX_LIMIT).decode(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read ({error.strerror}); change its permissions.") from None
    return text if not text or text.endswith("\n") else f"{text}\n"
