"""A figure's joints, as periodic functions of real time, for every action seen from the side and from the front.

Points are complex numbers, x + iy with y downwards, in pixels of a 64 x 64 cell; every array has one entry for each
pose. Angles are in radians from straight down; positive is forwards in profile and outwards from the front.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

View = Literal["profile", "front"]
Points = NDArray[np.complex128]
Numbers = NDArray[np.float64]

PERIOD = 8
GROUND = 58.5
UPPER_ARM, FOREARM, THIGH, SHIN, FOOT, BLADE = 7.0, 7.0, 7.5, 7.5, 4.2, 15.0


@dataclass(frozen=True)
class Limb:
    """Two bones: root (shoulder or hip), joint (elbow or knee), end (hand or ankle)."""

    root: Points
    joint: Points
    end: Points


@dataclass(frozen=True)
class Pose:
    """Where everything is. `far` and `near` name the limbs by depth in profile; from the front both are near."""

    head: Points
    chest: Points
    pelvis: Points
    far_arm: Limb
    near_arm: Limb
    far_leg: Limb
    near_leg: Limb
    blade: Points
    """Direction of the sword held in the near hand, with its length; zero for empty hands."""
    trail: Points
    """How far loose things (hair, hems) lag behind the head."""


@dataclass(frozen=True)
class Bend:
    """Angles of a limb's two bones, and the part of its length that foreshortening leaves."""

    upper: Numbers | float
    lower: Numbers | float
    reach: Numbers | float = 1.0


@dataclass(frozen=True, kw_only=True)
class Gesture:
    """One action over time, before it is given a place on the ground; a single number stands still."""

    far_arm: Bend
    near_arm: Bend
    far_leg: Bend
    near_leg: Bend
    trail: Points
    sway: Numbers | float = 0
    """Of the pelvis, sideways."""
    lean: NDArray[np.complexfloating] | complex = 0
    """Of the chest over the pelvis."""
    nod: Numbers | float = 0
    """Of the head over the chest, sideways."""
    blade: Points | complex = 0


def skeleton(view: View, frames: Numbers) -> Pose:
    """The poses of all three actions at `frames` (t,): walk first, then wave and slash, 3t in all."""
    phase = 2 * np.pi * frames / PERIOD
    acts = (_walk, _wave, _slash) if view == "profile" else (_walk_front, _wave_front, _slash_front)
    return _join([_stand(act(phase), view) for act in acts], len(frames))


def _stand(gesture: Gesture, view: View) -> Pose:
    """Place a gesture so that its lower foot touches the ground."""
    profile = view == "profile"
    # In profile both sides share one forward direction; from the front each limb has its own outward one.
    far, near = (-1, -1) if profile else (-1, 1)
    hip, shoulder = (-0.8, -1.0) if profile else (3.6, 6.2)

    legs = _limb(0, gesture.far_leg, far, THIGH, SHIN), _limb(0, gesture.near_leg, near, THIGH, SHIN)
    soles = [point.imag for leg in legs for point in ((leg.end, toe(leg)) if profile else (leg.end,))]
    drop = np.maximum.reduce(np.broadcast_arrays(*soles))
    # The trunk moves in whole pixels, so that its outlines and the face do not swim.
    pelvis = _whole(np.asarray(32 + gesture.sway + 1j * (GROUND - 2 - drop)))
    chest = _whole(pelvis - 8.5j + gesture.lean)
    head = _whole(chest - 12.5j + gesture.nod)
    return Pose(
        head=head,
        chest=chest,
        pelvis=pelvis,
        far_arm=_limb(chest - shoulder - 0.5j, gesture.far_arm, far, UPPER_ARM, FOREARM),
        near_arm=_limb(chest + shoulder - 0.5j, gesture.near_arm, near, UPPER_ARM, FOREARM),
        far_leg=_limb(pelvis - hip, gesture.far_leg, far, THIGH, SHIN),
        near_leg=_limb(pelvis + hip, gesture.near_leg, near, THIGH, SHIN),
        blade=np.asarray(gesture.blade, dtype=np.complex128),
        trail=gesture.trail,
    )


