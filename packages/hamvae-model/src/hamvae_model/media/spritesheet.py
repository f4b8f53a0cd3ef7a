"""A sprite sheet: one picture whose cells are the frames of several actions, as its layout says."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from . import layout
from .facts import Facts
from .shown import Shown


def shown(picture: Path, plan: layout.Layout, action: str, pixels: NDArray[np.uint8]) -> Iterator[Shown]:
    """The frames of one action, cut from the pixels (h, w, 3 or 4) of the sheet.

    Raises: UsageError: cells that do not divide the picture, or a row or a column outside it.
    """
    height, width = pixels.shape[:2]
    if width % plan.width or height % plan.height:
        raise UsageError(
            f"{plan.path}: cells of {plan.width}×{plan.height} pixels do not divide {picture.name}, which is "
            f"{width}×{height}; correct 'cell' or the picture."
        )
    rows, columns = height // plan.height, width // plan.width
    row = plan.actions[action]
    if row.row >= rows:
        raise UsageError(
            f"{plan.path}: action '{action}' is in row {row.row}, and {picture.name} has rows 0 to {rows - 1}."
        )
    line = pixels[row.row * plan.height : (row.row + 1) * plan.height]
    chosen = range(_drawn(line, plan.width)) if row.columns is None else row.columns
    if max(chosen) >= columns:
        raise UsageError(
            f"{plan.path}: action '{action}' has frame {max(chosen)}, and {picture.name} has columns 0 to "
            f"{columns - 1}."
        )
    cells = (line[:, column * plan.width : (column + 1) * plan.width] for column in chosen)
    seconds = row.seconds if isinstance(row.seconds, tuple) else repeat(row.seconds)
    return map(Shown, cells, seconds)


def facts(plan: layout.Layout) -> Facts:
    """The size of a cell, and the actions; `frames` is None because actions differ in length."""
    return Facts(
        format="sheet", width=plan.width, height=plan.height, frames=None, fps=None, actions=tuple(plan.actions)
    )


def _drawn(line: NDArray[np.uint8], width: int) -> int:
    """How many cells there are up to the last one of a row that is not transparent all over; at least one."""
    if line.shape[2] == 3:
        return int(line.shape[1] // width)
    drawn = np.flatnonzero(line[..., 3].any(axis=0))
    return int(drawn[-1] // width) + 1 if drawn.size else 1
