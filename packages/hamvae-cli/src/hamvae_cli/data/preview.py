"""hamvae data preview"""

from pathlib import Path

import click

import hamvae_model as hv
from hamvae_model.config import SOURCES

from .. import _outputs
from .._options import Name, output_option, root_option, scale_option


@click.command()
@click.argument("source", type=Name(SOURCES))
@click.option("--characters", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="How many.")
@output_option
@scale_option
@root_option
def preview(source: str, characters: int, output: Path, scale: int, root: Path | None) -> None:
    """Draw the first characters of the test split in every motion.

    A PNG has one row for each motion of each character, a GIF shows them beside each other.

    \b
    Example:
      hamvae data preview builtin -o characters.png
      hamvae data preview sprites --root sheets --characters 3 -o sprites.png
    """
    _outputs.check(output)
    opened = hv.open_source(source, root)
    clips = [
        opened.clip("test", f"{character}/{motion}") for character in range(characters) for motion in opened.motions
    ]
    _outputs.write(output, clips, scale=scale)