def _limb(root: Points | complex, bend: Bend, forward: int, upper: float, lower: float) -> Limb:
    joint = root + upper * bend.reach * _towards(bend.upper, forward)
    end = joint + lower * bend.reach * _towards(bend.lower, forward)
    return Limb(np.asarray(root, dtype=np.complex128), joint, end)


def toe(leg: Limb) -> Points:
    """Where the foot ends in profile: it turns with the shin, but less, so it is flat under a straight leg."""
    shin = leg.end - leg.joint
    return np.asarray(leg.end - FOOT * np.exp(0.7j * np.angle(shin / 1j)))


def _towards(angle: Numbers | float, forward: int) -> Points:
    return np.asarray(forward * np.sin(angle) + 1j * np.cos(angle))


def _whole(points: Points) -> Points:
    return np.floor(points.real) + 0.5 + 1j * (np.floor(points.imag) + 0.5)


def _walk(phase: Numbers) -> Gesture:
    """Legs scissor, arms swing against them, hair bounces twice a stride."""

    def leg(phase: Numbers) -> Bend:
        thigh = 0.62 * np.sin(phase) + 0.08
        # The knee folds while the leg swings forwards, a quarter period before the thigh is foremost.
        knee = 0.15 + 0.55 * (1 + np.cos(phase)) ** 2 / 2
        return Bend(thigh, thigh - knee)

    def arm(phase: Numbers) -> Bend:
        upper = 0.75 * np.sin(phase) - 0.1
        return Bend(upper, upper + 0.45 + 0.25 * np.sin(phase))

    return Gesture(
        far_arm=arm(phase),
        near_arm=arm(phase + np.pi),
        far_leg=leg(phase + np.pi),
        near_leg=leg(phase),
        lean=-0.8,
        trail=2.4 + 0.9 * np.sin(2 * phase) + 1j * np.cos(2 * phase),
    )


def _walk_front(phase: Numbers) -> Gesture:
    def leg(phase: Numbers) -> Bend:
        return Bend(0.06, 0.02, 0.86 + 0.16 * np.sin(phase))

    def arm(phase: Numbers) -> Bend:
        return Bend(0.34 + 0.1 * np.sin(phase), -0.05 - 0.25 * np.sin(phase), 0.9 - 0.14 * np.sin(phase))

    return Gesture(
        far_arm=arm(phase + np.pi),
        near_arm=arm(phase),
        far_leg=leg(phase),
        near_leg=leg(phase + np.pi),
        sway=1.3 * np.cos(phase),
        trail=-1.2 * np.cos(phase - 0.8) + 1j * np.cos(2 * phase),
    )


def _wave(phase: Numbers) -> Gesture:
    """One arm waves overhead, the other rests on the hip; the knees bounce."""
    bounce = 0.22 * (1 + np.cos(phase))
    stance = Bend(0.12 + bounce, 0.12 - bounce), Bend(-0.12 + bounce, -0.16 - bounce)
    return Gesture(
        far_arm=Bend(-1.0, 0.7),
        near_arm=Bend(2.05 + 0.12 * np.sin(phase), 2.5 + 0.5 * np.sin(phase), 1.3),
        far_leg=stance[0],
        near_leg=stance[1],
        nod=0.7 * np.sin(phase),
        trail=0.6 - 0.8 * np.sin(phase - 0.7) + 0.8j * np.cos(phase),
    )


def _wave_front(phase: Numbers) -> Gesture:
    bounce = 0.2 * (1 + np.cos(phase))
    stance = Bend(0.1 + bounce, 0.1 - bounce)
    return Gesture(
        far_arm=Bend(0.95, -0.95),
        near_arm=Bend(2.15 + 0.12 * np.sin(phase), 2.85 - 0.5 * np.sin(phase), 1.25),
        far_leg=stance,
        near_leg=stance,
        nod=0.8 * np.sin(phase),
        trail=-1.1 * np.sin(phase - 0.7) + 0.8j * np.cos(phase),
    )


