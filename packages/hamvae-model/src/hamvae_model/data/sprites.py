"""The Sprites sheets of Li & Mandt (2018): Liberated Pixel Cup characters cut into cells.

A sheet is 832×1344 pixels of 64×64 cells, 13 to a row, cell index = 13·row + column. The folder holds
``body/0.png … 5.png``, likewise ``bottomwear``, ``topwear``, ``hair``, and ``shoes/1.png``. The same cells,
frame order and depth order as the data set's own generator; the public repository is YingzhenLi/Sprites.
"""

import os
from pathlib import Path

import torch
from torch import Tensor

from ..errors import UsageError
from ..media import read_rgba
from .characters import Art

ROOT_VARIABLE = "HAMVAE_SPRITES_SHEETS"
CELL, COLUMNS = 64, 13
SHEET = (1344, 832)  # height, width
ATTRIBUTES = ("body", "bottomwear", "topwear", "hair")
VALUES = 6
ACTIONS, DIRECTIONS = ("walk", "spellcard", "slash"), ("left", "front", "right")


def _frames(start: int, action: str) -> list[int]:
    """Cells of a clip, in playing order, from the first cell of its row."""
    order = {
        "walk": [7, 0, 1, 2, 3, 4, 5, 6],  # the standing cell ends the row and opens the clip
        "spellcard": [0, 1, 2, 3, 4, 5, 4, 6],
        "slash": [0, 1, 2, 3, 4, 5, 4, 0],
    }
    return [start + offset for offset in order[action]]


# First cell of each motion, in class order 3·action + direction.
_STARTS = {"walk": (118, 131, 144), "spellcard": (13, 26, 39), "slash": (169, 182, 195)}
CELLS = tuple(_frames(start, action) for action in ACTIONS for start in _STARTS[action])


def sprites_root(root: Path | None = None) -> Path:
    """The folder of sheets: the one given, else the environment's.

    Raises: UsageError: neither is there.
    """
    named = root or (Path(os.environ[ROOT_VARIABLE]) if os.environ.get(ROOT_VARIABLE) else None)
    if named is None:
        raise UsageError(
            f"The sprites source needs its folder of sheets: pass --root DIR or set {ROOT_VARIABLE} (see the README)."
        )
    if not named.is_dir():
        raise UsageError(f"The folder of sprite sheets '{named}' does not exist; check --root or {ROOT_VARIABLE}.")
    return named


def sprites_art(root: Path | None = None) -> Art:
    """Cut the sheets under `root` into a bank of cells.

    Raises: UsageError: the folder or a sheet is missing, unreadable or of another size.
    """
    folder = sprites_root(root)
    varying = tuple(
        torch.stack([_cut(folder / attribute / f"{value}.png") for value in range(VALUES)]) for attribute in ATTRIBUTES
    )
    return Art(
        name="sprites",
        attributes={attribute: tuple(str(value) for value in range(VALUES)) for attribute in ATTRIBUTES},
        actions=ACTIONS,
        directions=DIRECTIONS,
        layers=(*ATTRIBUTES, "shoes"),
        cells=(*varying, _cut(folder / "shoes" / "1.png").unsqueeze(0)),
    )


def _cut(path: Path) -> Tensor:
    """uint8 (motions, frames, 4, 64, 64) from one sheet."""
    if not path.is_file():
        raise UsageError(
            f"The sprite sheet '{path}' is missing; the folder must hold {', '.join(ATTRIBUTES)} (0.png to 5.png each) "
            "and shoes/1.png."
        )
    sheet = read_rgba(path)
    if tuple(sheet.shape[1:]) != SHEET:
        height, width = sheet.shape[1:]
        raise UsageError(
            f"The sprite sheet '{path}' is {width}×{height} pixels where {SHEET[1]}×{SHEET[0]} was expected; "
            "use the sheets of the Sprites data set as they are."
        )
    cells = sheet.unfold(1, CELL, CELL).unfold(2, CELL, CELL).permute(1, 2, 0, 3, 4).flatten(0, 1)
    return cells[torch.tensor(CELLS)]
