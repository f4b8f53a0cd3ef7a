"""hamvae train"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

import hamvae_model as hv
from hamvae_model.config import OPERATORS, SOURCES
from hamvae_model.presets import DEFAULT_PRESETS, PRESETS

from ._clips import OF_CLIPS, ClipOptions, clip_options, open_to_learn, skip_bad_option, tell
from ._decoding import Decoding
from ._options import (
    PATH,
    Name,
    device_option,
    json_option,
    labels_option,
    refuse_labels,
    root_option,
    seed_option,
)
from ._training import follow

OF_A_NEW_RUN = ("data", "preset", "operator", "labels", *OF_CLIPS, "steps", "seed", "run")


class TrainCommand(click.Command):
    """Refuses, before anything is loaded, a call that neither begins nor continues a run, or does both."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        given = [name for name in OF_A_NEW_RUN if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        resume = ctx.params["resume"]
        if resume and given:
            raise click.UsageError(
                f"--resume continues a run as it was begun; leave out --{given[0].replace('_', '-')}.", ctx
            )
        if not resume and "data" not in given and not ctx.resilient_parsing:
            raise click.UsageError(
                "Say what to learn from with --data SOURCE, or continue a run with --resume RUN.", ctx
            )
        if "labels" in given:
            refuse_labels(ctx.params["data"])
        return rest


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


PRESET_LIST = "\b\nPresets:\n" + "\n".join(f"  {name:<14} {preset.summary}" for name, preset in PRESETS.items())


@click.command(cls=TrainCommand, epilog=PRESET_LIST)
@click.option("--data", type=Name(SOURCES), metavar="SOURCE", help=f"Source of clips: {_either(SOURCES)}.")
@root_option
@click.option(
    "--preset",
    type=Name(PRESETS),
    metavar="NAME",
    help=f"See below; by default {', '.join(f'{preset} for {data}' for data, preset in DEFAULT_PRESETS.items())}.",
)
@click.option(
    "--operator",
    type=Name(OPERATORS),
    metavar="NAME",
    help=f"Space of the motion's generators, instead of the preset's: {_either(OPERATORS)}.",
)
@labels_option
@clip_options
@skip_bad_option
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Steps to train, instead of the preset's.")
@seed_option
@device_option
@click.option("--run", type=PATH, metavar="DIR", help="Folder to make; by default runs/SOURCE-PRESET.")
@click.option("--resume", type=PATH, metavar="RUN", help="Continue this run instead, as it was begun.")
@json_option
def train(
    data: str,
    root: Path | None,
    preset: str | None,
    operator: str | None,
    labels: str | None,
    clips: ClipOptions,
    skip_bad: bool,
    steps: int | None,
    seed: int,
    device: str,
    run: Path | None,
    resume: Path | None,
    as_json: bool,
) -> None:
    """Train a model on a source of clips.

    The run folder holds the weights, the configuration, a log of every loss (metrics.jsonl) and sample sheets to
    look at while you wait. Ctrl-C saves and stops; --resume continues to the same numbers as if nothing happened.
    With --json, progress goes to standard error.

    \b
    Example:
      hamvae train --data builtin --run runs/first
      hamvae train --data folder --root my-clips --loop --run runs/mine
      hamvae train --resume runs/first
    """
    from hamvae_model.checkpoint import load_config
    from hamvae_model.data import StoredClips, reopen_source
    from hamvae_model.devices import choose_device

    where = choose_device(device)
    if resume is not None:
        run, config = resume, load_config(resume)
        source = reopen_source(config, root, device=where, progress=Decoding())
        if isinstance(source, StoredClips):
            tell(source)
    else:
        preset = preset or DEFAULT_PRESETS[data]
        run = run or Path("runs") / f"{data}-{preset}"
        wanted = clips.data(data, PRESETS[preset], labels)
        source = open_to_learn(wanted, root, length=clips.length, skip_bad=skip_bad, device=where)
        config = hv.build(preset, source=source, operator=operator, steps=steps, seed=seed)
    reports = hv.fit(config, run, source=source, device=where, resume=resume is not None)
    root_again = f" --root {shlex.quote(str(root))}" if root else ""
    resume_with = f"hamvae train --resume {shlex.quote(str(run))}{root_again}"
    report = follow(reports, resume_with=resume_with, stderr=as_json)
    if as_json:
        click.echo(json.dumps(_summary(run, config.training.steps, report)))
    elif report is None:
        click.echo(f"{run} has done all its {config.training.steps} steps; nothing is left to train.")
    else:
        click.echo(f"Trained {run}; look at what it learnt with: hamvae inspect {shlex.quote(str(run))}")


def _summary(run: Path, steps: int, report: hv.Report | None) -> dict[str, Any]:
    """What --json prints; a run that was complete already has no new numbers."""
    return {
        "run": str(run),
        "steps": steps,
        "seconds": report.seconds if report else None,
        "sequences_per_second": report.sequences_per_second if report else None,
        "losses": report.losses if report else None,
        "psnr": report.psnr if report else None,
    }
