"""How clips are read: which part of a source's clips is a class, and what clips from files are taken for."""

from dataclasses import dataclass, replace
from typing import Any

import click

import hamvae_model as hv
from hamvae_model.config import DataConfig
from hamvae_model.config.choices import LABELS, LENGTH
from hamvae_model.data import SOURCES
from hamvae_model.limits import FRAME_LIMIT
from hamvae_model.presets import Preset

from .common import Name, Positive
from .gathering import gathered

OF_CLIPS = {
    "length": "--length",
    "loop": "--clips-repeat",
    "fps": "--clip-fps",
    "background": "--background",
    "skip_bad": "--skip-bad",
}
"""Parameters that a source of composed characters would ignore, and their options."""


class Colour(click.ParamType[tuple[int, ...]]):
    """A name that the web knows, or #rrggbb: red, green and blue from 0 to 255."""

    name = "colour"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):  # the default, for which nothing need be loaded
            return value
        from hamvae_model.media import read_colour

        return read_colour(value)


def refuse_labels(data: str) -> None:
    """Raises: UsageError: a source whose classes are what its folders are called."""
    if len(SOURCES[data].labels) == 1:
        raise hv.UsageError(f"The classes of the {data} source are its folders' names; leave out --labels.")


@dataclass(frozen=True, kw_only=True)
class ClipOptions:
    """How clips from files are read; see the options."""

    length: int
    loop: bool
    fps: float | None
    background: tuple[int, ...]

    def data(self, source: str, preset: Preset, labels: str | None) -> DataConfig:
        """The same, as it travels with a run."""
        return DataConfig(
            source=source,
            labels=labels or preset.labels,
            framing=replace(preset.framing, background=self.background),
            frame_seconds=1 / self.fps if self.fps else None,
            loop=self.loop,
        )


length_option = click.option(
    "--length",
    type=click.IntRange(2, FRAME_LIMIT),
    default=LENGTH,
    show_default=True,
    metavar="N",
    help="Frames of your own clips to look at together.",
)
loop_option = click.option(
    "--clips-repeat",
    "loop",
    is_flag=True,
    help="Your own clips repeat, like a walk; without it, those whose sheet.toml says so.",
)
background_option = click.option(
    "--background",
    type=Colour(),
    default=(0, 0, 0),
    show_default="black",
    metavar="COLOUR",
    help="Behind your own clips, where they are transparent or have margins: a name or #rrggbb.",
)
fps_option = click.option(
    "--clip-fps",
    "fps",
    type=Positive(0.001, 1_000_000),
    metavar="N",
    help="Frames a second that count as one each; by default the median of your own clips.",
)
labels_option = click.option(
    "--labels",
    type=Name(LABELS),
    metavar="KIND",
    help=f"Classes of motion, instead of the preset's: {' or '.join(LABELS)}.",
)
layout_option = click.option(
    "--data",
    type=Name([name for name, source in SOURCES.items() if source.decodes]),
    default="folder",
    show_default=True,
    metavar="SOURCE",
    help="How DIR is laid out.",
)
skip_bad_option = click.option(
    "--skip-bad", is_flag=True, help="Leave out clips that cannot be used, and say how many."
)

clip_options = gathered(
    "clips", ClipOptions, length=length_option, loop=loop_option, fps=fps_option, background=background_option
)
"""What a `ClipOptions` is made from."""
