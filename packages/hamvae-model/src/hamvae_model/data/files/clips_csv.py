"""`clips.csv`: what a table beside the clips says of them; every complaint names its line and column."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from ...files.bounded import check_ordinary
from ...limits import NAME_LIMIT, TABLE_LIMIT
from ...words import is_plain, nearest
from .splits import SPLITS

NAME = "clips.csv"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is said of one clip; empty cells say nothing."""

    identity: str | None
    split: str | None
    attributes: dict[str, str]


def read_clips_csv(path: Path, names: Iterable[str]) -> dict[str, Row]:
    """The rows by clip, for those that have one.

    The column ``clip`` names a clip as its folder does, ``walk/hero.gif``, or a sheet for all clips on it. ``identity``
    and ``split`` (train or test) are known; every other column is an attribute.

    Args:
        names: of the clips that are there.

    Raises: UsageError: the file cannot be read as such a table, or contradicts itself or the folder.
    """
    known: dict[str, list[str]] = {}
    for name in names:
        known[name] = [name]
        if "#" in name:
            known.setdefault(name.partition("#")[0], []).append(name)
    rows: dict[str, Row] = {}
    lines: dict[str, int] = {}
    sides: dict[str, tuple[str, int]] = {}
    header, table = _table(path)
    for line, cells in table:
        values = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
        clip = values.pop("clip").replace("\\", "/").removeprefix("./")
        identity, split = values.pop("identity", "") or None, values.pop("split", "") or None
        if not clip:
            raise _wrong(path, line, "clip", "it is empty; name a clip, such as walk/hero.gif.")
        if clip not in known:
            raise _wrong(path, line, "clip", f"there is no clip '{clip}'{nearest(clip, known)}")
        if split is not None and split not in SPLITS:
            raise _wrong(path, line, "split", f"'{split}' is not a split; write train, test, or nothing.")
        if identity and split:
            side, before = sides.setdefault(identity, (split, line))
            if side != split:
                raise _wrong(path, line, "split", f"'{identity}' is in {side} on line {before}; keep it on one side.")
        for name in known[clip]:
            if name in lines:
                raise _wrong(path, line, "clip", f"'{name}' is on line {lines[name]} already; remove one of the two.")
            lines[name] = line
            rows[name] = Row(identity=identity, split=split, attributes={k: v for k, v in values.items() if v})
    return rows


def _table(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header, and each row with the number of its last line, as far as nothing is wrong with them."""
    lines = _lines(path)
    _, header = next(lines, (0, []))
    if not header:
        raise UsageError(f"{path} is empty; its first line must name the columns: clip,identity,split.")
    header = [column.strip() for column in header]
    if "clip" not in header:
        hint = " (separate the columns by commas)" if len(header) == 1 and ";" in header[0] else ""
        raise UsageError(f"{path}, line 1 has no column 'clip'{hint}; it has {', '.join(header)}.")
    seen: set[str] = set()
    for column in header:
        if not column:
            raise UsageError(f"{path}, line 1 has a column without a name; name it or remove it.")
        if not is_plain(column) or len(column) > NAME_LIMIT:
            raise UsageError(f"{path}, line 1 has a column '{column[:NAME_LIMIT]}' that cannot be shown; rename it.")
        if column in seen:
            raise UsageError(f"{path}, line 1 has the column '{column}' twice; remove one.")
        seen.add(column)
    return header, _checked(lines, header, path)


def _checked(lines: Iterable[tuple[int, list[str]]], header: list[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    for line, cells in lines:
        if len(cells) != len(header):
            raise UsageError(
                f"{path}, line {line} has {len(cells)} columns where line 1 names {len(header)}; "
                "put cells that contain commas in quotes."
            )
        for column, cell in zip(header, cells, strict=True):
            if not is_plain(cell.strip()) or len(cell) > NAME_LIMIT:
                raise _wrong(path, line, column, "it is too long, or has signs in it that cannot be shown; correct it.")
        yield line, cells


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, one at a time: in memory together they take a hundred times their bytes."""
    try:
        check_ordinary(path, TABLE_LIMIT)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if any(map(str.strip, cells)):
                    yield reader.line_num, cells
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}); save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num} is not CSV ({error}); look for a stray quote.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from None


def _wrong(path: Path, line: int, column: str, what: str) -> UsageError:
    return UsageError(f"{path}, line {line}, column '{column}': {what}")
