"""hamvae data preview"""

from dataclasses import replace
from pathlib import Path

import click

import hamvae_model as hv
from hamvae_model.data import SOURCES
from hamvae_model.presets import PRESETS
from hamvae_model.words import counted, nearest

from .. import _outputs
from .._decoding import Decoding
from ..options.clips import background_option, layout_option, length_option, loop_option
from ..options.common import MANY, Name, output_option, scale_option

WITHOUT_A_FOLDER = [name for name, source in SOURCES.items() if not source.needs_root or source.variable]


@click.command()
@click.argument("source", metavar="SOURCE|DIR")
@layout_option
@click.option("--preset", type=Name(PRESETS), metavar="NAME", help="As for `hamvae train`.")
@length_option
@loop_option
@background_option
@click.option(
    "--count", type=click.IntRange(1, MANY), default=1, show_default=True, metavar="N", help="Clips a motion."
)
@output_option
@scale_option
def preview(
    source: str,
    data: str,
    preset: str | None,
    length: int,
    loop: bool,
    background: tuple[int, ...],
    count: int,
    output: Path,
    scale: int,
) -> None:
    """Draw the first clips of every motion, as training would see them.

    DIR is a folder of your own clips, of which those that cannot be used are left out; SOURCE is builtin, or sprites
    for the sheets in $HAMVAE_SPRITES_SHEETS.
    Clips are held-out ones where there are any. A PNG has one row for each, a GIF shows them beside each other.

    \b
    Example:
      hamvae data preview builtin -o characters.png
      hamvae data preview my-clips --count 3 -o clips.png
    """
    from hamvae_model.data import examples

    _outputs.check(output)
    name, folder = (data, Path(source)) if Path(source).is_dir() else (source, None)
    if folder is None and source not in WITHOUT_A_FOLDER:
        raise hv.UsageError(f"There is no source and no folder of clips '{source}'{nearest(source, WITHOUT_A_FOLDER)}")
    framing = replace(PRESETS[preset or SOURCES[name].preset].framing, background=background)
    opened = hv.open_source(name, folder, framing=framing, length=length, loop=loop, skip_bad=True, progress=Decoding())
    if opened.skipped:
        why = next(iter(opened.skipped.values()))
        click.echo(f"Left out {counted(len(opened.skipped), 'clip')} that cannot be used; the first: {why}", err=True)
    _outputs.write(output, examples(opened, count), scale=scale)
