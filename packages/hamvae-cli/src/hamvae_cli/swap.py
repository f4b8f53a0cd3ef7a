"""hamvae swap"""

from __future__ import annotations  # what is named in a signature is not loaded for it

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import hamvae_model as hv

from . import _outputs
from .options.common import Action, Reference, device_option, output_option, root_option, run_argument
from .options.playing import look_options, timing_options


@click.command()
@run_argument
@click.option(
    "--content",
    "contents",
    type=Reference(),
    required=True,
    multiple=True,
    metavar="CLIP",
    help="Clip to take the look from.",
)
@click.option(
    "--motion",
    "motions",
    type=Reference(),
    required=True,
    multiple=True,
    metavar="CLIP",
    help="Clip to take the movement from.",
)
@click.option(
    "--action",
    "actions",
    type=Action(),
    multiple=True,
    metavar="NAME",
    help="Motion that --motion shows, when it does not say; one for all or one for each. See `hamvae inspect RUN`.",
)
@click.option("--side-by-side", is_flag=True, help="Write content, motion and result together.")
@output_option
@timing_options
@look_options
@root_option
@device_option
def swap(
    run: Path,
    contents: Sequence[str],
    motions: Sequence[str],
    actions: Sequence[str],
    side_by_side: bool,
    output: Path,
    timing: Mapping[str, Any],
    look: Mapping[str, Any],
    root: Path | None,
    device: str,
) -> None:
    """Make one clip's character move the way another does.

    RUN is a run folder, or one weights file. A clip may have any size, length and format, and the content may be a
    single picture. The result has the content's size and the motion's times. --content and --motion may be repeated:
    every content with every motion, a row for each content in an animation. A PNG or a sprite sheet (.json) holds all
    frames at once, so there the results stand below each other.

    \b
    Example:
      hamvae swap runs/first --content builtin:test/3/walk-left \\
          --motion builtin:test/8/slash-left -o swap.gif
      hamvae swap runs/first --content hero.png --motion walk.mp4 --action walk-left -o hero.webp
    """
    from hamvae_model.devices import choose_device

    _outputs.check(output, transparent=look["transparent"], together=side_by_side)
    if len(actions) not in (0, 1, len(motions)):
        raise hv.UsageError(f"There are {len(motions)} motions and {len(actions)} actions; name one, or one for each.")
    model = hv.load(run, choose_device(device))
    looks = [hv.open_clip(clip, root, like=model.config) for clip in contents]
    moves = [hv.open_clip(clip, root, like=model.config) for clip in motions]
    named = actions if len(actions) == len(moves) else [next(iter(actions), None)] * len(moves)
    rows = [[model.plan_swap(one, move, action) for move, action in zip(moves, named, strict=True)] for one in looks]
    shown: list[Any] = [result for row in rows for result in row]
    columns = len(moves)
    if side_by_side and len(shown) == 1:
        shown, columns = [looks[0], moves[0], shown[0]], 3
    elif side_by_side:  # the motions above their columns, the contents before their rows
        shown = [None, *moves, *(place for one, row in zip(looks, rows, strict=True) for place in (one, *row))]
        columns += 1
    _outputs.write(output, shown, columns=columns, timing=timing, **look)