def _slash(phase: Numbers) -> Gesture:
    """A sword is drawn back overhead, cut down through an arc, and brought back to guard."""
    arm = _through(phase, [1.2, 1.8, 2.6, 3.3, 2.5, 1.2, 0.5, 0.7])
    edge = arm + _through(phase, [1.0, 0.9, 0.6, 0.5, 0.1, 0.1, 0.3, 0.8])
    lunge = _through(phase, [0.0, -0.5, -1.0, -1.2, 0.2, 1.0, 1.0, 0.5])
    return Gesture(
        far_arm=Bend(-0.3 - 0.5 * lunge, 0.5 - 0.6 * lunge),
        near_arm=Bend(arm, arm + 0.25),
        far_leg=Bend(-0.45 - 0.12 * lunge, -0.6 - 0.2 * lunge),
        near_leg=Bend(0.55 + 0.22 * lunge, 0.1 + 0.1 * lunge),
        sway=4.5 - 1.6 * lunge,
        lean=(-1.5 + 0j) * lunge,
        nod=-0.8 * lunge,
        blade=BLADE * _towards(edge, -1),
        trail=1.6 * lunge + 0.6j * np.sin(phase),
    )


def _slash_front(phase: Numbers) -> Gesture:
    arm = _through(phase, [0.8, 1.5, 2.3, 2.7, 1.9, 0.2, -0.5, 0.1])
    edge = _through(phase, [2.2, 2.6, 2.9, 3.1, 1.9, -0.3, -1.2, 0.6])
    reach = _through(phase, [0.9, 0.85, 0.95, 1.0, 0.85, 0.85, 1.0, 0.85])  # the cut comes towards the viewer
    lunge = _through(phase, [0.0, -0.5, -1.0, -1.2, 0.2, 1.0, 1.0, 0.5])
    return Gesture(
        far_arm=Bend(0.5 + 0.3 * lunge, 0.4 + 0.5 * lunge, 0.95),
        near_arm=Bend(arm, arm - 0.3, reach),
        far_leg=Bend(0.28, 0.12 + 0.05 * lunge, 0.94 + 0.06 * lunge),
        near_leg=Bend(0.28, 0.12 - 0.05 * lunge, 0.94 - 0.06 * lunge),
        sway=-1.5 - 1.3 * lunge,
        lean=(-1.0 + 0.7j) * lunge,
        nod=-0.6 * lunge,
        blade=BLADE * reach * _towards(edge, 1),
        trail=1.4 * lunge + 0.6j * np.sin(phase),
    )


def _through(phase: Numbers, keys: list[float]) -> Numbers:
    """The smooth periodic curve through `keys`, spread evenly over one period (trigonometric interpolation)."""
    harmonics = np.fft.rfft(keys) / len(keys)
    weights = np.where(np.arange(len(harmonics)) % (len(keys) // 2) == 0, 1.0, 2.0)
    waves = np.exp(1j * phase[:, None] * np.arange(len(harmonics)))
    return np.asarray((waves * harmonics * weights).real.sum(axis=1))


def _join(poses: list[Pose], moments: int) -> Pose:
    """The poses of several gestures, `moments` each, one after the other."""

    def join(parts: Iterable[Points]) -> Points:
        return np.concatenate([np.broadcast_to(part, (moments,)) for part in parts])

    def join_limbs(limbs: list[Limb]) -> Limb:
        return Limb(
            root=join(limb.root for limb in limbs),
            joint=join(limb.joint for limb in limbs),
            end=join(limb.end for limb in limbs),
        )

    return Pose(
        head=join(pose.head for pose in poses),
        chest=join(pose.chest for pose in poses),
        pelvis=join(pose.pelvis for pose in poses),
        far_arm=join_limbs([pose.far_arm for pose in poses]),
        near_arm=join_limbs([pose.near_arm for pose in poses]),
        far_leg=join_limbs([pose.far_leg for pose in poses]),
        near_leg=join_limbs([pose.near_leg for pose in poses]),
        blade=join(pose.blade for pose in poses),
        trail=join(pose.trail for pose in poses),
    )
