"""Sprite sheets as Aseprite exports them (JSON, hash): what Godot's importers and Phaser's `load.aseprite` read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .shown import Shown

APP = "hamvae"
"""Who made a sheet, as its description says."""


def sheet(rows: Mapping[str, Sequence[Shown]], picture: str) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Lay each action out in a row.

    Args:
        rows: the frames (h, w, 3 or 4) of each action, all of one size.
        picture: the name of the file that will hold the pixels.

    Returns: pixels (H, W, 3 or 4) and the description: every frame's place and duration in milliseconds, and a tag
        with the first and last frame of each action.
    Raises: UsageError: frames of different sizes.
    """
    shapes = {one.pixels.shape for row in rows.values() for one in row}
    if len({shape[:2] for shape in shapes}) != 1:
        raise UsageError("the frames of a sprite sheet must have one size.")
    (height, width), channels = next(iter(shapes))[:2], max(shape[2] for shape in shapes)
    columns = max(len(row) for row in rows.values())
    pixels = np.zeros((len(rows) * height, columns * width, channels), dtype=np.uint8)
    frames: dict[str, Any] = {}
    tags = []
    for i, (name, row) in enumerate(rows.items()):
        tags.append({"name": name, "from": len(frames), "to": len(frames) + len(row) - 1, "direction": "forward"})
        for j, one in enumerate(row):
            place = pixels[i * height : (i + 1) * height, j * width : (j + 1) * width]
            place[..., 3:] = 255  # where a clip without transparency stands beside one that has it
            place[..., : one.pixels.shape[2]] = one.pixels
            frames[f"{name} {j}"] = {
                "frame": {"x": j * width, "y": i * height, "w": width, "h": height},
                "rotated": False,
                "trimmed": False,
                "spriteSourceSize": {"x": 0, "y": 0, "w": width, "h": height},
                "sourceSize": {"w": width, "h": height},
                "duration": max(1, round((one.seconds or 0) * 1000)),
            }
    size = {"w": pixels.shape[1], "h": pixels.shape[0]}
    form = "RGBA8888" if channels == 4 else "RGB888"
    meta = {"app": APP, "version": "1", "image": picture, "format": form, "size": size, "scale": "1"}
    return pixels, {"frames": frames, "meta": meta | {"frameTags": tags, "layers": [], "slices": []}}
