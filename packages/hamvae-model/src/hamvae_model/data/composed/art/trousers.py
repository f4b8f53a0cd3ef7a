"""The second layer: what covers legs and feet."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .brush import Canvas, Colour, bell, capsule
from .figure import Figure, between, leg, shoe
from .skeleton import Limb


@dataclass(frozen=True)
class Cut:
    """How a pair of trousers is made: how far down each leg, how wide, with a skirt over it or not."""

    cloth: Colour
    shoes: Colour
    reach: float = 1.8
    """Part of the leg covered: 1 ends at the knee, 2 at the ankle."""
    width: float = 0.3
    skirt: Literal["none", "short", "long"] = "none"
    boots: bool = False


CUTS: dict[str, Cut] = {
    "jeans": Cut(cloth=(64, 96, 176), shoes=(150, 92, 56)),
    "shorts": Cut(cloth=(206, 168, 96), shoes=(214, 60, 60), reach=0.9, width=0.8),
    "skirt": Cut(cloth=(226, 84, 140), shoes=(120, 70, 130), reach=0.0, skirt="short", boots=True),
    "leggings": Cut(cloth=(112, 74, 158), shoes=(240, 176, 70), width=-0.1),
    "bloomers": Cut(cloth=(232, 226, 206), shoes=(70, 160, 120), reach=1.5, width=1.3),
    "gown": Cut(cloth=(40, 150, 140), shoes=(226, 196, 110), reach=0.0, skirt="long"),
}

_CLOTH, _SHOES = range(2)


def draw(figure: Figure, name: str) -> NDArray[np.uint8]:
    """RGBA cells (p, 4, 64, 64) of the trousers called `name`."""
    cut = CUTS[name]
    canvas = Canvas(len(figure.pose.head))
    pose = figure.pose
    for limb, dim in ((pose.far_leg, figure.profile), (pose.near_leg, False)):
        _leg(canvas, figure, limb, cut, dim)
    hips = 3.9 if figure.profile else 5.0
    canvas.paint(capsule(pose.pelvis - 1.5j, pose.pelvis - 0.5j, hips).above(pose.pelvis.imag + 2), _CLOTH)
    if cut.skirt != "none":
        _skirt(canvas, figure, cut)
    canvas.erase(figure.in_front)
    return canvas.coloured(cut.cloth, cut.shoes)


def _leg(canvas: Canvas, figure: Figure, limb: Limb, cut: Cut, dim: bool) -> None:
    sole = shoe(limb, figure.profile)
    if cut.boots:
        sole = sole | capsule(between(limb.joint, limb.end, 0.3), limb.end, 2.6, 2.3)
    if cut.reach > 0:
        canvas.paint(leg(limb, cut.reach, cut.width), _CLOTH, dim=dim)
    canvas.paint(sole, _SHOES, dim=dim)


def _skirt(canvas: Canvas, figure: Figure, cut: Cut) -> None:
    """A bell whose hem follows the knees and lags behind the hips."""
    pose = figure.pose
    short = cut.skirt == "short"
    knees = (pose.far_leg.joint + pose.near_leg.joint) / 2
    spread = np.abs(pose.far_leg.joint.real - pose.near_leg.joint.real) / 2
    hem = knees + 0.3 * pose.trail.real + (1j if short else 6.5j)
    wide = (4.6 if figure.profile else 5.0) + 0.75 * spread + (0.0 if short else 0.8)
    canvas.paint(bell(pose.pelvis - 3j, hem, 4.2 if figure.profile else 5.2, wide), _CLOTH)
    for part in (-0.4, 0.3):
        canvas.fill(
            capsule(between(pose.pelvis, hem, 0.35) + part * wide * 0.8, hem + part * wide - 1j, 0.45),
            _CLOTH,
            Canvas.SHADE,
        )
