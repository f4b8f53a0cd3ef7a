"""hamvae swap"""

from pathlib import Path

import click

import hamvae_model as hv

from . import _outputs
from ._options import action_option, device_option, output_option, root_option, run_argument, scale_option


@click.command()
@run_argument
@click.option("--content", required=True, metavar="CLIP", help="Clip to take the look from.")
@click.option("--motion", required=True, metavar="CLIP", help="Clip to take the movement from.")
@action_option
@click.option("--side-by-side", is_flag=True, help="Write content, motion and result together.")
@output_option
@scale_option
@root_option
@device_option
def swap(
    run: Path,
    content: str,
    motion: str,
    action: str | None,
    side_by_side: bool,
    output: Path,
    scale: int,
    root: Path | None,
    device: str,
) -> None:
    """Make one clip's character move the way another does.

    RUN is a run folder, or one weights file. --action names the motion of the second clip when it is a picture file,
    which cannot say so itself.

    \b
    Example:
      hamvae swap runs/first --content builtin:test/3/walk-left \\
          --motion builtin:test/8/slash-left -o swap.gif
    """
    from hamvae_model.devices import choose_device

    _outputs.check(output)
    model = hv.load(run, choose_device(device))
    labels = model.config.data.labels
    look, movement = hv.open_clip(content, root, labels=labels), hv.open_clip(motion, root, labels=labels)
    result = model.swap(look, movement, action)
    _outputs.write(output, [look, movement, result] if side_by_side else [result], scale=scale)
