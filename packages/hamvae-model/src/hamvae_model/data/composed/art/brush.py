"""Shapes as distances, painted on many cells at once in four tones: outline, shade, base and light.

A pixel is in or out, so drawings composite exactly and fit a small palette.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .skeleton import Numbers, Points

SIZE = 64
Mask = NDArray[np.bool_]
Colour: TypeAlias = tuple[int, int, int]

_ROWS, _COLUMNS = np.mgrid[:SIZE, :SIZE].astype(np.float32) + 0.5
_PIXELS = (_COLUMNS + 1j * _ROWS).astype(np.complex64)
_LIGHT_X, _LIGHT_Y = np.float32(-0.55), np.float32(-0.83)  # towards the lamp, up on the left


@dataclass(frozen=True)
class Shape:
    """A region of each cell.

    Args:
        depth: (p, 64, 64) pixels from the border, positive inside.
        facing: (p, 64, 64) how far the surface turns to the lamp, from -1 (away) to 1.
    """

    depth: NDArray[np.float32]
    facing: NDArray[np.float32]

    @property
    def mask(self) -> Mask:
        """Where the shape or its outline is."""
        return self.depth > -1

    def __or__(self, other: "Shape") -> "Shape":
        """Both shapes under one outline."""
        upper = self.depth > other.depth
        return Shape(np.maximum(self.depth, other.depth), np.where(upper, self.facing, other.facing))

    def above(self, height: Numbers) -> "Shape":
        """The part of the shape above the level `height` (p,), closed by an outline along the cut."""
        return Shape(np.minimum(self.depth, height.astype(np.float32)[:, None, None] - _ROWS), self.facing)

    def cut(self, keep: Mask) -> "Shape":
        """The part of the shape inside `keep`, without an outline along the cut."""
        return Shape(np.where(keep, self.depth, np.float32(-9)), self.facing)


def capsule(start: Points, stop: Points, first: float, last: float | None = None) -> Shape:
    """A limb between two points, round at both ends, its radius going from `first` to `last`."""
    last = first if last is None else last
    a, axis = _per_cell(start), _per_cell(stop - start)
    away = _PIXELS - a
    length = np.maximum(np.abs(axis) ** 2, 1e-6)
    along = np.clip((away.real * axis.real + away.imag * axis.imag) / length, 0, 1)
    radius = first + (last - first) * along
    return _round(away - along * axis, radius)


def ellipse(centre: Points, across: float, down: float) -> Shape:
    """An upright ellipse with the two half-axes."""
    away = _PIXELS - _per_cell(centre)
    x, y = away.real / across, away.imag / down
    # To first order the distance from the curve f = 1 is (1 - f) / |grad f|; the small numbers guard the centre.
    level = np.maximum(np.hypot(x, y), 1e-3)
    slope = np.maximum(np.hypot(x / across, y / down) / level, np.float32(1 / max(across, down)))
    return Shape((1 - level) / slope, x * _LIGHT_X + y * _LIGHT_Y)


def box(centre: Points, across: float, down: float) -> Shape:
    """An upright rectangle with the two half-sides, flat to the light."""
    away = _PIXELS - _per_cell(centre)
    depth = np.minimum(across - np.abs(away.real), down - np.abs(away.imag))
    return Shape(depth, np.zeros_like(depth))


def bell(top: Points, hem: Points, narrow: float, wide: float | Numbers) -> Shape:
    """A skirt or a hat: like a capsule, but cut straight at both ends."""
    a, axis = _per_cell(top), _per_cell(hem - top)
    away = _PIXELS - a
    length = np.maximum(np.abs(axis), np.float32(1e-3))
    along = (away.real * axis.real + away.imag * axis.imag) / length
    part = np.clip(along / length, 0, 1)
    radius = narrow + (np.reshape(np.asarray(wide, dtype=np.float32), (-1, 1, 1)) - narrow) * part
    shape = _round(away - part * axis, radius)
    return Shape(np.minimum(shape.depth, np.minimum(along, length - along) + np.float32(0.5)), shape.facing)


def _round(away: NDArray[np.complex64], radius: NDArray[np.float32]) -> Shape:
    depth = radius - np.abs(away)
    return Shape(depth, np.divide(away.real * _LIGHT_X + away.imag * _LIGHT_Y, radius))


def _per_cell(points: Points) -> NDArray[np.complex64]:
    return points.astype(np.complex64)[:, None, None]


class Canvas:
    """Cells (p, 64, 64) of palette entries; entry 0 is transparent, material m has the entries 4m + 1 to 4m + 4."""

    OUTLINE, SHADE, BASE, LIGHT = 1, 2, 3, 4

    def __init__(self, poses: int) -> None:
        self.cells = np.zeros((poses, SIZE, SIZE), dtype=np.uint8)

    def paint(self, shape: Shape, material: int = 0, *, dim: bool = False, shade: float = -0.4) -> None:
        """Cover with a rounded, lit and outlined shape.

        `dim` puts it one tone into the shadow, as on the far side of a figure; what faces the lamp less than `shade`
        lies in the shadow.
        """
        entry = 4 * material - int(dim)
        inside = shape.depth > 0
        np.putmask(self.cells, shape.mask, 4 * material + self.OUTLINE)
        np.putmask(self.cells, inside, entry + self.BASE)
        np.putmask(self.cells, inside & (shape.facing < shade), 4 * material + self.SHADE)
        np.putmask(self.cells, inside & (shape.facing > 0.45) & (shape.depth > 0.8), entry + self.LIGHT)

    def fill(self, shape: Shape, material: int, tone: int, where: Mask | None = None) -> None:
        """Cover with one flat tone and no outline, only `where` if given."""
        inside = shape.depth > 0
        np.putmask(self.cells, inside if where is None else inside & where, 4 * material + tone)

    def dye(self, mask: Mask, old: int, new: int) -> None:
        """Turn one material into another where `mask` says, keeping light and shade but leaving the outline."""
        tone = self.cells - np.uint8(4 * old)
        self.cells[mask & (tone > self.OUTLINE) & (tone <= self.LIGHT)] += np.uint8(4 * (new - old))

    def erase(self, mask: Mask) -> None:
        """Make transparent where `mask` (p, 64, 64) says, because something nearer covers it."""
        np.putmask(self.cells, mask, 0)

    def coloured(self, *materials: Colour) -> NDArray[np.uint8]:
        """The cells as RGBA (p, 4, 64, 64), each material in four tones of its colour."""
        entries = [(0, 0, 0, 0), *((*tone, 255) for colour in materials for tone in _tones(colour))]
        return np.moveaxis(np.array(entries, dtype=np.uint8)[self.cells], -1, 1)


def blend(colour: Colour, other: Colour, part: float) -> Colour:
    """`colour` with `part` of the way gone towards `other`."""
    r, g, b = (round(c + (o - c) * part) for c, o in zip(colour, other, strict=True))
    return r, g, b


def _tones(colour: Colour) -> list[Colour]:
    """Outline, shade, base and light: shadows turn violet, light turns warm."""
    outline, shade = blend(colour, (22, 14, 34), 0.76), blend(colour, (98, 30, 76), 0.34)
    return [outline, shade, colour, blend(colour, (255, 246, 214), 0.38)]
