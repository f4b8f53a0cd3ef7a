"""hamvae train"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

import hamvae_model as hv
from hamvae_model.config import Execution, refuse_twice
from hamvae_model.data import SOURCES
from hamvae_model.presets import PRESETS

from ._beginning import begun
from ._budget import minutes_option, refuse_both
from ._going_on import began, reopened, went_back
from ._training import Interruption, follow, launched
from .options.building import building_options, either
from .options.clips import OF_CLIPS, ClipOptions, clip_options, labels_option, refuse_labels, skip_bad_option
from .options.common import PATH, Name, device_option, json_option, root_option
from .options.execution import execution_options

if TYPE_CHECKING:
    from hamvae_model.training import Ranks, Reports

OF_A_NEW_RUN = {
    "data": "--data",
    "preset": "--preset",
    "operator": "--operator",
    "labels": "--labels",
    **OF_CLIPS,
    "steps": "--steps",
    "minutes": "--minutes",
    "batch": "--batch",
    "precision": "--precision",
    "set": "--set",
    "seed": "--seed",
    "run": "--run",
}
"""Parameters that a run is begun with and keeps, and their options."""


class TrainCommand(click.Command):
    """Refuses, before anything is loaded, a call that neither begins nor continues a run, or does both."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if ctx.resilient_parsing:  # a shell completes a call that is not written to its end
            return rest
        given = [name for name in OF_A_NEW_RUN if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        resume = ctx.params["resume"]
        if resume and given:
            raise click.UsageError(
                f"--resume continues a run as it was begun; leave out {OF_A_NEW_RUN[given[0]]}.", ctx
            )
        if ctx.params["from_step"] is not None and not resume:
            raise click.UsageError("--from-step goes back in a run; name it with --resume RUN.", ctx)
        if not resume and "data" not in given:
            raise click.UsageError(
                "Choose the training data with --data SOURCE, or continue a run with --resume RUN.", ctx
            )
        if "labels" in given:
            refuse_labels(ctx.params["data"])
        refuse_both(ctx.params["minutes"], ctx.params["steps"])
        refuse_twice(ctx.params, ctx.params["set"])
        return rest


PRESET_LIST = "\b\nPresets:\n" + "\n".join(f"  {name:<14} {preset.summary}" for name, preset in PRESETS.items())


@click.command(cls=TrainCommand, epilog=PRESET_LIST)
@click.option("--data", type=Name(SOURCES), metavar="SOURCE", help=f"Source of clips: {either(SOURCES)}.")
@root_option
@click.option(
    "--preset",
    type=Name(PRESETS),
    metavar="NAME",
    help=f"See below; by default {', '.join(f'{source.preset} for {name}' for name, source in SOURCES.items())}.",
)
@minutes_option
@building_options
@labels_option
@clip_options
@skip_bad_option
@device_option
@execution_options
@click.option("-o", "--run", type=PATH, metavar="DIR", help="Folder to make; by default runs/SOURCE-PRESET.")
@click.option("--resume", type=PATH, metavar="RUN", help="Continue this run instead, as it was begun.")
@click.option(
    "--from-step",
    type=click.IntRange(min=0),
    metavar="N",
    help="With --resume, go back to the state kept after this step; see `hamvae inspect RUN`.",
)
@json_option
def train(
    data: str,
    root: Path | None,
    preset: str | None,
    minutes: float | None,
    asked: Mapping[str, Any],
    labels: str | None,
    clips: ClipOptions,
    skip_bad: bool,
    device: str,
    execution: Execution,
    run: Path | None,
    resume: Path | None,
    from_step: int | None,
    as_json: bool,
) -> None:
    """Train a model on a source of clips.

    The run folder holds the weights, the configuration, a log of every loss (metrics.jsonl) and sample sheets to
    look at while you wait. Ctrl-C saves and stops; --resume continues to the same numbers as if nothing happened.
    With --json, progress goes to standard error. Processes that torchrun starts train one model together.

    \b
    Example:
      hamvae train --data builtin --run runs/first
      hamvae train --data folder --root my-clips --clips-repeat --run runs/mine
      hamvae train --data builtin --minutes 20
      hamvae train --data builtin --set model.content_dim=64 --set model.pairs=6
      hamvae train --resume runs/first
      hamvae train --resume runs/first --from-step 500 --learning-rate 0.0003
      torchrun --standalone --nproc-per-node 2 -m hamvae_cli train --data builtin -o runs/first
    """
    from hamvae_model.devices import choose_device
    from hamvae_model.training import joined

    where, interruption = choose_device(device), Interruption()
    chosen = preset or (SOURCES[data].preset if data else "")
    folder = resume or run or Path("runs") / f"{data}-{chosen}"
    with joined(where) as ranks:
        if resume is not None:
            rate = asked["learning_rate"]
            if launched() and went_back(folder, from_step, rate):
                from_step = None
            config, source = reopened(folder, root, from_step, rate, where, ranks)
        else:
            config, source = begun(
                folder,
                chosen,
                clips.data(data, PRESETS[chosen], labels),
                root,
                asked,
                length=clips.length,
                skip_bad=skip_bad,
                minutes=minutes,
                device=where,
                ranks=ranks,
            )
        again = resume is None and bool(ranks.agreed(launched() and began(folder, config)))
        reports = hv.fit(
            config,
            folder,
            source=source,
            device=where,
            resume=resume is not None or again,
            from_step=from_step,
            execution=execution,
            stop=interruption,
        )
        report = _followed(reports, interruption, folder, root, ranks, as_json)
        if ranks.rank == 0:
            _conclude(folder, config.training.steps, report, as_json)


def _followed(
    reports: Reports, interruption: Interruption, run: Path, root: Path | None, ranks: Ranks, as_json: bool
) -> hv.Report | None:
    """Train to the end, and return the last report; a failure names the command that goes on."""
    root_again = f" --root {shlex.quote(str(root))}" if root else ""
    resume_with = f"{ranks.command} --resume {shlex.quote(str(run))}{root_again}"
    try:
        return follow(reports, interruption, resume_with=resume_with, stderr=as_json, quiet=ranks.rank > 0)
    except hv.HamvaeError as error:
        if not error.again:
            raise
        raise hv.HamvaeError(f"{error}{root_again}") from None


def _conclude(run: Path, steps: int, report: hv.Report | None, as_json: bool) -> None:
    """Say what came of it."""
    if as_json:
        click.echo(json.dumps(_summary(run, steps, report)))
    elif report is None:
        click.echo(f"{run} has done all its {steps} steps; nothing is left to train.")
    else:
        click.echo(f"Trained {run}; look at what it learned with: hamvae inspect {shlex.quote(str(run))}")


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
