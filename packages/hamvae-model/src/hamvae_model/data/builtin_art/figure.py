"""The bare figure on its skeleton: the shapes that skin fills, clothes follow and near limbs hide."""

from dataclasses import dataclass

import numpy as np

from .brush import Mask, Shape, capsule, ellipse
from .skeleton import Limb, Numbers, Points, Pose, View, skeleton


@dataclass(frozen=True)
class Figure:
    """One view of the figure in all its poses."""

    view: View
    pose: Pose
    torso: Shape
    head: Shape
    far_arm: tuple[Shape, ...]
    near_arm: tuple[Shape, ...]
    far_leg: tuple[Shape, ...]
    near_leg: tuple[Shape, ...]
    blade: Shape
    guard: Shape
    in_front: Mask
    """What hangs in front of every garment: the near arm with its hand and sword, from the front both arms."""

    @property
    def profile(self) -> bool:
        return self.view == "profile"

    @property
    def forward(self) -> complex:
        """The way the figure faces, as far as the view shows it."""
        return -1 if self.profile else 0


def figure(view: View, frames: Numbers) -> Figure:
    pose = skeleton(view, frames)
    profile = view == "profile"
    far_arm, near_arm = _arm(pose.far_arm), _arm(pose.near_arm)
    blade, guard = _sword(pose)
    arms = near_arm if profile else far_arm + near_arm
    return Figure(
        view=view,
        pose=pose,
        torso=capsule(pose.chest + 1j, pose.pelvis - 1j, 4.2 if profile else 5.6, 3.8 if profile else 4.9),
        head=ellipse(pose.head, 8.6 if profile else 8.9, 8.2),
        far_arm=far_arm,
        near_arm=near_arm,
        far_leg=_leg(pose.far_leg),
        near_leg=_leg(pose.near_leg),
        blade=blade,
        guard=guard,
        in_front=np.logical_or.reduce([shape.mask for shape in (*arms, blade, guard)]),
    )


def _arm(limb: Limb) -> tuple[Shape, ...]:
    """Upper arm, forearm, hand."""
    return (
        capsule(limb.root, limb.joint, 2.0, 1.7),
        capsule(limb.joint, limb.end, 1.7, 1.6),
        ellipse(limb.end + 0.12 * (limb.end - limb.joint), 2.1, 2.1),
    )


def _leg(limb: Limb) -> tuple[Shape, ...]:
    """Thigh, shin."""
    return capsule(limb.root, limb.joint, 2.7, 2.3), capsule(limb.joint, limb.end, 2.3, 1.9)


def _sword(pose: Pose) -> tuple[Shape, Shape]:
    """Blade and guard in the near hand; both are nowhere when the hand is empty."""
    drawn = np.abs(pose.blade) > 0
    way = np.where(drawn, pose.blade / np.where(drawn, np.abs(pose.blade), 1), 1)
    hand = np.where(drawn, pose.near_arm.end + way, _NOWHERE)
    blade = capsule(hand + 3 * way, hand + pose.blade, 1.3, 0.5)
    guard = capsule(hand + 2.6 * way - 2.4j * way, hand + 2.6 * way + 2.4j * way, 0.8)
    return blade, guard


_NOWHERE = -99.0 + 0j


def shoe(limb: Limb, figure: Figure, length: float = 3.0) -> Shape:
    """A foot from the ankle towards where the figure faces; from the front its tip points at the viewer."""
    if figure.profile:
        # The sole follows the shin: flat when the leg is upright, toes down when it swings behind.
        shin = limb.end - limb.joint
        toe = shin / np.abs(shin) * 1j * length
        toe = np.where(np.abs(shin.real) < 3, -length + 0j, toe)
        return capsule(limb.end + 0.6j, limb.end + toe + 0.8j, 2.1, 1.6)
    return capsule(limb.end, limb.end + 1.0j, 2.2, 2.4)


def between(a: Points, b: Points, part: float) -> Points:
    return a + (b - a) * part
