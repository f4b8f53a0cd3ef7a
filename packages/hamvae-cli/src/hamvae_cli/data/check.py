"""hamvae data check"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

import hamvae_model as hv
from hamvae_model.data import SOURCES
from hamvae_model.presets import PRESETS
from hamvae_model.words import counted

from .._decoding import Decoding
from ..options.clips import ClipOptions, clip_options, labels_option, layout_option, refuse_labels
from ..options.common import PATH, Name, device_option, json_option

if TYPE_CHECKING:
    from hamvae_model.data import Checkup
    from hamvae_model.training import Cost

NAMED = 5  # clips that a line names


@click.command()
@click.argument("folder", type=PATH, metavar="DIR")
@layout_option
@click.option("--preset", type=Name(PRESETS), metavar="NAME", help="As for `hamvae train`.")
@labels_option
@clip_options
@device_option
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    folder: Path,
    data: str,
    preset: str | None,
    labels: str | None,
    clips: ClipOptions,
    device: str,
    as_json: bool,
) -> None:
    """Look through a folder of your own clips before training on it.

    Lists what there is of each motion, what cannot be used and why, what looks odd, and what training would cost here,
    measured on a few steps. Decoded clips are kept, so that training need not decode them again. Exits with 1 when
    training could not begin, even with --skip-bad.

    \b
    Example:
      hamvae data check my-clips
      hamvae data check my-clips --clips-repeat --json
    """
    from hamvae_model.config.choices import SIZE
    from hamvae_model.data import check as examine
    from hamvae_model.data import list_clips
    from hamvae_model.devices import choose_device
    from hamvae_model.training import cost

    if labels:
        refuse_labels(data)
    where = choose_device(device)
    chosen = PRESETS[preset or SOURCES[data].preset]
    try:
        listing = list_clips(data, folder, labels or chosen.labels)
    except hv.UsageError as error:
        if not folder.is_dir():
            raise
        click.echo(json.dumps({"refusal": str(error)}) if as_json else f"refused   {error}")
        ctx.exit(1)
    if listing is None:
        raise hv.UsageError(
            f"'{folder}' holds the Sprites data set, which is composed and not decoded; just train on it."
        )
    config = clips.data(data, chosen, labels)
    found, source = examine(listing, config, size=SIZE, length=clips.length, progress=Decoding())
    price, minutes = None, 0.0
    if source:
        run = hv.build(preset or SOURCES[data].preset, source=source)
        price = cost(run, source, where)
        minutes = price.minutes(run.training)
    if as_json:
        told = {"minutes": minutes, "memory_bytes": price.memory_bytes} if price else None
        click.echo(json.dumps(asdict(found) | {"cost": told}))
    else:
        _print(found, source.splits if source else {}, price, minutes)
    if found.refusal:
        ctx.exit(1)


def _print(found: Checkup, splits: Mapping[str, int], price: Cost | None, minutes: float) -> None:
    """Args: splits: how many clips training would learn from, choose weights by and leave to test."""
    from .._console import print_table

    sides = list(next(iter(found.clips.values()), {}))
    if found.clips:
        print_table(
            ("motion", *sides),
            [(label, *(str(counts[side]) for side in sides)) for label, counts in found.clips.items()],
        )
    if found.frames:
        least, median, most = found.frames
        click.echo(f"frames    {least} to {most} a clip, {median:g} in the middle, {found.total_frames} in all")
        click.echo(f"sizes     {_tally(found.sizes)}")
        click.echo(f"rates     {_tally(found.rates)}")
    for column, values in found.attributes.items():
        click.echo(f"{column:<8}  {_tally(values)}")
    if found.preparations:
        click.echo(f"prepared  {_tally(found.preparations)}")
    for names in found.duplicates[:NAMED]:
        click.echo(f"the same  {_some(names)}")
    if len(found.duplicates) > NAMED:
        click.echo(f"the same  and {len(found.duplicates) - NAMED} more")
    for what, names in (("black", found.dark), ("still", found.still), ("ignored", found.ignored)):
        if names:
            click.echo(f"{what:<8}  {_some(names)}")
    for sentence in found.problems.values():
        click.echo(f"unusable  {sentence}")
    for sentence in found.advice:
        click.echo(f"advice    {sentence}")
    if found.refusal:
        click.echo(f"refused   {found.refusal}")
        return
    trained, chosen_by, tested = (splits.get(split, 0) for split in ("train", "validation", "test"))
    unit = f"{found.frame_seconds:g} s" if found.frame_seconds else "a frame"
    click.echo(
        f"training  {counted(trained, 'clip')} in windows of {found.length} frames, a unit of time being {unit}; "
        f"held out: {tested} to test, {chosen_by} to validate"
    )
    if price:
        memory = f"{price.memory_bytes / 2**30:.1f} GiB of memory, " if price.memory_bytes else ""
        click.echo(
            f"cost      {memory}{found.store_bytes / 2**20:.0f} MiB of disk, {minutes:.0f} minutes "
            "(measured on a few steps)"
        )
    if found.problems:
        count = len(found.problems)
        click.echo(
            f"{counted(count, 'clip')} cannot be used: mend {'it' if count == 1 else 'them'}, or train with --skip-bad."
        )


def _tally(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what} ({count})" for what, count in counts.items())


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
