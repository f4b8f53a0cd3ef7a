"""Opening a source to learn from: the options of clips from files, and what is said about those clips."""

from __future__ import annotations  # what is named in a signature is not loaded for it

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

import hamvae_model as hv
from hamvae_model.config.run import DataConfig
from hamvae_model.presets import Preset
from hamvae_model.words import counted

from ._decoding import Decoding
from ._options import background_option, fps_option, length_option, loop_option

OF_CLIPS = ("length", "loop", "fps", "background", "skip_bad")  # what a source of composed characters would ignore

skip_bad_option = click.option(
    "--skip-bad", is_flag=True, help="Leave out clips that cannot be used, and say how many."
)


@dataclass(frozen=True, kw_only=True)
class ClipOptions:
    """How clips from files are read; see the options."""

    length: int
    loop: bool
    fps: float | None
    background: tuple[int, ...]

    def data(self, source: str, preset: Preset, labels: str | None) -> DataConfig:
        """The same, as it travels with a run."""
        return DataConfig(
            source=source,
            labels=labels or preset.labels,
            framing=replace(preset.framing, background=self.background),
            frame_seconds=1 / self.fps if self.fps else None,
            loop=self.loop,
        )


def clip_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--length, --loop, --fps and --background, which the command receives together as `clips`."""

    @functools.wraps(command)
    def gathered(
        *words: Any, length: int, loop: bool, fps: float | None, background: tuple[int, ...], **rest: Any
    ) -> Any:
        return command(*words, clips=ClipOptions(length=length, loop=loop, fps=fps, background=background), **rest)

    return length_option(loop_option(fps_option(background_option(gathered))))


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
    given = [name for name in OF_CLIPS if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        raise hv.UsageError(
            f"The {source.name} source composes its clips; --{given[0].replace('_', '-')} is for clips from files, "
            "leave it out."
        )
