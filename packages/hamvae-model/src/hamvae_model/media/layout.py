"""sheet.toml: where the frames of a sprite sheet stand.

It stands beside the pictures it describes, and counts for all of them that are larger than a cell. One with the name
of a picture (`hero.toml`) counts for that picture alone.

cell = [64, 64]               # width and height of a frame, in pixels
duration = 100                # milliseconds a frame is shown; without it the clips have no clock
loop = true                   # whether a clip goes on with its first frame after its last; without it, unknown

[actions.walk-left]
row = 9                       # counted from 0, from the top
frames = [1, 2, 3, 4]         # columns counted from 0, in playing order; by default all up to the last drawn one
duration = [100, 100, 50, 50] # `duration` and `loop` of this action alone
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..files.bounded import read_bytes
from ..limits import ACTION_LIMIT, LAYOUT_LIMIT, NAME_LIMIT
from ..words import is_plain, nearest
from .opening import explained

KEYS = ("cell", "duration", "loop", "actions")
ACTION_KEYS = ("row", "frames", "duration", "loop")
LONGEST = 60_000  # milliseconds
STEPS = 10**7  # of the parser of TOML, each a microsecond or less


@dataclass(frozen=True, kw_only=True)
class Row:
    """One action of a sheet.

    Args:
        row: counted from 0.
        columns: in playing order; None for all up to the last that is not empty.
        seconds: one for each frame, or one for all; None without a clock.
        loop: whether the first frame follows the last; None where the sheet does not say.
    """

    row: int
    columns: tuple[int, ...] | None
    seconds: tuple[float, ...] | float | None
    loop: bool | None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A parsed sheet.toml: the size of a cell in pixels, and its actions by name."""

    path: Path
    width: int
    height: int
    actions: Mapping[str, Row]


def described_by(picture: Path) -> Path | None:
    """The description of ``hero.png``, if there is one: ``hero.toml``, else the ``sheet.toml`` beside it."""
    for name in (picture.with_suffix(".toml"), picture.with_name("sheet.toml")):
        if name.is_file():
            return name
    return None


def parse(path: Path) -> Layout:
    """Read a sheet.toml.

    Raises: UsageError: no TOML, a key that is missing or unknown, or a value that means nothing.
    """
    try:
        with explained(path):
            data = read_bytes(path, LAYOUT_LIMIT)
        _check_keys(data)
        values = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # of TOML and of UTF-8 alike
        raise UsageError(f"{path} is not TOML ({error}); see the example in the documentation.") from None
    _known(values, KEYS, path, "it")
    cell = values.get("cell")
    if not (isinstance(cell, list) and len(cell) == 2 and all(_whole(side, 1) for side in cell)):
        raise UsageError(f"{path}: 'cell' must give a frame's width and height in pixels, as in cell = [64, 64].")
    actions = values.get("actions")
    if not (isinstance(actions, dict) and actions):
        raise UsageError(f"{path}: name at least one action, as in [actions.walk] with row = 0 below it.")
    if len(actions) > ACTION_LIMIT:
        raise UsageError(f"{path}: a sheet has at most {ACTION_LIMIT} actions; got {len(actions)}.")
    for name in actions:
        if not name or len(name) > NAME_LIMIT or not is_plain(name) or "/" in name or "\\" in name:
            raise UsageError(
                f"{path}: '{name[:NAME_LIMIT]}' is not a name for an action; give one of 1 to {NAME_LIMIT} characters "
                "that can be shown, without slashes."
            )
    return Layout(
        path=path,
        width=cell[0],
        height=cell[1],
        actions={name: _row(path, name, action, values) for name, action in actions.items()},
    )


def _check_keys(data: bytes) -> None:
    """Raises: ValueError: keys of so many parts that Python's parser, which walks all for each value, would not end."""
    parts = max(line.count(b".") for line in data.split(b"\n"))
    if parts * (parts + data.count(b"=")) > STEPS:
        raise ValueError("its keys have too many parts")


def _row(path: Path, name: str, action: Any, sheet: Mapping[str, Any]) -> Row:
    where = f"action '{name}'"
    if not isinstance(action, dict):
        raise UsageError(f"{path}: {where} must be a table, as in [actions.{name}] with row = 0 below it.")
    _known(action, ACTION_KEYS, path, where)
    if not _whole(action.get("row"), 0):
        raise UsageError(f"{path}: {where} must say its row, counted from 0, as in row = 0.")
    columns = action.get("frames")
    if columns is not None and not (isinstance(columns, list) and columns and all(_whole(one, 0) for one in columns)):
        raise UsageError(f"{path}: the frames of {where} must be columns counted from 0, as in frames = [0, 1, 2].")
    loop = action.get("loop", sheet.get("loop"))
    if not isinstance(loop, bool | None):
        raise UsageError(f"{path}: the loop of {where} must be true or false.")
    seconds = _seconds(path, where, action.get("duration", sheet.get("duration")))
    if isinstance(seconds, tuple) and (columns is None or len(seconds) != len(columns)):
        raise UsageError(
            f"{path}: {where} has {len(seconds)} durations; give one for each of its frames, and list those."
        )
    return Row(row=action["row"], columns=tuple(columns) if columns else None, seconds=seconds, loop=loop)


def _seconds(path: Path, where: str, duration: Any) -> tuple[float, ...] | float | None:
    if duration is None:
        return None
    listed = duration if isinstance(duration, list) else [duration]
    if not listed or not all(type(one) in (int, float) and 0 < one <= LONGEST for one in listed):
        raise UsageError(
            f"{path}: the duration of {where} must be milliseconds above 0 and up to {LONGEST}, one number or a list."
        )
    return tuple(one / 1000 for one in listed) if isinstance(duration, list) else duration / 1000


def _known(values: Mapping[str, Any], keys: tuple[str, ...], path: Path, where: str) -> None:
    for key in values:
        if key not in keys:
            raise UsageError(f"{path}: {where} has the unknown key '{key}'{nearest(key, keys)}")


def _whole(value: Any, least: int) -> bool:
    return type(value) is int and value >= least
