"""The third layer: what covers trunk and arms."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .brush import SIZE, Canvas, Colour, Shape, bell, box, capsule, ellipse
from .figure import Figure, arm, between
from .skeleton import Limb


@dataclass(frozen=True)
class Cut:
    """How a shirt is made: its cloth and trimming, the length of its sleeves, what is on it."""

    cloth: Colour
    trim: Colour
    sleeve: float = 0.0
    """Part of the arm covered: 1 ends at the elbow, 2 at the wrist."""
    pattern: Literal["plain", "stripes", "buttons", "belt", "open", "badge"] = "plain"
    cuffs: bool = False
    long: bool = False


CUTS: dict[str, Cut] = {
    "tee": Cut(cloth=(216, 66, 62), trim=(250, 226, 120), sleeve=0.75, pattern="badge"),
    "sailor": Cut(cloth=(238, 240, 246), trim=(52, 84, 160), sleeve=1.8, pattern="stripes", cuffs=True),
    "vest": Cut(cloth=(244, 196, 64), trim=(176, 112, 40), pattern="buttons"),
    "tunic": Cut(cloth=(78, 160, 88), trim=(126, 80, 46), sleeve=0.9, pattern="belt", long=True),
    "jacket": Cut(cloth=(106, 84, 186), trim=(240, 236, 226), sleeve=1.9, pattern="open"),
    "jumper": Cut(cloth=(236, 132, 60), trim=(252, 214, 160), sleeve=1.9, cuffs=True),
}

_CLOTH, _TRIM = range(2)


def draw(figure: Figure, name: str) -> NDArray[np.uint8]:
    """RGBA cells (p, 4, 64, 64) of the shirt called `name`."""
    cut = CUTS[name]
    pose = figure.pose
    canvas = Canvas(len(pose.head))
    if figure.profile:
        _sleeve(canvas, pose.far_arm, cut, dim=True)
        for nearer in (figure.far_hand, figure.far_leg, figure.near_leg):
            canvas.erase(nearer.mask)
    trunk = _trunk(figure, cut)
    canvas.paint(trunk, _CLOTH)
    _decorate(canvas, figure, trunk, cut)
    canvas.erase(figure.head.mask)
    canvas.erase(figure.in_front)
    for limb in (pose.near_arm,) if figure.profile else (pose.far_arm, pose.near_arm):
        _sleeve(canvas, limb, cut, dim=False)
    for nearer in (figure.blade, figure.guard, figure.near_hand, *(() if figure.profile else (figure.far_hand,))):
        canvas.erase(nearer.mask)
    return canvas.coloured(cut.cloth, cut.trim)


def _trunk(figure: Figure, cut: Cut) -> Shape:
    pose = figure.pose
    top, bottom = (4.5, 4.2) if figure.profile else (5.9, 5.4)
    if cut.long:
        return bell(pose.chest - 4.5j, pose.pelvis + 4.0j + 0.2 * pose.trail.real, top - 0.6, bottom + 1.6)
    return capsule(pose.chest + 0.8j, pose.pelvis - 1j, top, bottom).above(pose.pelvis.imag)


def _sleeve(canvas: Canvas, limb: Limb, cut: Cut, dim: bool) -> None:
    if cut.sleeve == 0:
        return
    sleeve = arm(limb, cut.sleeve, 0.4)
    canvas.paint(sleeve, _CLOTH, dim=dim)
    if cut.cuffs:
        cuff = capsule(between(limb.joint, limb.end, cut.sleeve - 1), limb.end, 2.2)
        canvas.dye(cuff.mask & sleeve.mask, _CLOTH, _TRIM)


def _decorate(canvas: Canvas, figure: Figure, trunk: Shape, cut: Cut) -> None:
    pose = figure.pose
    middle = pose.chest - (3 if figure.profile else 0)
    rows = np.arange(SIZE)[None, :, None] - np.floor(pose.chest.imag)[:, None, None]
    match cut.pattern:
        case "stripes":
            canvas.dye(np.broadcast_to(rows % 4 < 2, trunk.depth.shape), _CLOTH, _TRIM)
        case "buttons":
            for row in (0, 4, 8):
                canvas.dye(box(middle + 1j * row, 0.6, 0.6).depth > 0, _CLOTH, _TRIM)
        case "belt":
            canvas.dye(np.broadcast_to((rows >= 6) & (rows < 8), trunk.depth.shape), _CLOTH, _TRIM)
            canvas.fill(box(middle + 6.5j, 1.1, 1.1), _TRIM, Canvas.LIGHT, where=trunk.depth > 0)
        case "open":
            canvas.dye(box(middle + 2j, 1.6, 9).depth > 0, _CLOTH, _TRIM)
        case "badge":
            canvas.dye(ellipse(middle + 2.5j, 2.1, 2.1).depth > 0, _CLOTH, _TRIM)
        case "plain":
            canvas.dye(np.broadcast_to(rows >= 7, trunk.depth.shape), _CLOTH, _TRIM)
