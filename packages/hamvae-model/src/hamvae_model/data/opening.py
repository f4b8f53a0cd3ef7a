"""Opening sources and clips by name."""

from pathlib import Path

import torch

from ..clips import Clip
from ..config import Config, DataConfig, FramingConfig
from ..config.choices import LABELS, LENGTH, SIZE, VALIDATION
from ..errors import UsageError
from ..media import read
from ..media.opening import exists
from ..words import nearest
from .cache.shards import Progress
from .cache.source import open_listing
from .files.recording import Listing
from .source import Source
from .sources import source_entry
from .validation import with_validation


def open_source(
    name: str,
    root: str | Path | None = None,
    *,
    labels: str = LABELS[-1],
    device: torch.device | str = "cpu",
    framing: FramingConfig | None = None,
    size: int = SIZE,
    length: int = LENGTH,
    loop: bool = False,
    frame_seconds: float | None = None,
    validation: float = VALIDATION,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> Source:
    """Open a source of clips, in the splits ``train``, ``validation`` and ``test``.

    Args:
        name: one of `SOURCES`.
        root: the folder of a source that lives on disk; ``sprites`` falls back on HAMVAE_SPRITES_SHEETS.
        labels: what a class is, ``action`` or ``action-direction``, where a source knows directions.
        device: where characters are composed.
        validation: share of the training identities that is held out to choose weights and settings by; see
            `validation.held_out`.

    The rest is for clips from files, which are decoded once and kept (see `data.cache`):
        framing, size: how their pictures become square frames.
        length: frames of the windows that training looks through.
        loop: take clips that do not say whether they repeat to do so.
        frame_seconds: the unit of time; by default the median duration of a frame over the clips.
        skip_bad: leave clips out that cannot be used, instead of refusing them.
        progress: is told of every decoded clip.

    Raises:
        UsageError: an unknown name or labelling, material that is missing, a clip that cannot be used.
        HamvaeError: a clip that is damaged, a disk that is full.
    """
    entry = source_entry(name)
    if labels not in LABELS:
        raise UsageError(f"There is no labelling '{labels}'{nearest(labels, LABELS)}")
    data = DataConfig(
        source=name,
        labels=labels if labels in entry.labels else entry.labels[0],
        framing=framing or FramingConfig(),
        frame_seconds=frame_seconds,
        loop=loop,
        validation=validation,
    )
    found = entry.find(_path(root), data, device)
    if isinstance(found, Listing):
        found = open_listing(found, data, size=size, length=length, skip_bad=skip_bad, progress=progress)
    return with_validation(found, validation)


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
        validation=data.validation,
        skip_bad=True,
        progress=progress,
    )


def list_clips(name: str, root: str | Path | None, labels: str = LABELS[-1]) -> Listing | None:
    """The clips that a source finds in files; None for one that composes its clips.

    Raises: UsageError: an unknown name, no folder, or one that cannot be read.
    """
    found = source_entry(name).find(_path(root), DataConfig(source=name, labels=labels))
    return found if isinstance(found, Listing) else None


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
    name, colon, rest = reference.partition(":")
    if not colon or "#" in name or exists(Path(reference)):
        return read(reference)
    if like is not None and like.data.source == name:
        source = reopen_source(like, root)
    else:
        source = open_source(name, root, labels=like.data.labels if like else LABELS[-1], skip_bad=True)
    split, _, clip = rest.partition("/")
    return source.clip(split, clip) if split in source.splits else source.find(rest)


def _path(root: str | Path | None) -> Path | None:
    return None if root is None else Path(root)
