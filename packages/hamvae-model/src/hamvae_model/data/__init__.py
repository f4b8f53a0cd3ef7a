"""Sources of clips, by name."""

from pathlib import Path

import torch

from ..clips.clip import Clip
from ..config.choices import LABELS, LENGTH, SIZE, SOURCES
from ..config.run import Config, DataConfig, FramingConfig
from ..errors import UsageError
from ..words import nearest
from .cache.shards import Progress as Progress
from .cache.source import StoredClips as StoredClips
from .cache.source import open_listing
from .composed.characters import Art as Art
from .composed.characters import Characters as Characters
from .files.recording import Listing as Listing
from .source import Source as Source
from .validation import with_validation as with_validation

__all__ = [
    "Art",
    "Characters",
    "Listing",
    "Progress",
    "Source",
    "StoredClips",
    "list_clips",
    "open_clip",
    "open_source",
    "with_validation",
]


def open_source(
    name: str,
    root: str | Path | None = None,
    *,
    labels: str = "action-direction",
    device: torch.device | str = "cpu",
    framing: FramingConfig | None = None,
    size: int = SIZE,
    length: int = LENGTH,
    loop: bool = False,
    frame_seconds: float | None = None,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> Source:
    """Open a source of clips.

    Args:
        name: ``builtin`` (characters this package draws), ``sprites`` (sheets of the Liberated Pixel Cup), ``folder``
            (your own clips) or ``mug`` (the MUG facial expressions).
        root: the folder of a source that lives on disk; ``sprites`` falls back on HAMVAE_SPRITES_SHEETS.
        labels: what a class is, ``action`` or ``action-direction``, where a source knows directions.
        device: where characters are composed.

    The rest is for clips from files, which are decoded once and kept (see `data.store`):
        framing, size: how their pictures become square frames.
        length: frames of the windows that training looks through.
        loop: take clips that do not say whether they repeat to do so.
        frame_seconds: the unit of time; by default the median duration of a frame over the clips.
        skip_bad: leave clips out that cannot be used, in place of refusing them.
        progress: is told of every decoded clip.

    Raises:
        UsageError: an unknown name or labelling, material that is missing, a clip that cannot be used.
        HamvaeError: a clip that is damaged, a disk that is full.
    """
    if name not in SOURCES:
        raise UsageError(f"There is no source '{name}'{nearest(name, SOURCES)}")
    if labels not in LABELS:
        raise UsageError(f"There is no labelling '{labels}'{nearest(labels, LABELS)}")
    listing = list_clips(name, root, labels)
    if listing is not None:
        framing = framing or FramingConfig()
        labels = labels if name == "sprites" else "action"  # what else a folder's name says is not known
        data = DataConfig(source=name, labels=labels, framing=framing, frame_seconds=frame_seconds, loop=loop)
        return open_listing(listing, data, size=size, length=length, skip_bad=skip_bad, progress=progress)
    if name == "sprites":
        from .composed.sprites import sprites_art

        return Characters(sprites_art(_path(root)), labels, device)
    from .composed import builtin

    art = Art(
        name="builtin",
        attributes=builtin.VALUES,
        actions=builtin.ACTIONS,
        directions=builtin.DIRECTIONS,
        layers=builtin.ATTRIBUTES,
        cells=tuple(builtin.draw_layers()),
    )
    return Characters(art, labels, device)


def reopen_source(
    config: Config,
    root: str | Path | None = None,
    *,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> Source:
    """The source of a run, opened as it was when the run began.

    Raises: as `open_source`.
    """
    data = config.data
    return open_source(
        data.source,
        root,
        labels=data.labels,
        device=device,
        framing=data.framing,
        size=config.model.image_size,
        length=config.model.length,
        loop=data.loop,
        frame_seconds=data.frame_seconds,
        skip_bad=True,
        progress=progress,
    )


def list_clips(name: str, root: str | Path | None, labels: str) -> Listing | None:
    """The clips that a source finds in files; None for characters that are composed of layers.

    Raises: UsageError: no folder, or one that cannot be read.
    """
    try:
        return _list(name, _path(root), labels)
    except PermissionError as error:
        raise UsageError(
            f"The folder '{error.filename}' may not be read; change its permissions or copy it elsewhere."
        ) from None


def _list(name: str, root: Path | None, labels: str) -> Listing | None:
    if name == "builtin":
        return None
    if name == "sprites":
        from .composed.sprites import is_in_layers, sprites_root
        from .files.lpc import list_lpc

        folder = sprites_root(root)
        return None if is_in_layers(folder) else list_lpc(folder, labels)
    if root is None:
        raise UsageError(f"The {name} source needs the folder of its clips: pass --root DIR.")
    from .files.folder import list_folder
    from .files.mug import list_mug

    return list_folder(root) if name == "folder" else list_mug(root)


def _path(root: str | Path | None) -> Path | None:
    return None if root is None else Path(root)


def open_clip(reference: str, root: str | Path | None = None, *, like: Config | None = None) -> Clip:
    """A clip by reference, ``sprites:test/12/walk-left`` or ``folder:walk/hero.gif``, or from a file.

    Args:
        reference: of a clip of a source, or a file or folder as for `media.read`.
        root: the folder of the source.
        like: a run, whose source is opened as it was for training, and whose classes are meant.

    Raises:
        UsageError: a reference that names nothing, a file that is missing or of no supported format.
        HamvaeError: a damaged file.
    """
    from ..media.opening import exists

    name, colon, rest = reference.partition(":")
    if colon and "#" not in name and not exists(Path(reference)):
        if like is not None and like.data.source == name:
            source = reopen_source(like, root)
        else:
            source = open_source(name, root, labels=like.data.labels if like else LABELS[-1], skip_bad=True)
        split, _, clip = rest.partition("/")
        if split not in source.splits and isinstance(source, StoredClips):
            return source.find(rest)
        return source.clip(split, clip)
    from ..media import read

    return read(reference)
