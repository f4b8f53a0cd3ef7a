"""hamvae sample"""

from __future__ import annotations  # what is named in a signature is not loaded for it

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import hamvae_model as hv

from . import _outputs
from .options.common import MANY, Action, Name, device_option, output_option, run_argument, seed_option
from .options.playing import look_options, timing_options


@click.command()
@run_argument
@click.option(
    "--action",
    "actions",
    type=Action(),
    multiple=True,
    metavar="NAME",
    help="Motion to sample; repeat it. [default: all]",
)
@click.option(
    "--count", type=click.IntRange(1, MANY), default=1, show_default=True, metavar="N", help="Clips per action."
)
@click.option(
    "--prior",
    type=Name(("fitted", "standard")),
    default="fitted",
    show_default=True,
    help="Where motions start: fitted to training clips, or N(0, I).",
)
@seed_option
@output_option
@timing_options
@look_options
@device_option
def sample(
    run: Path,
    actions: tuple[str, ...],
    count: int,
    prior: str,
    seed: int,
    output: Path,
    timing: Mapping[str, Any],
    look: Mapping[str, Any],
    device: str,
) -> None:
    """Draw clips of characters that nobody drew.

    Content comes from its prior; the same seed draws the same characters for every action. A PNG has a row for each
    clip, an animation shows them beside each other; {action} in FILE writes one file for each action.

    \b
    Example:
      hamvae sample runs/first --action walk-front --count 6 -o crowd.gif
      hamvae sample runs/first --seed 4 -o samples.png
    """
    from hamvae_model.devices import choose_device

    _outputs.check(output, transparent=look["transparent"])
    model = hv.load(run, choose_device(device))
    clips = [
        clip
        for action in (actions or model.classes)
        for clip in model.plan_sample(action, count, seed=seed, prior=prior)
    ]
    _outputs.write(output, clips, timing=timing, **look)
