"""The back layer: skin, face and sword."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .brush import Canvas, Colour, Shape, blend, box, capsule, ellipse
from .figure import Figure, shoe


@dataclass(frozen=True)
class Skin:
    """The looks of one people."""

    skin: Colour
    eyes: Colour
    pointed_ears: bool = False


SKINS: dict[str, Skin] = {
    "ivory": Skin((250, 214, 184), eyes=(70, 96, 150)),
    "tan": Skin((226, 170, 120), eyes=(92, 60, 40)),
    "bronze": Skin((178, 116, 72), eyes=(70, 44, 30)),
    "umber": Skin((122, 76, 54), eyes=(50, 30, 26)),
    "goblin": Skin((126, 178, 78), eyes=(176, 52, 40), pointed_ears=True),
    "frost": Skin((126, 172, 226), eyes=(64, 48, 140), pointed_ears=True),
}

_SKIN, _EYE, _WHITE, _BLUSH, _STEEL, _BRASS = range(6)
_STEEL_GREY, _BRASS_GOLD, _EYE_WHITE = (176, 190, 210), (214, 164, 60), (250, 248, 244)


def draw(figure: Figure, name: str) -> NDArray[np.uint8]:
    """RGBA cells (p, 4, 64, 64) of the body called `name`."""
    looks = SKINS[name]
    canvas = Canvas(len(figure.pose.head))
    profile = figure.profile
    if profile:
        _paint(canvas, figure.far_arm, figure.far_hand, dim=True)
    _paint(canvas, figure.far_leg | shoe(figure.pose.far_leg, profile), dim=profile)
    _paint(canvas, figure.near_leg | shoe(figure.pose.near_leg, profile), figure.torso)
    _head(canvas, figure, looks.pointed_ears)
    if not profile:
        _paint(canvas, figure.far_arm, figure.far_hand)
    _paint(canvas, figure.near_arm)
    canvas.paint(figure.blade, _STEEL)
    canvas.paint(figure.guard, _BRASS)
    _paint(canvas, figure.near_hand)
    blush = blend(looks.skin, (236, 96, 96), 0.5)
    return canvas.coloured(looks.skin, looks.eyes, _EYE_WHITE, blush, _STEEL_GREY, _BRASS_GOLD)


def _paint(canvas: Canvas, *shapes: Shape, dim: bool = False) -> None:
    for shape in shapes:
        canvas.paint(shape, _SKIN, dim=dim)


def _head(canvas: Canvas, figure: Figure, pointed: bool) -> None:
    head = figure.pose.head
    if figure.profile:
        canvas.paint(figure.head, _SKIN, shade=-0.72)
        canvas.paint(ellipse(head - 8.6 + 2j, 1.3, 1.2), _SKIN)
        canvas.fill(ellipse(head - 6.4 + 1.6j, 3.0, 2.6), _SKIN, Canvas.BASE)  # melts the nose into the face
        eyes, cheeks = [head - 4.5], [head - 3 + 4j]
        mouth = head - 4.5 + 5j
    else:
        _ears(canvas, figure, pointed)
        canvas.paint(figure.head, _SKIN, shade=-0.72)
        eyes, cheeks = [head - 3.5, head + 3.5], [head - 5.5 + 4j, head + 5.5 + 4j]
        mouth = head + 5j
    for eye in eyes:
        canvas.fill(box(eye + 1j, 1.1, 2.1), _EYE, Canvas.OUTLINE)
        canvas.fill(box(eye + 2j, 1.1, 1.1), _EYE, Canvas.BASE)
        canvas.fill(box(eye - 0.5 - 0.5j, 0.6, 0.6), _WHITE, Canvas.BASE)
    for cheek in cheeks:
        canvas.fill(box(cheek, 1.1, 0.6), _BLUSH, Canvas.BASE)
    canvas.fill(box(mouth, 1.1, 0.6), _SKIN, Canvas.OUTLINE)
    if figure.profile:
        _ears(canvas, figure, pointed)


def _ears(canvas: Canvas, figure: Figure, pointed: bool) -> None:
    head = figure.pose.head
    if figure.profile:
        tip = head + (9.5 - 3j if pointed else 3.0 + 1.5j)
        canvas.paint(capsule(head + 2.5 + 2j, tip, 2.0, 0.6 if pointed else 1.6), _SKIN)
        return
    for side in (-1, 1):
        tip = head + (side * 13.5 - 3j if pointed else side * 9.2 + 1.5j)
        canvas.paint(capsule(head + side * 8.0 + 1.5j, tip, 2.0, 0.6 if pointed else 1.6), _SKIN)
