"""hamvae data list"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import json
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import click

import hamvae_model as hv
from hamvae_model.config.choices import SIZE
from hamvae_model.data import SOURCES

from ..options.common import json_option

if TYPE_CHECKING:
    from hamvae_model.data import Listing

ROOT_TAKERS = (
    "--root DIR is an option of `hamvae train`, `evaluate`, `swap`, `generate`, `reconstruct` and `judge train`; "
    "`hamvae data check DIR` and `data preview DIR` take the folder itself."
)


@click.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the sources, what they hold, and what an absent one needs.

    \b
    Example:
      hamvae data list
    """
    sources = [_describe(name) for name in SOURCES]
    if as_json:
        click.echo(json.dumps(sources))
        return
    for source in sources:
        click.echo(f"{source['source']}: {'available' if source['available'] else 'not available'}")
        if source["folder"]:
            click.echo(f"  folder   {source['folder']}")
        if not source["available"]:
            click.echo(f"  {source['reason']}")
            continue
        click.echo(f"  motions  {', '.join(source['motions'])}")
        frames = f"{source['length']} frames of " if source["length"] else ""
        click.echo(f"  clips    {frames}{source['size']} x {source['size']} pixels")
        for split, counts in source["splits"].items():
            click.echo(f"  {split:<7}  {counts['characters']} characters, {counts['clips']} clips")
    if not all(source["available"] for source in sources):
        click.echo(ROOT_TAKERS)


def _describe(name: str) -> dict[str, Any]:
    from hamvae_model.data import list_clips

    variable = SOURCES[name].variable
    facts: dict[str, Any] = {"source": name, "folder": os.environ.get(variable) if variable else None}
    try:
        listing = list_clips(name, None)
        if listing is not None:
            return facts | {"available": True} | _counts(listing)
        source = hv.open_source(name)
    except hv.HamvaeError as error:
        return facts | {"available": False, "reason": str(error)}
    return facts | {
        "available": True,
        "motions": list(source.classes),
        "length": source.length,
        "size": source.size,
        "splits": {
            split: {"characters": clips // len(source.classes), "clips": clips}
            for split, clips in source.splits.items()
        },
    }


def _counts(listing: Listing) -> dict[str, Any]:
    """What clips on disk hold, none of them decoded: how long they are, and which cannot be used, is not known yet."""
    from hamvae_model.data import SPLITS, assign

    clips = dict.fromkeys(SPLITS, 0)
    characters: defaultdict[str, set[str | None]] = defaultdict(set)
    for recording, split in zip(listing.recordings, assign(listing.recordings), strict=True):
        clips[split] += 1
        characters[split].add(recording.identity)
    return {
        "motions": sorted({recording.label for recording in listing.recordings}),
        "length": None,
        "size": SIZE,
        "splits": {split: {"characters": len(characters[split]), "clips": clips[split]} for split in SPLITS},
    }
