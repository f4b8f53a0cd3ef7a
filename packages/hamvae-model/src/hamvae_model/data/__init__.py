"""Sources of clips, by name."""

from pathlib import Path

import torch

from ..clip import Clip
from ..config import LABELS, SOURCES
from ..errors import UsageError
from ..spelling import nearest
from .characters import Art as Art
from .characters import Characters as Characters
from .source import Source as Source

__all__ = ["Art", "Characters", "Source", "open_clip", "open_source"]


def open_source(
    name: str,
    root: Path | None = None,
    *,
    labels: str = "action-direction",
    device: torch.device | str = "cpu",
) -> Characters:
    """Open a source of clips.

    Args:
        name: ``builtin`` (characters this package draws) or ``sprites`` (the real sheets).
        root: the folder of a source that lives on disk; ``sprites`` falls back on HAMVAE_SPRITES_SHEETS.
        labels: what a class is, ``action`` or ``action-direction``.
        device: where clips are composed.

    Raises: UsageError: an unknown name or labelling, or material that is missing.
    """
    if name not in SOURCES:
        raise UsageError(f"There is no source '{name}'{nearest(name, SOURCES)}")
    if labels not in LABELS:
        raise UsageError(f"There is no labelling '{labels}'{nearest(labels, LABELS)}")
    if name == "sprites":
        from .sprites import sprites_art

        return Characters(sprites_art(root), labels, device)
    from . import builtin

    art = Art(
        name="builtin",
        attributes=builtin.VALUES,
        actions=builtin.ACTIONS,
        directions=builtin.DIRECTIONS,
        layers=builtin.ATTRIBUTES,
        cells=tuple(builtin.draw_layers()),
    )
    return Characters(art, labels, device)


def open_clip(reference: str, root: Path | None = None, *, labels: str = "action-direction") -> Clip:
    """A clip by reference, ``sprites:test/12/walk-left`` or ``builtin:train/3/slash-front``, or from a picture file.

    Raises:
        UsageError: a reference that names nothing, a file that is missing or of no supported format.
        HamvaeError: a damaged file.
    """
    name, colon, rest = reference.partition(":")
    if colon and not Path(reference).exists():
        split, _, clip = rest.partition("/")
        return open_source(name, root, labels=labels).clip(split, clip)
    from ..media import read

    return read(reference)
