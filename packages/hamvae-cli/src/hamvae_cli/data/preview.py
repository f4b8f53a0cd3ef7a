"""hamvae data preview"""

from dataclasses import replace
from pathlib import Path

import click

import hamvae_model as hv
from hamvae_model.config import SOURCES
from hamvae_model.presets import DEFAULT_PRESETS, PRESETS
from hamvae_model.spelling import nearest

from .. import _outputs
from .._decoding import Decoding
from .._options import Name, background_option, length_option, loop_option, output_option, root_option, scale_option


@click.command()
@click.argument("source", metavar="SOURCE|DIR")
@click.option("--preset", type=Name(PRESETS), metavar="NAME", help="As for `hamvae train`.")
@length_option
@loop_option
@background_option
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Clips a motion.")
@output_option
@scale_option
@root_option
def preview(
    source: str,
    preset: str | None,
    length: int,
    loop: bool,
    background: tuple[int, ...],
    count: int,
    output: Path,
    scale: int,
    root: Path | None,
) -> None:
    """Draw the first clips of every motion, as training would see them.

    SOURCE is the name of a source, or a folder of your own clips, of which those that cannot be used are left out.
    Clips are held-out ones where there are any. A PNG has one row for each, a GIF shows them beside each other.

    \b
    Example:
      hamvae data preview builtin -o characters.png
      hamvae data preview my-clips --count 3 -o clips.png
    """
    from hamvae_model.showcase import examples

    _outputs.check(output)
    if source not in SOURCES and not Path(source).exists():
        raise hv.UsageError(f"There is no source and no folder of clips '{source}'{nearest(source, SOURCES)}")
    name, folder = (source, root) if source in SOURCES else ("folder", Path(source))
    framing = replace(PRESETS[preset or DEFAULT_PRESETS[name]].framing, background=background)
    opened = hv.open_source(name, folder, framing=framing, length=length, loop=loop, skip_bad=True, progress=Decoding())
    _outputs.write(output, examples(opened, count), scale=scale)
