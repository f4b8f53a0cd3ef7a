"""A folder of numbered pictures: one clip, a frame to a file."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import UsageError
from . import pictures
from .facts import Facts
from .opening import explained
from .shown import Shown


def shown(path: Path, start: int = 0) -> Iterator[Shown]:
    """Frames from number `start` on, in the order of the numbers in their names; the folder has no clock.

    Raises: UsageError: it holds none, one without a number in its name, or frames of different sizes.
    """
    names = files(path)
    size = None
    for name in names[start:]:
        pixels = pictures.still(name)
        height, width = pixels.shape[:2]
        if size not in (None, (height, width)):
            raise UsageError(
                f"{name} is {width}×{height} pixels and the frames before it {size[1]}×{size[0]}; make them one size."
            )
        size = (height, width)
        yield Shown(pixels)
        del pixels  # before the next one is decoded: a photo is large


def facts(path: Path) -> Facts:
    """The size of the first frame, and how many there are."""
    names = files(path)
    return replace(pictures.facts(names[0]), format="frames", frames=len(names), fps=None)


def files(path: Path) -> list[Path]:
    """The frames of a folder in playing order: 2 before 10.

    Raises: UsageError: there are none, or one without a number in its name.
    """
    with explained(path):
        found = [name for name in path.iterdir() if name.suffix.lower() in pictures.STILLS and name.name[0] != "."]
    if not found:
        raise UsageError(f"{path} is a folder without numbered PNG or JPG frames; name one that holds some, or a file.")
    for name in found:
        if not re.search(r"\d", name.stem):
            raise UsageError(
                f"{name} has no number in its name, so its place among the frames is unknown; number or remove it."
            )
    return sorted(found, key=_order)


def _order(path: Path) -> tuple[tuple[str | int, ...], str]:
    """Numbers in a name count as numbers."""
    pieces = re.split(r"(\d+)", path.stem.casefold())
    return tuple(int(piece) if number % 2 else piece for number, piece in enumerate(pieces)), path.name
