"""The Sprites sheets of Li & Mandt (2018): Liberated Pixel Cup characters cut into cells.

A sheet is 832×1344 pixels of 64×64 cells, 13 to a row, cell index = 13·row + column. The folder holds
``body/0.png … 5.png``, likewise ``bottomwear``, ``topwear``, ``hair``, and ``shoes/1.png``. The same cells,
frame order and depth order as the data set's own generator; the public repository is YingzhenLi/Sprites.
"""

import os
from pathlib import Path

import torch
from torch import Tensor

from ...config import DataConfig
from ...errors import UsageError
from ...media import read_rgba
from ..files.lpc import list_lpc
from ..files.recording import Listing
from .characters import Art, Characters
from .sheet import cells, cut

ROOT_VARIABLE = "HAMVAE_SPRITES_SHEETS"
SHEET = (1344, 832)  # height, width
ATTRIBUTES = ("body", "bottomwear", "topwear", "hair")
VALUES = 6
ATTRIBUTION = (
    "Made from sheets of the Liberated Pixel Cup as collected in the public repository YingzhenLi/Sprites, where the "
    "artists are credited. Licences: CC-BY-SA 3.0 and GPL 3.0; what you make of these pictures carries them on."
)
ACTIONS, DIRECTIONS = ("walk", "spellcard", "slash"), ("left", "front", "right")


# Cells of each motion in playing order, in class order 3·action + direction.
CELLS = tuple(cells(action, direction) for action in ACTIONS for direction in DIRECTIONS)


def find_sprites(root: Path | None, data: DataConfig, device: torch.device | str) -> Characters | Listing:
    """Characters composed of the data set's layers, or the whole characters that stand in the folder.

    Raises: UsageError: the folder or a sheet is missing, unreadable or of another size.
    """
    folder = sprites_root(root)
    if is_in_layers(folder):
        return Characters(sprites_art(folder), data.labels, device, data.validation)
    return list_lpc(folder, data.labels)


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


def is_in_layers(folder: Path) -> bool:
    """Whether a folder holds the sheets of the data set, instead of whole characters."""
    return any((folder / attribute).is_dir() for attribute in ATTRIBUTES)


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
    return cut(sheet)[torch.tensor(CELLS)]
