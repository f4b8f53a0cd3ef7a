"""hamvae sample"""

from pathlib import Path

import click

import hamvae_model as hv

from . import _outputs
from ._options import Name, device_option, frames_option, output_option, run_argument, scale_option, seed_option


@click.command()
@run_argument
@click.option("--action", "actions", multiple=True, metavar="NAME", help="Motion to sample; repeat it. [default: all]")
@click.option(
    "--count", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Clips per action."
)
@frames_option
@click.option(
    "--prior",
    type=Name(("fitted", "standard")),
    default="fitted",
    show_default=True,
    help="Where motions start: fitted to training clips, or N(0, I).",
)
@seed_option
@output_option
@scale_option
@device_option
def sample(
    run: Path,
    actions: tuple[str, ...],
    count: int,
    frames: int,
    prior: str,
    seed: int,
    output: Path,
    scale: int,
    device: str,
) -> None:
    """Draw clips of characters that nobody drew.

    Content comes from its prior; the same seed draws the same characters for every action. A PNG has a row for each
    clip, a GIF shows them beside each other; {action} in FILE writes one file for each action.

    \b
    Example:
      hamvae sample runs/first --action walk-front --count 6 -o crowd.gif
      hamvae sample runs/first --seed 4 -o samples.png
    """
    from hamvae_model.devices import choose_device

    _outputs.check(output)
    model = hv.load(run, choose_device(device))
    clips = [
        clip
        for action in (actions or model.classes)
        for clip in model.sample(action, count, range(frames), seed=seed, prior=prior)
    ]
    _outputs.write(output, clips, scale=scale)
