"""hamvae generate"""

from __future__ import annotations  # what is named in a signature is not loaded for it

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import hamvae_model as hv
from hamvae_model.config.choices import POSES

from . import _outputs
from .options.common import Action, Name, Reference, device_option, output_option, root_option, run_argument
from .options.playing import look_options, timing_options


@click.command()
@run_argument
@click.option(
    "--image",
    type=Reference(),
    required=True,
    metavar="CLIP",
    help="Picture of the character; of a clip, the first frame.",
)
@click.option(
    "--action",
    "actions",
    type=Action(),
    required=True,
    multiple=True,
    metavar="NAME",
    help="Motion to perform; repeat it, or 'all'.",
)
@click.option(
    "--pose",
    type=Name(POSES),
    default="auto",
    show_default=True,
    help="Begin as training clips do, or as the image stands; auto is image when that shows the action.",
)
@output_option
@timing_options
@look_options
@root_option
@device_option
def generate(
    run: Path,
    image: str,
    actions: tuple[str, ...],
    pose: str,
    output: Path,
    timing: Mapping[str, Any],
    look: Mapping[str, Any],
    root: Path | None,
    device: str,
) -> None:
    """Let the character of one image perform an action.

    CLIP may be a picture of any size and format; the result has its size. Several actions come beside each other in
    an animation, below each other in a PNG or on a sprite sheet (.json), or in one file each when FILE contains
    {action}.

    \b
    Example:
      hamvae generate runs/first --image builtin:test/3/walk-left \\
          --action slash-left -o slash.gif
      hamvae generate runs/first --image hero.png --action all -o "hero-{action}.gif"
    """
    from hamvae_model.devices import choose_device

    _outputs.check(output, transparent=look["transparent"])
    model = hv.load(run, choose_device(device))
    picture = hv.open_clip(image, root, like=model.config)
    clips = [
        model.plan_generate(picture, action, pose=pose) for action in (model.classes if "all" in actions else actions)
    ]
    _outputs.write(output, clips, timing=timing, **look)
