"""Read clips: what a reference names, whichever format it has."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch

from ..clips.clip import Clip
from ..errors import UsageError
from ..words import nearest
from . import folder, layout, pictures, spritesheet, video
from .facts import Facts
from .opening import exists, explained
from .shown import Shown, in_parts, whole

EXTENSIONS = (*pictures.FORMATS, *video.FORMATS)


def read(reference: str | Path) -> Clip:
    """Read a clip into memory.

    Args:
        reference: a file, by its extension (.gif .png .apng .webp .jpg .mp4 .m4v .mov .webm .mkv .avi), or a folder of
            numbered PNG or JPG frames. ``walk.mp4#10:50`` is its frames 10 to 49. ``hero.png#walk-left`` is an action
            of a sprite sheet, which `layout` describes. A PNG without a layout is one frame, or a row of them: the
            number that `write` noted in the file, else width / height square frames when the width is a larger
            multiple of the height.

    Returns: a clip with
        frames: (t, 3, h, w) uint8, transparent parts composited over black
        times: (t,) float32, in units of the median frame duration: 0, 1, 2, ... for evenly timed frames
        lasting: of the last frame, in the same units: 1 for evenly timed frames
        alpha: (t, 1, h, w), or None when every pixel is opaque
        label: the action of a sprite sheet, else None
        source: `reference` as text
        period: the number of frames of a sheet's action that loops and is evenly timed, else None
        frame_seconds: the median frame duration; None where the source has no clock
    Raises:
        UsageError: nothing there, an extension that is not supported, content of another format, too many pixels.
        HamvaeError: the file is damaged or cannot be read.
    """
    asked = _parsed(reference)
    clip = whole(asked.shown(), asked.path)
    return _of_sheet(clip, asked.plan, asked.action, str(reference))


def stream(reference: str | Path) -> Iterator[Clip]:
    """Read a clip of any length in parts of a few million pixels, in order.

    Times go on from part to part, in seconds (`frame_seconds` is 1), or in frames where the source has no clock.

    Args: reference: as for `read`.
    Raises: as `read`, when the part that is wrong is reached.
    """
    asked = _parsed(reference)
    for part in in_parts(asked.shown(), asked.path):
        yield replace(part, source=str(reference), label=asked.action)
        del part  # before the next is decoded


def read_sheet(path: str | Path) -> dict[str, Clip]:
    """Every action of a sprite sheet.

    Raises: as `read`, and UsageError where no layout describes the picture.
    """
    path = _existing(Path(path))
    plan = _plan(path)
    if plan is None:
        raise UsageError(f"{path} has no layout beside it; describe its cells in a sheet.toml.")
    pixels = pictures.still(path)
    return {
        action: _of_sheet(whole(spritesheet.shown(path, plan, action, pixels), path), plan, action, f"{path}#{action}")
        for action in plan.actions
    }


def probe(path: str | Path) -> Facts:
    """What a file says about itself, without decoding it: enough for a list.

    Raises: as `read`.
    """
    path = _existing(Path(path))
    if path.is_dir():
        return folder.facts(path)
    if plan := _plan(path):
        return spritesheet.facts(plan)
    return video.facts(path) if _extension(path) in video.FORMATS else pictures.facts(path)


class _Asked(NamedTuple):
    """A reference, taken apart."""

    path: Path
    start: int = 0
    stop: int | None = None
    action: str | None = None
    plan: layout.Layout | None = None

    def shown(self) -> Iterator[Shown]:
        path = self.path
        if path.is_dir():
            found = folder.shown(path, self.start)
        elif self.plan and self.action:
            found = spritesheet.shown(path, self.plan, self.action, pictures.still(path))
        else:
            found = (video if _extension(path) in video.FORMATS else pictures).shown(path, self.start)
        return islice(found, None if self.stop is None else max(0, self.stop - self.start))


def _parsed(reference: str | Path) -> _Asked:
    path, part = Path(reference), ""
    if "#" in path.name[1:] and not exists(path):
        name, _, part = path.name.rpartition("#")
        path = path.parent / name
    path = _existing(path)
    if window := re.fullmatch("([0-9]{0,15}):([0-9]{0,15})", part):
        start, stop = (int(number) if number else None for number in window.groups())
        return _Asked(path, start or 0, stop)
    plan = None if path.is_dir() else _plan(path)
    if plan is None:
        if part:
            raise UsageError(f"{path} has no layout beside it, so no action '{part}'; describe it in a sheet.toml.")
        return _Asked(path)
    actions = list(plan.actions)
    if not part and len(actions) > 1:
        raise UsageError(f"{path} holds {len(actions)} actions; name one, as in {path.name}#{actions[0]}.")
    action = part or actions[0]
    if action not in plan.actions:
        raise UsageError(f"{path} has no action '{action}'{nearest(action, actions)}")
    return _Asked(path, action=action, plan=plan)


def _of_sheet(clip: Clip, plan: layout.Layout | None, action: str | None, source: str) -> Clip:
    """The clip with what a layout says of its action, if it comes from a sheet."""
    loop = plan.actions[action].loop if plan and action else None
    evenly = clip.lasting == 1 and clip.times.equal(torch.arange(float(len(clip))))
    return replace(clip, source=source, label=action, loop=loop, period=len(clip) if loop and evenly else None)


def _plan(path: Path) -> layout.Layout | None:
    """The layout of a picture that is a sprite sheet; among sheets with a common one, a single cell is a picture."""
    description = layout.described_by(path) if _extension(path) in pictures.STILLS else None
    if description is None:
        return None
    plan = layout.parse(description)
    shared = description.stem != path.stem
    return None if shared and pictures.size(path) == (plan.width, plan.height) else plan


def _existing(path: Path) -> Path:
    """The path, which is there.

    Raises: UsageError: it is not, or may not be looked at.
    """
    try:
        with explained(path):
            path.stat()
    except OSError as error:
        raise UsageError(f"{path} cannot be opened ({error.strerror}); check the spelling.") from None
    except ValueError:
        raise UsageError(f"{path}: no file can have such a name; check the spelling.") from None
    return path


def _extension(path: Path) -> str:
    extension = path.suffix.lower()
    if extension not in EXTENSIONS:
        named = f"the extension '{path.suffix}'" if path.suffix else "a name without extension"
        raise UsageError(f"{path}: {named} names no supported format; use one of {' '.join(EXTENSIONS)}.")
    return extension
