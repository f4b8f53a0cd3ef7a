"""hamvae data list"""

import json
import os
from typing import Any

import click

import hamvae_model as hv
from hamvae_model.config import SOURCES

from .._options import json_option


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
        click.echo(f"  clips    {source['length']} frames of {source['size']} x {source['size']} pixels")
        for split, counts in source["splits"].items():
            click.echo(f"  {split:<7}  {counts['characters']} characters, {counts['clips']} clips")


def _describe(name: str) -> dict[str, Any]:
    from hamvae_model.data.sprites import ROOT_VARIABLE

    facts: dict[str, Any] = {"source": name, "folder": os.environ.get(ROOT_VARIABLE) if name == "sprites" else None}
    try:
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
