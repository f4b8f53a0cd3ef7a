"""Opening a source to learn from, and what is said about its clips."""

from __future__ import annotations  # what is named in a signature is not loaded for it

from pathlib import Path

import click
from click.core import ParameterSource

import hamvae_model as hv
from hamvae_model.config import DataConfig
from hamvae_model.words import counted

from ._decoding import Decoding
from .options.clips import OF_CLIPS


def open_to_learn(
    wanted: DataConfig, root: Path | None, *, length: int, skip_bad: bool, device: str, quiet: bool = False
) -> hv.Source:
    """The source of that configuration; says on standard error what was left out, and how clips were prepared.

    Args: quiet: say neither, nor how far decoding is; another process does.

    Raises: UsageError, HamvaeError: as `open_source`; an option of clips was given for composed characters.
    """
    source = hv.open_source(
        wanted.source,
        root,
        labels=wanted.labels,
        device=device,
        framing=wanted.framing,
        length=length,
        loop=wanted.loop,
        frame_seconds=wanted.frame_seconds,
        validation=wanted.validation,
        skip_bad=skip_bad,
        progress=None if quiet else Decoding(),
    )
    if not source.decoded:
        _refuse_options_of_clips(source)
    if not quiet:
        tell(source)
    return source


def tell(source: hv.Source) -> None:
    """Say on standard error which clips were left out, and of how many which part of the picture was taken."""
    if source.skipped:
        left_out = counted(len(source.skipped), "clip")
        click.echo(f"Left out {left_out} that cannot be used: {', '.join(source.skipped)}", err=True)
    if source.notes:
        said = ", ".join(f"{note} ({count})" for note, count in source.notes.items())
        click.echo(f"Prepared clips: {said}", err=True)


def _refuse_options_of_clips(source: hv.Source) -> None:
    """Raises: UsageError: an option was given that a source of composed characters would ignore."""
    ctx = click.get_current_context()
    given = [
        option for name, option in OF_CLIPS.items() if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise hv.UsageError(
            f"The {source.name} source composes its clips; {given[0]} is for clips from files, leave it out."
        )
