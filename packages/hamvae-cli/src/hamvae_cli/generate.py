"""hamvae generate"""

from __future__ import annotations  # what is named in a signature is not loaded for it

from pathlib import Path

import click

import hamvae_model as hv
from hamvae_model.config import POSES

from . import _outputs
from ._options import Name, device_option, frames_option, output_option, root_option, run_argument, scale_option


@click.command()
@run_argument
@click.option("--image", required=True, metavar="CLIP", help="Picture of the character; of a clip, the first frame.")
@click.option(
    "--action", "actions", required=True, multiple=True, metavar="NAME", help="Motion to perform; repeat it, or 'all'."
)
@frames_option
@click.option(
    "--pose",
    type=Name(POSES),
    default="auto",
    show_default=True,
    help="Start as training clips do, or as the image stands; auto is image when that shows the action.",
)
@output_option
@scale_option
@root_option
@device_option
def generate(
    run: Path,
    image: str,
    actions: tuple[str, ...],
    frames: int,
    pose: str,
    output: Path,
    scale: int,
    root: Path | None,
    device: str,
) -> None:
    """Let the character of one image perform an action.

    Several actions come beside each other in a GIF and below each other in a PNG, or in one file each when FILE
    contains {action}.

    \b
    Example:
      hamvae generate runs/first --image builtin:test/3/walk-left \\
          --action slash-left -o slash.gif
      hamvae generate runs/first --image hero.png --action all -o "hero-{action}.gif"
    """
    from hamvae_model.devices import choose_device

    _outputs.check(output)
    model = hv.load(run, choose_device(device))
    picture = hv.open_clip(image, root, labels=model.config.data.labels)
    clips = [
        model.generate(picture, action, range(frames), pose=pose)
        for action in (model.classes if "all" in actions else actions)
    ]
    _outputs.write(output, clips, scale=scale)
