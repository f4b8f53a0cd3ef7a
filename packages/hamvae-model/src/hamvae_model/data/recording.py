"""Clips on disk before they are decoded: what they show, which files make them, and how to read them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..clip import Clip
from ..errors import HamvaeError


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One clip that a listing of a folder found.

    Args:
        name: as a user types it, unique in its folder: ``walk/hero.gif``, ``heroes.png#walk-left``.
        label: the motion it shows.
        files: all that its frames are made from; when one of them changes, the clip is decoded again.
        decode: reads it, in pieces that follow each other in time; raises what `media.read` raises.
        identity: who is seen, when somebody said; no identity is in both splits.
        split: ``train`` or ``test``, when somebody said.
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
    """Why a symbolic link is of no use; None for one that is, and for what is no link."""
    if not path.is_symlink():
        return None
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a symbolic link to nothing or to itself; repair or remove it."
    if path.parent.resolve().is_relative_to(target):
        return "is a symbolic link to a folder that it stands in itself; remove it."
    return None
