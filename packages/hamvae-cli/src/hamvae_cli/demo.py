"""hamvae demo"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

import hamvae_model as hv

from . import _outputs
from ._budget import fitted, minutes_option, refuse_both
from ._training import Interruption, follow
from .options.common import PATH, SEED_LIMIT, STEP_LIMIT, device_option

if TYPE_CHECKING:
    from hamvae_model.training import Reports

CONTENT, MOTION = "builtin:test/3/walk-left", "builtin:test/60/slash-front"
SCALE = 3  # of the animations
MINUTES = 6.0  # of training, unless asked
JUDGED = 16  # characters of the validation split: the table is to take seconds, not as long as the training
PICTURES = """
{folder}/swap.gif         a character, another's motion, and the one moving as the other
{folder}/generate.png     every motion from one image
{folder}/generate-*.gif   the same, playing
{folder}/samples.png      a character nobody drew, in every motion"""


@click.command()
@click.option(
    "-o", "--output", type=PATH, default=Path("demo"), show_default=True, metavar="DIR", help="Folder for everything."
)
@minutes_option
@click.option(
    "--steps", type=click.IntRange(1, STEP_LIMIT), metavar="N", help="Steps to train, whatever time they take."
)
@click.option(
    "--seed", type=click.IntRange(0, SEED_LIMIT), metavar="N", help="Seed of everything random; by default 0."
)
@device_option
def demo(output: Path, minutes: float | None, steps: int | None, seed: int | None, device: str) -> None:
    """Train on the built-in characters and show the results.

    It trains for about 6 minutes unless --minutes says how long, and downloads nothing. The folder receives the run, a
    swap of two motions, clips generated from one image, and samples of characters nobody drew; a table scores the model
    on characters it never saw. An interrupted demo is continued and a finished run is used again: remove the folder to
    train afresh.

    \b
    Example:
      hamvae demo
    """
    from hamvae_model.devices import choose_device

    refuse_both(minutes, steps)
    where = choose_device(device)
    run = output / "run"
    source = hv.open_source("builtin", device=where)
    interruption = Interruption()
    reports = _begin_or_continue(run, source, minutes, steps, seed, where, interruption)
    _outputs.check_folder(output)
    follow(reports, interruption, resume_with=shlex.join(["hamvae", "demo", "-o", str(output)]))
    model = hv.load(run, where)
    _write_pictures(model, output)
    click.echo(f"\nScoring the model on {JUDGED} characters it never saw, in every motion …")
    _print_scores(model, source)
    click.echo(f"\nNow try: hamvae swap {shlex.quote(str(run))} --content {MOTION} --motion {CONTENT} -o swap.gif")


def _begin_or_continue(
    run: Path,
    source: hv.Source,
    minutes: float | None,
    steps: int | None,
    seed: int | None,
    device: str,
    stop: Callable[[], bool],
) -> Reports:
    """Raises: UsageError: the run that is there was begun with other steps or another seed."""
    from hamvae_model.runs import load_config, steps_done

    done = steps_done(run)
    if done is None:
        config = hv.build("demo", source=source, steps=steps, seed=seed or 0)
        if steps is None:
            config = fitted(config, source, minutes or MINUTES, device)
        return hv.fit(config, run, source=source, device=device, stop=stop)
    config = load_config(run)
    training = config.training
    if steps not in (None, training.steps) or seed not in (None, training.seed):
        raise hv.UsageError(
            f"'{run}' holds a run of {training.steps} steps with seed {training.seed}; remove it to train another, "
            "or choose another folder with -o."
        )
    click.echo(f"Using the finished run in {run}" if done == training.steps else f"Continuing {run} after step {done}")
    return hv.fit(config, run, source=source, device=device, resume=True, stop=stop)


def _write_pictures(model: hv.Model, folder: Path) -> None:
    content, motion = (hv.open_clip(clip, like=model.config) for clip in (CONTENT, MOTION))
    _outputs.save(folder / "swap.gif", [content, motion, model.swap(content, motion)], scale=SCALE)
    generated = [model.generate(content, action) for action in model.classes]
    _outputs.save(folder / "generate.png", generated)
    for clip in generated:
        _outputs.save(folder / f"generate-{clip.label}.gif", [clip], scale=SCALE)
    seed = model.config.training.seed
    _outputs.save(folder / "samples.png", [clip for name in model.classes for clip in model.sample(name, seed=seed)])
    click.echo(PICTURES.format(folder=folder))


def _print_scores(model: hv.Model, source: hv.Source) -> None:
    from hamvae_model.evaluation import HeldOut, copy_floor, generation, roll, static_floor, swap

    from ._console import print_table

    held_out = HeldOut(model, source, JUDGED)
    frames, swaps = generation(held_out), swap(held_out, seed=model.config.training.seed)
    click.echo(f"\nOn {JUDGED} characters the model never saw, in every motion:")
    rows = [
        ("clips through the model", f"{frames['reconstruction']['psnr']:.1f} dB"),
        ("16 frames generated from one", f"{frames['first_frame']['psnr']:.1f} dB"),
        ("that one frame standing still", f"{static_floor(held_out)['static']['psnr']:.1f} dB"),
        ("the training clip that begins most like it", f"{copy_floor(held_out)['copy']['psnr']:.1f} dB"),
        ("motions swapped between characters", f"{swaps['psnr']:.1f} dB"),
        ("swaps that show the right motion", f"{swaps['right_motion']:.0%}"),
        ("error of frames 193-200 over that of 1-8 (1: no drift)", f"{roll(held_out)['ratio']:.2f}"),
    ]
    print_table(("what", "score"), rows)
