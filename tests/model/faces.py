"""Drawn faces in the layout in which the owners of MUG distribute theirs: subject/expression/take/frames."""

import math
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 96, 72
MOUTHS = {"anger": -4, "happiness": 6, "surprise": 0}  # how far its corners rise


def write_faces(
    root: Path, *, subjects: int = 4, expressions: tuple[str, ...] = tuple(MOUTHS), takes: int = 1, frames: int = 24
) -> Path:
    """A folder of subjects that differ in skin and eyes; an expression comes and goes in every take."""
    for subject in range(subjects):
        for expression in expressions:
            for take in range(takes):
                folder = root / f"{subject + 1:03d}" / expression / f"take{take:03d}"
                folder.mkdir(parents=True)
                for number in range(frames):
                    strength = math.sin(math.pi * number / (frames - 1))
                    face(subject, expression, strength).save(folder / f"img_{number:04d}.jpg", quality=95)
    return root


def face(subject: int, expression: str, strength: float, *, centre: tuple[int, int] = (48, 36)) -> Image.Image:
    """One frame: a head before a wall, its expression between none and full."""
    x, y = centre
    picture = Image.new("RGB", (WIDTH, HEIGHT), (40, 60, 90))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((x - 20, y - 26, x + 20, y + 26), fill=(230 - 25 * subject, 180 - 20 * subject, 140 - 15 * subject))
    for side in (-1, 1):
        draw.ellipse((x + 8 * side - 3, y - 10, x + 8 * side + 3, y - 5), fill=(30, 30 + 40 * subject, 90))
        lift = strength * (5 if expression == "surprise" else MOUTHS[expression] / 3)
        draw.line((x + 8 * side - 4, y - 14 - lift, x + 8 * side + 4, y - 14 - lift), fill=(50, 30, 20), width=2)
    rise, gape = strength * MOUTHS[expression], 2 + 8 * strength * (expression == "surprise")
    draw.line([(x - 9, y + 12 - rise), (x, y + 12 + rise), (x + 9, y + 12 - rise)], fill=(150, 40, 50), width=2)
    draw.ellipse((x - 4, y + 12 - gape / 2, x + 4, y + 12 + gape / 2), fill=(90, 20, 30))
    return picture


def write_landmarks(take: Path, *, centre: tuple[int, int] = (48, 36)) -> None:
    """Brows, mouth and jaw of every frame, as a .pts file beside it."""
    x, y = centre
    points = [(x - 16, y - 16), (x + 16, y - 16), (x - 9, y + 12), (x + 9, y + 12), (x, y + 24)]
    for frame in sorted(take.glob("*.jpg")):
        lines = ["version: 1", f"n_points: {len(points)}", "{", *(f"{across} {down}" for across, down in points), "}"]
        frame.with_suffix(".pts").write_text("\n".join(lines))
