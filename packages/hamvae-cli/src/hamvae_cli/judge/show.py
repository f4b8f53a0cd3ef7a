"""hamvae judge show"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options.common import PATH, json_option

if TYPE_CHECKING:
    from hamvae_model.judge import Judge


@click.command()
@click.argument("file", type=PATH)
@json_option
def show(file: Path, as_json: bool) -> None:
    """Show what a judge tells apart, and how often it is right about clips it has not seen.

    \b
    Example:
      hamvae judge show judges/builtin-action-direction.safetensors
    """
    from hamvae_model.judge import load_judge

    judge = load_judge(file)
    config = judge.config
    if as_json:
        click.echo(json.dumps({"judge": str(file)} | asdict(config)))
        return
    click.echo(
        f"{file}: {config.data.source} ({config.data.labels}), {config.size} x {config.size} pixels, "
        f"{config.steps} steps with seed {config.seed}"
    )
    print_heads(judge)


def print_heads(judge: Judge) -> None:
    """A line for each head: how often it is right, and what it chooses from."""
    from hamvae_model.judge import ACTION

    from .._console import print_table

    heads = {ACTION: judge.classes, **judge.attributes}
    print_table(
        ("head", "accuracy", "tells apart"),
        [(head, _share(judge.accuracy.get(head)), " ".join(names)) for head, names in heads.items()],
    )


def _share(accuracy: float | None) -> str:
    return "not measured" if accuracy is None else f"{accuracy:.2%}"
