"""A figure's joints, as periodic functions of real time, for every action seen from the side and from the front.

Points are complex numbers, x + iy with y downwards, in pixels of a 64 x 64 cell; every array has one entry for each
pose. Angles are in radians from straight down; positive is forwards in profile and outwards from the front.
"""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

View = Literal["profile", "front"]
Points = NDArray[np.complex128]
Numbers = NDArray[np.float64]

PERIOD = 8
GROUND = 58.5
UPPER_ARM, FOREARM, THIGH, SHIN, BLADE = 7.0, 7.0, 7.5, 7.5, 15.0


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

    upper: Numbers
    lower: Numbers
    reach: Numbers


@dataclass(frozen=True)
class Gesture:
    """One action over time, before it is given a place on the ground."""

    far_arm: Bend
    near_arm: Bend
    far_leg: Bend
    near_leg: Bend
    sway: Points
    lean: Points
    nod: Points
    blade: Points
    trail: Points


def skeleton(view: View, frames: Numbers) -> Pose:
    """The poses of all three actions at `frames` (t,): walk first, then wave and slash, 3t in all."""
    phase = 2 * np.pi * frames / PERIOD
    acts = (_walk, _wave, _slash) if view == "profile" else (_walk_front, _wave_front, _slash_front)
    poses = [_stand(act(phase), view) for act in acts]
    return _concatenate(poses)


def _stand(gesture: Gesture, view: View) -> Pose:
    """Place a gesture so that its lower foot touches the ground."""
    profile = view == "profile"
    # In profile both sides share one forward direction; from the front each limb has its own outward one.
    far, near = (-1, -1) if profile else (-1, 1)
    hip, shoulder = (-0.8, -1.0) if profile else (3.6, 6.2)

    foot = np.zeros(1, dtype=np.complex128)
    legs = _limb(foot, gesture.far_leg, far, THIGH, SHIN), _limb(foot, gesture.near_leg, near, THIGH, SHIN)
    drop = np.maximum(legs[0].end.imag, legs[1].end.imag)
    # The trunk moves in whole pixels, so that its outlines and the face do not swim.
    pelvis = _whole(32 + gesture.sway + 1j * (GROUND - 2 - drop))
    chest = _whole(pelvis - 8.5j + gesture.lean)
    head = _whole(chest - 12.5j + gesture.nod)

    far_hip, near_hip = pelvis - hip, pelvis + hip
    far_shoulder, near_shoulder = chest - shoulder - 0.5j, chest + shoulder - 0.5j
    return Pose(
        head=head,
        chest=chest,
        pelvis=pelvis,
        far_arm=_limb(far_shoulder, gesture.far_arm, far, UPPER_ARM, FOREARM),
        near_arm=_limb(near_shoulder, gesture.near_arm, near, UPPER_ARM, FOREARM),
        far_leg=_limb(far_hip, gesture.far_leg, far, THIGH, SHIN),
        near_leg=_limb(near_hip, gesture.near_leg, near, THIGH, SHIN),
        blade=gesture.blade,
        trail=gesture.trail,
    )


def _limb(root: Points, bend: Bend, forward: int, upper: float, lower: float) -> Limb:
    joint = root + upper * bend.reach * _towards(bend.upper, forward)
    return Limb(root, joint, joint + lower * bend.reach * _towards(bend.lower, forward))


def _towards(angle: Numbers, forward: int) -> Points:
    return forward * np.sin(angle) + 1j * np.cos(angle)


def _whole(points: Points) -> Points:
    return np.floor(points.real) + 0.5 + 1j * (np.floor(points.imag) + 0.5)


def _walk(phase: Numbers) -> Gesture:
    """Legs scissor, arms swing against them, hair bounces twice a stride."""

    def leg(phase: Numbers) -> Bend:
        thigh = 0.62 * np.sin(phase) + 0.08
        # The knee folds while the leg swings forwards, a quarter period before the thigh is foremost.
        knee = 0.15 + 0.55 * (1 + np.cos(phase)) ** 2 / 2
        return _bend(thigh, thigh - knee)

    def arm(phase: Numbers) -> Bend:
        upper = 0.75 * np.sin(phase) - 0.1
        return _bend(upper, upper + 0.45 + 0.25 * np.sin(phase))

    return _gesture(
        phase,
        far_arm=arm(phase),
        near_arm=arm(phase + np.pi),
        far_leg=leg(phase + np.pi),
        near_leg=leg(phase),
        lean=-0.8 + 0j * phase,
        trail=2.4 + 0.9 * np.sin(2 * phase) + 1j * np.cos(2 * phase),
    )


def _walk_front(phase: Numbers) -> Gesture:
    def leg(phase: Numbers) -> Bend:
        return _bend(0.06, 0.02, 0.86 + 0.16 * np.sin(phase))

    def arm(phase: Numbers) -> Bend:
        return _bend(0.34 + 0.1 * np.sin(phase), -0.05 - 0.25 * np.sin(phase), 0.9 - 0.14 * np.sin(phase))

    return _gesture(
        phase,
        far_arm=arm(phase + np.pi),
        near_arm=arm(phase),
        far_leg=leg(phase),
        near_leg=leg(phase + np.pi),
        sway=1.3 * np.cos(phase) + 0j,
        trail=-1.2 * np.cos(phase - 0.8) + 1j * np.cos(2 * phase),
    )


