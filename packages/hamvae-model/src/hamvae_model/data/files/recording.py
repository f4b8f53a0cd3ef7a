"""Clips on disk before they are decoded: what they show, which files make them, and how to read them."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...clips.clip import Clip
from ...errors import HamvaeError
from ...limits import NAME_LIMIT
from ...words import is_plain


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One clip that a listing of a folder found.

    Args:
        name: as a user types it, unique in its folder: ``walk/hero.gif``, ``heroes.png#walk-left``.
        label: the motion it shows.
        files: all that its frames are made from; when one of them changes, the clip is decoded again.
        decode: reads it, in pieces that follow each other in time; raises what `media.read` raises.
        identity: who is seen, if known; no identity is in both splits.
        split: ``train`` or ``test``, if known.
        attributes: what else is known of it.
        note: how it is prepared, for people: ``cropped to its landmarks``.
    """

    name: str
    label: str
    files: tuple[Path, ...]
    decode: Callable[[], Iterable[Clip]]
    identity: str | None = None
    split: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a folder holds.

    Args:
        root: the folder.
        recordings: in the order of their names.
        problems: what is there and cannot be a clip, by name, and why.
        ignored: names of files that are none of our business.
        recipe: a word for how frames are prepared before they are framed, when they are.
    """

    root: Path
    recordings: tuple[Recording, ...]
    problems: Mapping[str, HamvaeError] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    recipe: str = ""


def visible(folder: Path) -> Iterator[Path]:
    """What a folder holds, by name; what begins with a dot is nobody's clip."""
    return (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))


def dead_end(path: Path) -> str | None:
    """Why something in a folder is of no use: its name, what it links to, or what it is; None for what can be used."""
    name = os.fsencode(path.name).decode(errors="replace")  # a name in no encoding can be escaped where it is shown
    if not is_plain(name) or "\\" in path.name or len(name) > NAME_LIMIT:
        return "has a name that is too long, or has signs in it that cannot be shown; rename it."
    if not path.is_symlink():
        return None if path.is_file() or path.is_dir() else "is a pipe or a device, and no file; remove it."
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a symbolic link to nothing or to itself; repair or remove it."
    if path.parent.resolve().is_relative_to(target):
        return "is a symbolic link to a folder that it stands in itself; remove it."
    return None if target.is_file() or target.is_dir() else "is a symbolic link to no file; remove it."
