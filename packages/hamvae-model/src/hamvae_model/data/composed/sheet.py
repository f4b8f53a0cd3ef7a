"""The 64×64 layout of the Liberated Pixel Cup: which cells of a sheet show a motion.

A sheet has 13 cells to a row and 21 rows; newer ones have more below, which are not looked at.
"""

from torch import Tensor

CELL, COLUMNS, ROWS = 64, 13, 21
DIRECTIONS = ("back", "left", "front", "right")  # the order of rows

# First row of each action, and the columns of its cells in playing order; the paper's three are in the paper's order.
ACTIONS: dict[str, tuple[int, tuple[int, ...]]] = {
    "spellcard": (0, (0, 1, 2, 3, 4, 5, 4, 6)),
    "thrust": (4, tuple(range(8))),
    "walk": (8, (8, 1, 2, 3, 4, 5, 6, 7)),  # column 0 stands still
    "slash": (12, (0, 1, 2, 3, 4, 5, 4, 0)),
    "shoot": (16, tuple(range(13))),
    "hurt": (20, tuple(range(6))),
}
ONE_WAY = ("hurt",)  # actions that are drawn from the front only


def cells(action: str, direction: str) -> tuple[int, ...]:
    """The cells of a motion in playing order, numbered along the rows of a sheet."""
    row, columns = ACTIONS[action]
    row += 0 if action in ONE_WAY else DIRECTIONS.index(direction)
    return tuple(COLUMNS * row + column for column in columns)


def cut(sheet: Tensor) -> Tensor:
    """All cells of a sheet (c, h, w), in the order of their numbers: (cells, c, 64, 64)."""
    rows = sheet[:, : ROWS * CELL, : COLUMNS * CELL].unfold(1, CELL, CELL).unfold(2, CELL, CELL)
    return rows.permute(1, 2, 0, 3, 4).flatten(0, 1)
