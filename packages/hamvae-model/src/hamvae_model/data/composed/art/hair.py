"""The front layer: hair and hats."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .brush import Canvas, Colour, Mask, Shape, bell, capsule, ellipse
from .figure import Figure

_HAIR, _BAND = range(2)


def draw(figure: Figure, name: str) -> NDArray[np.uint8]:
    """RGBA cells (p, 4, 64, 64) of the hair or hat called `name`."""
    style = STYLES[name]
    canvas = Canvas(len(figure.pose.head))
    style.paint(canvas, figure)
    canvas.erase(figure.in_front)
    return canvas.coloured(style.hair, style.band)


def _cap(figure: Figure) -> Shape:
    """Hair over the skull, leaving the face free below the fringe."""
    return ellipse(figure.pose.head - 0.8j, 10.0, 9.4).cut(~_face(figure))


def _face(figure: Figure) -> Mask:
    """The part of the head that hair leaves free: below the fringe, and in profile in front of the ear."""
    head = figure.pose.head
    if figure.profile:
        return ellipse(head - 6.5 + 7j, 8.0, 9.5).mask
    return ellipse(head + 7j, 7.2, 9.5).mask


def _tousled(canvas: Canvas, figure: Figure) -> None:
    head, trail = figure.pose.head, figure.pose.trail
    hair = _cap(figure)
    for root, tip in ((-6.5 - 4j, -9.5 - 9j), (-3 - 6j, -3.5 - 13j), (2 - 6j, 4 - 13j), (6 - 5j, 10.5 - 9.5j)):
        hair = hair | capsule(head + root, head + tip + 0.5 * trail, 3.2, 0.5)
    canvas.paint(hair.cut(~_face(figure)), _HAIR)


def _long(canvas: Canvas, figure: Figure) -> None:
    head, trail = figure.pose.head, figure.pose.trail
    if figure.profile:
        canvas.paint(capsule(head + 4.5 + 1j, head + 6.0 + 13j + trail, 5.2, 3.0), _HAIR)
    else:
        for side in (-1, 1):
            canvas.paint(capsule(head + side * 8 + 0j, head + side * 8.5 + 13j + trail, 2.8, 2.2), _HAIR)
    canvas.paint(_cap(figure), _HAIR)


def _mohawk(canvas: Canvas, figure: Figure) -> None:
    head, trail = figure.pose.head, figure.pose.trail
    if figure.profile:
        for turn in np.linspace(-0.9, 1.5, 7):
            root = head + 6.5 * np.exp(1j * (turn - np.pi / 2))
            tip = head + 12.5 * np.exp(1j * (turn + 0.15 - np.pi / 2)) + 0.4 * trail
            canvas.paint(capsule(root, tip, 2.6, 1.0), _HAIR)
        return
    canvas.paint(capsule(head - 6j, head - 12j + 0.5 * trail, 2.8, 1.6), _HAIR)


def _ponytail(canvas: Canvas, figure: Figure) -> None:
    head, trail = figure.pose.head, figure.pose.trail
    if figure.profile:
        canvas.paint(capsule(head + 10 - 3j, head + 13 + 8j + 1.6 * trail, 3.2, 1.2), _HAIR)
        canvas.paint(ellipse(head + 9.5 - 3j, 1.8, 1.8), _BAND)
    else:
        canvas.paint(capsule(head + 9.5 - 6j, head + 14.5 + 6j + 1.6 * trail, 3.4, 1.2), _HAIR)
        canvas.paint(ellipse(head + 10 - 6j, 1.8, 1.8), _BAND)
    canvas.paint(_cap(figure), _HAIR)


def _curls(canvas: Canvas, figure: Figure) -> None:
    head, trail = figure.pose.head, figure.pose.trail
    back = 1.5 if figure.profile else 0.0
    keep = ~_face(figure)
    for turn in sorted(np.linspace(-2.1, 2.1, 9), key=abs, reverse=True):
        centre = head + back - 1.5j + 8.5 * np.exp(1j * (turn - np.pi / 2)) + 0.3 * trail
        canvas.paint(ellipse(centre, 4.0, 4.0).cut(keep), _HAIR)
    canvas.paint(ellipse(head + back - 4j, 8.0, 6.0).cut(keep), _HAIR)


def _hat(canvas: Canvas, figure: Figure) -> None:
    head, trail = figure.pose.head, figure.pose.trail
    brim = head - 5.0j
    canvas.paint(bell(brim, brim - 7j, 8.0, 4.6), _HAIR)
    canvas.paint(capsule(brim - 7j, brim + 4.5 - 11.5j + trail, 3.6, 1.0), _HAIR)
    canvas.fill(bell(brim - 0.5j, brim - 3j, 7.6, 6.6), _BAND, Canvas.BASE)
    canvas.paint(ellipse(brim, 12.0, 2.0), _HAIR)


@dataclass(frozen=True)
class Style:
    """How one kind of hair is painted, and its colour; a second colour for what ties or trims it."""

    paint: Callable[[Canvas, Figure], None]
    hair: Colour
    band: Colour = (0, 0, 0)


STYLES: dict[str, Style] = {
    "tousled": Style(_tousled, (122, 76, 44)),
    "long": Style(_long, (240, 200, 92)),
    "mohawk": Style(_mohawk, (232, 70, 120)),
    "ponytail": Style(_ponytail, (206, 92, 36), band=(80, 190, 180)),
    "curls": Style(_curls, (110, 80, 116)),
    "hat": Style(_hat, (84, 92, 190), band=(246, 206, 84)),
}
