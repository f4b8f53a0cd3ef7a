"""hamvae reconstruct"""

from __future__ import annotations  # what is named in a signature is not loaded for it

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import hamvae_model as hv

from . import _outputs
from .options.common import Reference, action_option, device_option, output_option, root_option, run_argument
from .options.playing import look_options, timing_options


@click.command()
@run_argument
@click.option("--clip", type=Reference(), required=True, metavar="CLIP", help="Clip to encode and decode.")
@action_option
@click.option("--side-by-side", is_flag=True, help="Write the clip and its reconstruction together.")
@output_option
@timing_options
@look_options
@root_option
@device_option
def reconstruct(
    run: Path,
    clip: str,
    action: str | None,
    side_by_side: bool,
    output: Path,
    timing: Mapping[str, Any],
    look: Mapping[str, Any],
    root: Path | None,
    device: str,
) -> None:
    """Pass a clip through the model.

    The clip may have any size, length and format. What comes out, in its size, is what the model understood. Content
    comes from all frames; the motion is read from the last few and rolled backward to the first.

    \b
    Example:
      hamvae reconstruct runs/first --clip builtin:test/3/walk-left \\
          --side-by-side -o reconstruction.png
    """
    from hamvae_model.devices import choose_device

    _outputs.check(output, transparent=look["transparent"], together=side_by_side)
    model = hv.load(run, choose_device(device))
    original = hv.open_clip(clip, root, like=model.config)
    result = model.plan_swap(original, original, action)
    _outputs.write(output, [original, result] if side_by_side else [result], timing=timing, **look)
