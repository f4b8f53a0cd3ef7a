"""The picture a command writes: refused before the work when it could not be written after it."""

from __future__ import annotations  # what is named in a signature is not loaded for it

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import hamvae_model as hv
from hamvae_model.config.choices import OUTPUTS

if TYPE_CHECKING:
    from hamvae_model.animate import Performance

    Shown = hv.Clip | Performance

SHEETS = (".png", ".json")  # hold all frames at once
PLACEHOLDER = "{action}"  # in a file name: one file for each action


def check(path: Path, *, transparent: bool = False, together: bool = False) -> None:
    """Args: together: what is shown belongs into one file.

    Raises: UsageError: another extension, a file for each action of what belongs together, or a file that
        could not be made there.
    """
    extension = path.suffix.lower()
    if extension not in OUTPUTS:
        raise hv.UsageError(f"'{path}' must end in one of {' '.join(OUTPUTS)}: the extension says what to write.")
    if transparent and extension == ".mp4":
        raise hv.UsageError(f"'{path}' cannot be transparent: an MP4 has no transparency; write a WebP or a GIF.")
    if together and PLACEHOLDER in path.name:
        raise hv.UsageError(f"--side-by-side puts everything into one file; leave {PLACEHOLDER} out of '{path}'.")
    if path.is_dir():
        raise hv.UsageError(f"'{path}' is a folder; name a file.")
    check_folder(path.parent)
    if extension == ".json":
        from hamvae_model.media import picture_of

        picture_of(path)


def check_folder(folder: Path) -> None:
    """Raises: UsageError: it is missing, a file, or takes no files."""
    if folder.exists() and not folder.is_dir():
        raise hv.UsageError(f"'{folder}' is a file; name a folder.")
    if not folder.is_dir():
        raise hv.UsageError(f"The folder '{folder}' does not exist; make it first.")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise hv.UsageError(f"The folder '{folder}' takes no files ({error.strerror}); choose another.") from None


def write(path: Path, shown: Sequence[Shown | None], *, columns: int | None = None, **options: Any) -> None:
    """Save what is shown, in one file or in one for each action when the name asks for that, and say so.

    Args: shown, columns, options: as for `save`.
    Raises: UsageError: frames too fast or too slow for a GIF, before any is drawn.
    """
    if path.suffix.lower() == ".gif":
        _check_durations(shown, **(options.get("timing") or {}))
    if PLACEHOLDER not in path.name:
        save(path, shown, columns=columns, **options)
        click.echo(f"Wrote {path}")
        return
    groups: dict[str, list[Shown]] = {}
    for one in shown:
        if one is not None:
            groups.setdefault((one.label if isinstance(one, hv.Clip) else one.action) or "", []).append(one)
    names = {action: path.with_name(path.name.replace(PLACEHOLDER, action)) for action in groups}
    for name in names.values():
        check(name)  # all of them before the first is drawn
    for action, group in groups.items():
        name = names[action]
        save(name, group, **options)
        click.echo(f"Wrote {name}")


def _check_durations(shown: Sequence[Shown | None], **timing: Any) -> None:
    from hamvae_model.clips import Timing
    from hamvae_model.media import check_duration

    asked = Timing(**timing)
    for one in shown:
        if one is not None:
            for seconds in set(asked.durations(asked.moments(one.times), one.frame_seconds)):
                check_duration(seconds)


def save(
    path: Path,
    shown: Sequence[Shown | None],
    *,
    columns: int | None = None,
    timing: Mapping[str, Any] | None = None,
    scale: int = 1,
    loop: int = 0,
    transparent: bool = False,
) -> None:
    """One clip as it is; several in a table that plays, below each other with their names in a PNG, or on a sheet.

    Args:
        shown: clips and performances; None leaves a place of the table empty.
        columns: of the table; by default all are beside each other.
        timing: what `Timing` is made from; by default everything is shown as it is.
        scale, loop: as for `media.write`.
        transparent: keep the transparency of given clips, and cut what the model drew out of its background.
    """
    from hamvae_model import media
    from hamvae_model.clips import Timing
    from hamvae_model.data import clip_rows, grid, in_step

    asked = Timing(**(timing or {}))
    first, extension = shown[0], path.suffix.lower()
    if len(shown) == 1 and extension not in SHEETS and first is not None and not isinstance(first, hv.Clip):
        moments = asked.moments(first.times)  # a roll of any length is written as it is drawn
        parts = first.parts(moments, transparent=transparent)
        durations = asked.durations(moments, first.frame_seconds, asked.lasting(first))
        media.write(path, parts, durations=durations, scale=scale, loop=loop)
        return

    def drawn(one: Shown) -> hv.Clip:
        if isinstance(one, hv.Clip):
            return asked.of(one)
        return one.clip(asked.moments(one.times), transparent=transparent)

    places = [None if one is None else drawn(one) for one in shown]
    clips = [clip for clip in places if clip is not None]
    lengths = [asked.durations(clip.times, clip.frame_seconds, clip.lasting) for clip in clips]
    if extension == ".json":
        _save_sheet(path, clips, lengths, scale=scale, transparent=transparent)
    elif len(clips) > 1 and extension == ".png":
        media.write(path, clip_rows(clips, scale))
    else:
        width = columns or len(places)
        table = [places[at : at + width] for at in range(0, len(places), width)]
        together, durations = in_step(clips, lengths)
        frames = grid(table, together, transparent=transparent)
        media.write(path, frames, durations=durations, scale=scale, loop=loop)


def _save_sheet(
    path: Path, clips: Sequence[hv.Clip], durations: Sequence[Sequence[float]], *, scale: int, transparent: bool
) -> None:
    from hamvae_model import media
    from hamvae_model.clips import straight

    names = _distinct([clip.label or "clip" for clip in clips])
    frames = [straight(clip) if transparent else clip.frames for clip in clips]
    lasting = dict(zip(names, durations, strict=True))
    media.write_sheet(path, dict(zip(names, frames, strict=True)), durations=lasting, scale=scale)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, with a number where one was there before."""
    return [name if name not in names[:at] else f"{name} {names[:at].count(name) + 1}" for at, name in enumerate(names)]
