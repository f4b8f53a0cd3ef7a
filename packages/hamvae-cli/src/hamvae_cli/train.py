"""hamvae train"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

import hamvae_model as hv
from hamvae_model.config import Execution, parse_assignments, set_in_data
from hamvae_model.config import settings as settable
from hamvae_model.config.choices import BATCH_LIMIT, OPERATORS, PRECISIONS
from hamvae_model.data import SOURCES
from hamvae_model.presets import PRESETS

from ._budget import fitted, minutes_option, refuse_both
from ._going_on import began, refuse_a_run_among_its_clips, reopened, steps_begun_with, went_back
from ._opening import open_to_learn
from ._training import Interruption, follow, launched
from .options.clips import OF_CLIPS, ClipOptions, clip_options, labels_option, refuse_labels, skip_bad_option
from .options.common import PATH, STEP_LIMIT, Name, Positive, device_option, json_option, root_option, seed_option
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
    "settings": "--set",
    "seed": "--seed",
    "run": "--run",
}
"""Parameters that a run is begun with and keeps, and their options."""


class TrainCommand(click.Command):
    """Refuses, before anything is loaded, a call that neither begins nor continues a run, or does both."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        given = [name for name in OF_A_NEW_RUN if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        resume = ctx.params["resume"]
        if resume and given:
            raise click.UsageError(
                f"--resume continues a run as it was begun; leave out {OF_A_NEW_RUN[given[0]]}.", ctx
            )
        if ctx.params["from_step"] is not None and not resume:
            raise click.UsageError("--from-step goes back in a run; name it with --resume RUN.", ctx)
        if not resume and "data" not in given and not ctx.resilient_parsing:
            raise click.UsageError(
                "Choose the training data with --data SOURCE, or continue a run with --resume RUN.", ctx
            )
        if "labels" in given:
            refuse_labels(ctx.params["data"])
        return rest


class Settings(click.ParamType[str]):
    """KEY=VALUE, completed to the keys that there are."""

    name = "setting"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(f"{key}=") for key in settable() if key.startswith(incomplete)]


def _either(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"


PRESET_LIST = "\b\nPresets:\n" + "\n".join(f"  {name:<14} {preset.summary}" for name, preset in PRESETS.items())


@click.command(cls=TrainCommand, epilog=PRESET_LIST)
@click.option("--data", type=Name(SOURCES), metavar="SOURCE", help=f"Source of clips: {_either(SOURCES)}.")
@root_option
@click.option(
    "--preset",
    type=Name(PRESETS),
    metavar="NAME",
    help=f"See below; by default {', '.join(f'{source.preset} for {name}' for name, source in SOURCES.items())}.",
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
@click.option(
    "--steps", type=click.IntRange(1, STEP_LIMIT), metavar="N", help="Steps to train, instead of the preset's."
)
@minutes_option
@click.option(
    "--batch", type=click.IntRange(1, BATCH_LIMIT), metavar="N", help="Clips a step, instead of the preset's."
)
@click.option(
    "--precision", type=Name(PRECISIONS), metavar="NAME", help=f"Instead of the preset's: {_either(PRECISIONS)}."
)
@click.option(
    "--set",
    "settings",
    type=Settings(),
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other setting, such as model.content_dim=64; repeat it. docs/configuration.md lists them.",
)
@click.option(
    "--learning-rate",
    type=Positive(0, min_open=True),
    metavar="RATE",
    help="Instead of the preset's; with --resume, from here on.",
)
@seed_option
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
    operator: str | None,
    labels: str | None,
    clips: ClipOptions,
    skip_bad: bool,
    steps: int | None,
    minutes: float | None,
    batch: int | None,
    precision: str | None,
    settings: Sequence[str],
    learning_rate: float | None,
    seed: int,
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

    wanted = parse_assignments(settings)
    refuse_both(minutes, steps)
    where, interruption = choose_device(device), Interruption()
    chosen = preset or (SOURCES[data].preset if data else "")
    folder = resume or run or Path("runs") / f"{data}-{chosen}"
    with joined(where) as ranks:
        if resume is not None:
            if launched() and went_back(folder, from_step, learning_rate):
                from_step = None
            config, source = reopened(folder, root, from_step, learning_rate, where, ranks)
        else:
            refuse_a_run_among_its_clips(folder, root)
            opened_with = set_in_data(clips.data(data, PRESETS[chosen], labels), wanted)
            source = ranks.in_turn(
                lambda: open_to_learn(
                    opened_with, root, length=clips.length, skip_bad=skip_bad, device=where, quiet=ranks.rank > 0
                )
            )
            config = hv.build(
                chosen,
                source=source,
                operator=operator,
                steps=steps,
                batch=batch,
                precision=precision,
                learning_rate=learning_rate,
                seed=seed,
                set=wanted,
            )
            if minutes is not None:
                config = fitted(config, source, minutes, where, ranks, steps_begun_with(folder) if launched() else 0)
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