def _wave(phase: Numbers) -> Gesture:
    """One arm waves overhead, the other rests on the hip; the knees bounce."""
    bounce = 0.22 * (1 + np.cos(phase))
    stance = _bend(0.12 + bounce, 0.12 - bounce), _bend(-0.12 + bounce, -0.16 - bounce)
    return _gesture(
        phase,
        far_arm=_bend(-1.0, 0.7),
        near_arm=_bend(2.05 + 0.12 * np.sin(phase), 2.5 + 0.5 * np.sin(phase), 1.3),
        far_leg=stance[0],
        near_leg=stance[1],
        nod=0.7 * np.sin(phase) + 0j,
        trail=0.6 - 0.8 * np.sin(phase - 0.7) + 0.8j * np.cos(phase),
    )


def _wave_front(phase: Numbers) -> Gesture:
    bounce = 0.2 * (1 + np.cos(phase))
    stance = _bend(0.1 + bounce, 0.1 - bounce)
    return _gesture(
        phase,
        far_arm=_bend(0.95, -0.95),
        near_arm=_bend(2.15 + 0.12 * np.sin(phase), 2.85 - 0.5 * np.sin(phase), 1.25),
        far_leg=stance,
        near_leg=stance,
        nod=0.8 * np.sin(phase) + 0j,
        trail=-1.1 * np.sin(phase - 0.7) + 0.8j * np.cos(phase),
    )


def _slash(phase: Numbers) -> Gesture:
    """A sword is drawn back overhead, cut down through an arc, and brought back to guard."""
    arm = _through(phase, [1.2, 1.8, 2.6, 3.3, 2.5, 1.2, 0.5, 0.7])
    edge = arm + _through(phase, [1.0, 0.9, 0.6, 0.5, 0.1, 0.1, 0.3, 0.8])
    lunge = _through(phase, [0.0, -0.5, -1.0, -1.2, 0.2, 1.0, 1.0, 0.5])
    return _gesture(
        phase,
        far_arm=_bend(-0.3 - 0.5 * lunge, 0.5 - 0.6 * lunge),
        near_arm=_bend(arm, arm + 0.25),
        far_leg=_bend(-0.45 - 0.12 * lunge, -0.6 - 0.2 * lunge),
        near_leg=_bend(0.55 + 0.22 * lunge, 0.1 + 0.1 * lunge),
        sway=4.5 - 1.6 * lunge + 0j,
        lean=-1.5 * lunge + 0j,
        nod=-0.8 * lunge + 0j,
        blade=BLADE * _towards(edge, -1),
        trail=1.6 * lunge + 0.6j * np.sin(phase),
    )


def _slash_front(phase: Numbers) -> Gesture:
    arm = _through(phase, [0.8, 1.5, 2.3, 2.7, 1.9, 0.2, -0.5, 0.1])
    edge = _through(phase, [2.2, 2.6, 2.9, 3.1, 1.9, -0.3, -1.2, 0.6])
    reach = _through(phase, [0.9, 0.85, 0.95, 1.0, 0.85, 0.85, 1.0, 0.85])  # the cut comes towards the viewer
    lunge = _through(phase, [0.0, -0.5, -1.0, -1.2, 0.2, 1.0, 1.0, 0.5])
    return _gesture(
        phase,
        far_arm=_bend(0.5 + 0.3 * lunge, 0.4 + 0.5 * lunge, 0.95),
        near_arm=_bend(arm, arm - 0.3, reach),
        far_leg=_bend(0.28, 0.12 + 0.05 * lunge, 0.94 + 0.06 * lunge),
        near_leg=_bend(0.28, 0.12 - 0.05 * lunge, 0.94 - 0.06 * lunge),
        sway=-1.5 - 1.3 * lunge + 0j,
        lean=-1.0 * lunge + 0.7j * lunge,
        nod=-0.6 * lunge + 0j,
        blade=BLADE * reach * _towards(edge, 1),
        trail=1.4 * lunge + 0.6j * np.sin(phase),
    )


def _gesture(
    phase: Numbers,
    *,
    far_arm: Bend,
    near_arm: Bend,
    far_leg: Bend,
    near_leg: Bend,
    trail: Points,
    sway: Points | complex = 0,
    lean: Points | complex = 0,
    nod: Points | complex = 0,
    blade: Points | complex = 0,
) -> Gesture:
    """A gesture with every number repeated to one for each moment."""

    def each(value: Points | complex) -> Points:
        return np.broadcast_to(np.asarray(value, dtype=np.complex128), phase.shape)

    bends = [
        Bend(*(np.broadcast_to(angle, phase.shape) for angle in (bend.upper, bend.lower, bend.reach)))
        for bend in (far_arm, near_arm, far_leg, near_leg)
    ]
    return Gesture(*bends, sway=each(sway), lean=each(lean), nod=each(nod), blade=each(blade), trail=each(trail))


def _bend(upper: Numbers | float, lower: Numbers | float, reach: Numbers | float = 1.0) -> Bend:
    return Bend(np.asarray(upper, dtype=float), np.asarray(lower, dtype=float), np.asarray(reach, dtype=float))


def _through(phase: Numbers, keys: list[float]) -> Numbers:
    """The smooth periodic curve through `keys`, spread evenly over one period (trigonometric interpolation)."""
    harmonics = np.fft.rfft(keys) / len(keys)
    weights = np.where(np.arange(len(harmonics)) % (len(keys) // 2) == 0, 1.0, 2.0)
    waves = np.exp(1j * phase[:, None] * np.arange(len(harmonics)))
    return np.asarray((waves * harmonics * weights).real.sum(axis=1))


def _concatenate(poses: list[Pose]) -> Pose:
    def join(parts: list[Points] | list[Limb]) -> Points | Limb:
        if isinstance(parts[0], Limb):
            return Limb(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Limb)))
        return np.concatenate(parts)

    return Pose(**{field.name: join([getattr(pose, field.name) for pose in poses]) for field in fields(Pose)})
