"""hamvae judge train"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import json
import time
from dataclasses import replace
from pathlib import Path

import click

import hamvae_model as hv
from hamvae_model.config.choices import JUDGE_STEPS, VALIDATION
from hamvae_model.data import SOURCES
from hamvae_model.presets import PRESETS
from hamvae_model.words import counted

from .. import _outputs
from .._opening import open_to_learn
from .._training import watch
from ..options.clips import ClipOptions, clip_options, labels_option, refuse_labels, skip_bad_option
from ..options.common import PATH, STEP_LIMIT, Name, device_option, json_option, root_option, seed_option
from .show import print_heads


@click.command()
@click.option(
    "--data", type=Name(SOURCES), required=True, metavar="SOURCE", help=f"Source of clips: {', '.join(SOURCES)}."
)
@root_option
@click.option("--preset", type=Name(PRESETS), metavar="NAME", help="Of the runs to be judged; as for `hamvae train`.")
@labels_option
@clip_options
@skip_bad_option
@click.option(
    "--validation",
    type=click.FloatRange(0, 1, max_open=True),
    default=VALIDATION,
    show_default=True,
    metavar="SHARE",
    help="Share of the characters held out to measure it on; at least that of the runs to be judged.",
)
@click.option(
    "--steps",
    type=click.IntRange(1, STEP_LIMIT),
    default=JUDGE_STEPS,
    show_default=True,
    metavar="N",
    help="Steps to train.",
)
@seed_option
@device_option
@click.option(
    "-o",
    "--output",
    type=PATH,
    metavar="FILE",
    help="File to write; by default judges/SOURCE-LABELS.safetensors, where evaluation looks for it.",
)
@json_option
def train(
    data: str,
    root: Path | None,
    preset: str | None,
    labels: str | None,
    clips: ClipOptions,
    skip_bad: bool,
    validation: float,
    steps: int,
    seed: int,
    device: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Train a judge of what clips show: their action, and each attribute of their character.

    It takes minutes on a CPU, and is measured on every held-out clip: evaluation refuses a judge that recognises less
    than 99% of them, or that was trained on other clips than the run. With --json, progress goes to standard error.

    \b
    Example:
      hamvae judge train --data builtin
      hamvae judge train --data folder --root my-clips --clips-repeat
    """
    from hamvae_model.devices import choose_device
    from hamvae_model.judge import REQUIRED, default_path, measured_on, save_judge, train_judge

    if labels:
        refuse_labels(data)
    where = choose_device(device)
    wanted = replace(clips.data(data, PRESETS[preset or SOURCES[data].preset], labels), validation=validation)
    source = open_to_learn(wanted, root, length=clips.length, skip_bad=skip_bad, device=where)
    path = output or default_path(source.name, source.data.labels)
    _make_room(path, make=output is None)
    began = time.perf_counter()
    judge = watch(train_judge(source, steps=steps, seed=seed, device=where), stderr=as_json)
    save_judge(path, judge)
    held_out = source.splits[measured_on(source)]
    if as_json:
        facts = {"judge": str(path), "steps": steps, "seconds": time.perf_counter() - began}
        click.echo(json.dumps(facts | {"held_out_clips": held_out, "accuracy": judge.accuracy}))
    else:
        print_heads(judge)
        click.echo(f"Measured on {counted(held_out, 'held-out clip')} and saved as {path}")
    if min(judge.accuracy.values()) < REQUIRED:
        click.echo(f"Evaluation refuses a judge below {REQUIRED:.0%}: train it with more --steps.", err=True)


def _make_room(path: Path, *, make: bool) -> None:
    """Find out before the work whether the file can be written after it.

    Args: make: make the folder.
    Raises: UsageError: there is a judge already, or no folder that takes files.
    """
    if path.is_dir():
        raise hv.UsageError(f"'{path}' is a folder; name a file.")
    if path.exists():
        raise hv.UsageError(f"'{path}' exists already; remove it, or name another file with -o.")
    if make:
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise hv.UsageError(
                f"The folder '{path.parent}' cannot be made ({error.strerror}); name a file with -o."
            ) from None
    _outputs.check_folder(path.parent)
