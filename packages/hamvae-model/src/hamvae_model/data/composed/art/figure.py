"""The bare figure on its skeleton: the shapes that skin fills, clothes follow and near limbs hide."""

from dataclasses import dataclass

import numpy as np

from .brush import Mask, Shape, capsule, ellipse
from .skeleton import Limb, Numbers, Points, Pose, View, skeleton, toe


@dataclass(frozen=True)
class Figure:
    """One view of the figure in all its poses."""

    view: View
    pose: Pose
    torso: Shape
    head: Shape
    far_arm: Shape
    near_arm: Shape
    far_hand: Shape
    near_hand: Shape
    far_leg: Shape
    near_leg: Shape
    blade: Shape
    guard: Shape
    in_front: Mask
    """What hangs in front of every garment: the near arm with its hand and sword, from the front both arms."""

    @property
    def profile(self) -> bool:
        return self.view == "profile"


def figure(view: View, frames: Numbers) -> Figure:
    """The figure in the poses of all three actions at `frames` (t,), 3t in all."""
    pose = skeleton(view, frames)
    profile = view == "profile"
    far_arm, near_arm = arm(pose.far_arm), arm(pose.near_arm)
    blade, guard = _sword(pose)
    far_hand, near_hand = _hand(pose.far_arm), _hand(pose.near_arm)
    hanging = (near_arm, near_hand) if profile else (far_arm, far_hand, near_arm, near_hand)
    return Figure(
        view=view,
        pose=pose,
        torso=capsule(pose.chest + 1j, pose.pelvis - 1j, 4.2 if profile else 5.6, 3.8 if profile else 4.9),
        head=ellipse(pose.head, 8.6 if profile else 8.9, 8.2),
        far_arm=far_arm,
        near_arm=near_arm,
        far_hand=far_hand,
        near_hand=near_hand,
        far_leg=leg(pose.far_leg),
        near_leg=leg(pose.near_leg),
        blade=blade,
        guard=guard,
        in_front=np.logical_or.reduce([shape.mask for shape in (*hanging, blade, guard)]),
    )


def arm(limb: Limb, reach: float = 2.0, wide: float = 0.0) -> Shape:
    """Upper arm and forearm as far as `reach`, 1 being the elbow and 2 the wrist, `wide` pixels thicker than skin."""
    upper = capsule(limb.root, between(limb.root, limb.joint, min(reach, 1)), 2.1 + wide, 1.8 + wide)
    if reach <= 1:
        return upper
    return upper | capsule(limb.joint, between(limb.joint, limb.end, reach - 1), 1.8 + wide, 1.6 + wide)


def leg(limb: Limb, reach: float = 2.0, wide: float = 0.0) -> Shape:
    """Thigh and shin as far as `reach`, 1 being the knee and 2 the ankle, `wide` pixels thicker than skin."""
    upper = capsule(limb.root, between(limb.root, limb.joint, min(reach, 1)), 2.8 + wide, 2.4 + wide)
    if reach <= 1:
        return upper
    return upper | capsule(limb.joint, between(limb.joint, limb.end, reach - 1), 2.4 + wide, 2.0 + wide)


def _hand(limb: Limb) -> Shape:
    forearm = limb.end - limb.joint
    return ellipse(limb.end + forearm / np.abs(forearm), 2.1, 2.1)


def _sword(pose: Pose) -> tuple[Shape, Shape]:
    """Blade and guard in the near hand; both are nowhere when the hand is empty."""
    drawn = np.abs(pose.blade) > 0
    way = np.where(drawn, pose.blade / np.where(drawn, np.abs(pose.blade), 1), 1)
    hand = np.where(drawn, pose.near_arm.end + way, -99)
    blade = capsule(hand + 3 * way, hand + pose.blade, 1.5, 0.6)
    guard = capsule(hand + 2.6 * way - 2.4j * way, hand + 2.6 * way + 2.4j * way, 0.8)
    return blade, guard


def shoe(limb: Limb, profile: bool) -> Shape:
    """A foot from the ankle towards where the figure faces; from the front its tip points at the viewer."""
    if not profile:
        return capsule(limb.end - 0.5j, limb.end + 0.4j, 2.2, 2.6)
    tip = toe(limb)
    return capsule(between(limb.end, tip, -0.15), tip + 0.6j, 2.2, 1.7)


def between(a: Points, b: Points, part: float) -> Points:
    """The point that lies `part` of the way from `a` to `b`."""
    return a + (b - a) * part
