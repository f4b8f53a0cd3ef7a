"""hamvae train"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import json
import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

import hamvae_model as hv
from hamvae_model.config.choices import BATCH_LIMIT, OPERATORS, PRECISIONS
from hamvae_model.config.execution import Execution
from hamvae_model.data import SOURCES
from hamvae_model.presets import PRESETS

from ._clips import OF_CLIPS, ClipOptions, clip_options, open_to_learn, skip_bad_option, tell
from ._decoding import Decoding
from ._execution import execution_options
from ._options import (
    PATH,
    STEP_LIMIT,
    Name,
    Positive,
    device_option,
    json_option,
    labels_option,
    refuse_labels,
    root_option,
    seed_option,
)
from ._training import Interruption, follow, launched

if TYPE_CHECKING:
    from hamvae_model.runs import State

OF_A_NEW_RUN = ("data", "preset", "operator", "labels", *OF_CLIPS, "steps", "batch", "precision", "seed", "run")


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
        if ctx.params["from_step"] is not None and not resume:
            raise click.UsageError("--from-step goes back in a run; name it with --resume RUN.", ctx)
        if not resume and "data" not in given and not ctx.resilient_parsing:
            raise click.UsageError(
                "Say what to learn from with --data SOURCE, or continue a run with --resume RUN.", ctx
            )
        if "labels" in given:
            refuse_labels(ctx.params["data"])
        return rest


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
@click.option(
    "--batch", type=click.IntRange(1, BATCH_LIMIT), metavar="N", help="Clips a step, instead of the preset's."
)
@click.option(
    "--precision", type=Name(PRECISIONS), metavar="NAME", help=f"Instead of the preset's: {_either(PRECISIONS)}."
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
    batch: int | None,
    precision: str | None,
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
      hamvae train --data folder --root my-clips --loop --run runs/mine
      hamvae train --resume runs/first
      hamvae train --resume runs/first --from-step 500 --learning-rate 0.0003
      torchrun --standalone --nproc-per-node 2 -m hamvae_cli train --data builtin -o runs/first
    """
    from hamvae_model.data import reopen_source
    from hamvae_model.devices import choose_device
    from hamvae_model.runs import read_state
    from hamvae_model.training import joined

    where, interruption = choose_device(device), Interruption()
    chosen = preset or (SOURCES[data].preset if data else "")
    folder = resume or run or Path("runs") / f"{data}-{chosen}"
    with joined(where) as ranks:
        quiet = ranks.rank > 0
        if resume is not None:
            if launched() and _went_back(folder, from_step, learning_rate):
                from_step = None
            config = _continued(read_state(folder, from_step), learning_rate, back=from_step is not None)
            progress = None if quiet else Decoding()
            source = ranks.in_turn(lambda: reopen_source(config, root, device=where, progress=progress))
            if not quiet:
                tell(source)
        else:
            if root and folder.resolve().is_relative_to(root.resolve()):
                raise hv.UsageError(
                    f"The run folder '{folder}' would lie among the clips in '{root}'; choose one outside of it."
                )
            wanted, length = clips.data(data, PRESETS[chosen], labels), clips.length
            source = ranks.in_turn(
                lambda: open_to_learn(wanted, root, length=length, skip_bad=skip_bad, device=where, quiet=quiet)
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
            )
        began = resume is None and bool(ranks.agreed(launched() and _began(folder, config)))
        reports = hv.fit(
            config,
            folder,
            source=source,
            device=where,
            resume=resume is not None or began,
            from_step=from_step,
            execution=execution,
            stop=interruption,
        )
        root_again = f" --root {shlex.quote(str(root))}" if root else ""
        resume_with = f"{ranks.command} --resume {shlex.quote(str(folder))}{root_again}"
        try:
            report = follow(reports, interruption, resume_with=resume_with, stderr=as_json, quiet=quiet)
        except hv.HamvaeError as error:
            if not error.again:
                raise
            raise hv.HamvaeError(f"{error}{root_again}") from None
        if not quiet:
            _conclude(folder, config.training.steps, report, as_json)


def _continued(state: State, rate: float | None, *, back: bool) -> hv.Config:
    """The configuration of a run that goes on, which remembers another learning rate, and that it went back."""
    training = state.config.training
    rate = rate or training.learning_rate
    if state.step == training.steps or (rate == training.learning_rate and not back):
        return state.config
    return replace(state.config, training=training.at_rate(rate, state.step))


def _began(run: Path, config: hv.Config) -> bool:
    """Whether the run in the folder is the one that a command began which torchrun gives again."""
    from hamvae_model.runs import kept_states, load_config

    return bool(kept_states(run)) and load_config(run) == config


def _went_back(run: Path, step: int | None, rate: float | None) -> bool:
    """Whether the run was saved since it went back to that step, with that rate if one is given."""
    from hamvae_model.runs import load_config

    if step is None:
        return False
    training = load_config(run).training
    return rate in (None, training.learning_rate) and [since for since, _ in training.earlier_rates[-1:]] == [step]


def _conclude(run: Path, steps: int, report: hv.Report | None, as_json: bool) -> None:
    """Say what came of it."""
    if as_json:
        click.echo(json.dumps(_summary(run, steps, report)))
    elif report is None:
        click.echo(f"{run} has done all its {steps} steps; nothing is left to train.")
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
