"""The picture a command writes: refused before the work when it could not be written after it."""

from __future__ import annotations  # what is named in a signature is not loaded for it

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

import hamvae_model as hv

EXTENSIONS = (".gif", ".png")
PLACEHOLDER = "{action}"  # in a file name: one file for each action


def check(path: Path) -> None:
    """Raises: UsageError: another extension, or a file that could not be made there."""
    if path.suffix.lower() not in EXTENSIONS:
        raise hv.UsageError(f"'{path}' must end in {' or '.join(EXTENSIONS)}: the extension says what to write.")
    if path.is_dir():
        raise hv.UsageError(f"'{path}' is a folder; name a file.")
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    """Raises: UsageError: it is missing or takes no files."""
    if not folder.is_dir():
        raise hv.UsageError(f"The folder '{folder}' does not exist; make it first.")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise hv.UsageError(f"The folder '{folder}' takes no files ({error.strerror}); choose another.") from None


def write(path: Path, clips: Sequence[hv.Clip], *, scale: int = 1) -> None:
    """Save the clips, in one file or in one for each action when the name asks for that, and say so."""
    groups: dict[Path, list[hv.Clip]] = {}
    for clip in clips:
        groups.setdefault(path.with_name(path.name.replace(PLACEHOLDER, clip.label or "")), []).append(clip)
    for name, group in groups.items():
        save(name, group, scale=scale)
        click.echo(f"Wrote {name}")


def save(path: Path, clips: Sequence[hv.Clip], *, scale: int = 1) -> None:
    """One clip as it is; several beside each other in a GIF, or below each other with their names in a PNG."""
    from hamvae_model import media, showcase

    if len(clips) == 1:
        media.write(path, clips[0].frames, scale=scale)
    elif path.suffix.lower() == ".gif":
        media.write(path, showcase.side_by_side(clips), scale=scale)
    else:
        media.write(path, showcase.rows(clips, scale))
