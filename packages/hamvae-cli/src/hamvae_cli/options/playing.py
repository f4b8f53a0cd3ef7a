"""Options of how a result plays and looks, shared by the commands that make one."""

from typing import Any

import click

from hamvae_model.config.choices import POSES

from .common import scale_option
from .gathering import gathered


class _Moment(click.types.FloatParamType):
    """A number of frames; a pose is answered with the option that takes one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in POSES:
            self.fail(f"'{value}' is a pose, and --start a number of frames; use --pose {value}.", param, ctx)
        return super().convert(value, param, ctx)


timing_options = gathered(
    "timing",
    frames=click.option(
        "--frames", type=click.IntRange(min=1), metavar="N", help="Frames to make. [default: the motion's, or 16]"
    ),
    fps=click.option("--fps", type=float, metavar="F", help="Frames per second. [default: the motion's, or 8]"),
    speed=click.option(
        "--speed", type=float, metavar="S", help="0.5 makes a frame between every two, 2 leaves out every other."
    ),
    start=click.option(
        "--start", type=_Moment(), default=0.0, metavar="T", help="Begin T frames into the motion; 2.5 is between two."
    ),
    reverse=click.option("--reverse", is_flag=True, help="Play backward."),
)
"""What `hamvae_model.clips.timing.Timing` is made from."""

look_options = gathered(
    "look",
    scale=scale_option,
    loop=click.option(
        "--loop",
        type=click.IntRange(0, 65535),
        default=0,
        show_default=True,
        metavar="N",
        help="How often a GIF, APNG or WebP plays; 0 is for ever.",
    ),
    transparent=click.option("--transparent", is_flag=True, help="Make what the model drew of the background clear."),
)
"""How the result is drawn, whatever it shows."""
