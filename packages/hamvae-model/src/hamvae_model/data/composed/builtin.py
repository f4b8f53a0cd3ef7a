"""The built-in source: small characters drawn by this package, so that nothing needs to be downloaded.

A character is one value of each attribute; it walks, waves or slashes, seen from the left, the front or the right.
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch

from ...config import DataConfig
from .art import body, hair, shirt, trousers
from .art.brush import SIZE as SIZE
from .art.figure import figure
from .art.skeleton import PERIOD
from .characters import Art, Characters

ATTRIBUTES: tuple[str, ...] = ("body", "trousers", "shirt", "hair")
"""What varies between characters, from the back layer to the front one."""

VALUES: dict[str, tuple[str, ...]] = {
    "body": tuple(body.SKINS),
    "trousers": tuple(trousers.CUTS),
    "shirt": tuple(shirt.CUTS),
    "hair": tuple(hair.STYLES),
}

ACTIONS: tuple[str, ...] = ("walk", "wave", "slash")
DIRECTIONS: tuple[str, ...] = ("left", "front", "right")
FRAMES: int = PERIOD

_PAINTERS = (body.draw, trousers.draw, shirt.draw, hair.draw)


def find_builtin(root: Path | None, data: DataConfig, device: torch.device | str) -> Characters:
    """The built-in characters; they live in no folder."""
    art = Art(
        name="builtin",
        attributes=VALUES,
        actions=ACTIONS,
        directions=DIRECTIONS,
        layers=ATTRIBUTES,
        cells=tuple(draw_layers()),
    )
    return Characters(art, data.labels, device, data.validation)


def draw_layers() -> torch.Tensor:
    """Every cell of every layer, drawn once in about a second and remembered.

    Returns: (4, 6, 9, 8, 4, 64, 64) uint8: attribute, value, motion 3 * action + direction, frame, then straight-alpha
        RGBA with alpha 0 or 255. Frame 8 would be frame 0 again. Looking right is looking left in a mirror.
    """
    return _layers().clone()


@cache
def _layers() -> torch.Tensor:
    moments = np.arange(FRAMES, dtype=np.float64)
    side, front = figure("profile", moments), figure("front", moments)
    layers = []
    for painter, names in zip(_PAINTERS, VALUES.values(), strict=True):
        for name in names:
            left, ahead = (painter(view, name).reshape(len(ACTIONS), FRAMES, 4, SIZE, SIZE) for view in (side, front))
            layers.append(np.stack([left, ahead, left[..., ::-1]], axis=1))
    cells = torch.from_numpy(np.stack(layers))
    return cells.view(len(ATTRIBUTES), -1, len(ACTIONS) * len(DIRECTIONS), FRAMES, 4, SIZE, SIZE)
