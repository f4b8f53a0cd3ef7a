"""Contact sheets: clips as rows of one picture."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ..errors import UsageError
from ..limits import CLIP_LIMIT
from .frames import enlarge, validate

_PAPER = 72  # grey of gutters, margins and missing frames: between the black of backgrounds and most figures
_INK = 235
_MARGIN = 3


def sheet(
    rows: Sequence[torch.Tensor],
    *,
    scale: int = 1,
    gutter: int = 1,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
) -> torch.Tensor:
    """Lay clips out on a grid, one clip a row and one frame a column.

    Args:
        rows: Clips (t, c, h, w) uint8, c = 1 or 3, of one (h, w); a shorter clip leaves the end of its row empty.
        scale: Each pixel becomes a square of scale x scale pixels.
        gutter: Pixels of neutral grey between neighbours and around the whole.
        row_labels, column_labels: Words beside the rows and above the columns, none or one for each.

    Returns: the picture (3, H, W) uint8; `write(path, picture[None])` saves it.
    Raises: UsageError: no rows, frames of different sizes, or labels that do not match the rows or columns.
    """
    if not rows:
        raise UsageError("a contact sheet needs at least one row of frames.")
    for row in rows:
        validate(row)
    sizes = sorted({tuple(row.shape[-2:]) for row in rows})
    if len(sizes) > 1:
        raise UsageError(f"the rows of a contact sheet must hold frames of one size; got {sizes} (height, width).")
    columns = max(len(row) for row in rows)
    for name, labels, count in (("row", row_labels, len(rows)), ("column", column_labels, columns)):
        if labels and len(labels) != count:
            raise UsageError(f"the contact sheet has {count} {name}s but {len(labels)} {name} labels; give {count}.")

    height, width = (side * scale for side in sizes[0])
    left, top = _margins(row_labels, column_labels)
    across, down = width + gutter, height + gutter
    if len(rows) * down * columns * across > CLIP_LIMIT:
        raise UsageError(
            f"a contact sheet holds at most {CLIP_LIMIT // 10**6} million pixels; show fewer frames, or smaller ones."
        )
    picture = torch.full(
        (3, top + gutter + len(rows) * down, left + gutter + columns * across), _PAPER, dtype=torch.uint8
    )
    for i, row in enumerate(rows):
        for j, frame in enumerate(enlarge(row, scale)):
            y, x = top + gutter + i * down, left + gutter + j * across
            picture[:, y : y + height, x : x + width] = frame
    if not (row_labels or column_labels):
        return picture

    image = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
    draw = ImageDraw.Draw(image)
    for i, text in enumerate(row_labels):
        _write(draw, (_MARGIN, top + gutter + i * down + height // 2), text, "lm")
    for j, text in enumerate(column_labels):
        _write(draw, (left + gutter + j * across + width // 2, top // 2), text, "mm")
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def _margins(row_labels: Sequence[str], column_labels: Sequence[str]) -> tuple[int, int]:
    """Room for the labels: pixels on the left, pixels on top."""
    font = ImageFont.load_default()
    left = max((int(font.getbbox(text)[2]) + 2 * _MARGIN for text in row_labels), default=0)
    top = max((int(font.getbbox(text)[3]) + 2 * _MARGIN for text in column_labels), default=0)
    return left, top


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, anchor: str) -> None:
    draw.text(at, text, fill=(_INK, _INK, _INK), font=ImageFont.load_default(), anchor=anchor)
