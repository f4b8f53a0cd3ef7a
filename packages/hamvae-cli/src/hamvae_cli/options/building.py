"""What a new run's configuration is built from besides its source: the arguments of `hamvae_model.build`."""

from collections.abc import Iterable, Sequence

import click
from click.shell_completion import CompletionItem

from hamvae_model.config import parse_assignments, settings
from hamvae_model.config.choices import BATCH_LIMIT, OPERATORS, PRECISIONS

from .common import STEP_LIMIT, Name, Positive, seed_option
from .gathering import gathered


class Setting(click.ParamType[str]):
    """KEY=VALUE, completed to the keys that there are."""

    name = "setting"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(f"{key}=") for key in settings() if key.startswith(incomplete)]


def either(names: Iterable[str]) -> str:
    """``a, b or c``."""
    *first, last = names
    return f"{', '.join(first)} or {last}"


def _parsed(ctx: click.Context, param: click.Parameter, words: Sequence[str]) -> dict[str, str]:
    return parse_assignments(words)


building_options = gathered(
    "asked",
    steps=click.option(
        "--steps", type=click.IntRange(1, STEP_LIMIT), metavar="N", help="Steps to train, instead of the preset's."
    ),
    batch=click.option(
        "--batch", type=click.IntRange(1, BATCH_LIMIT), metavar="N", help="Clips a step, instead of the preset's."
    ),
    learning_rate=click.option(
        "--learning-rate",
        type=Positive(0, min_open=True),
        metavar="RATE",
        help="Instead of the preset's; with --resume, from here on.",
    ),
    precision=click.option(
        "--precision", type=Name(PRECISIONS), metavar="NAME", help=f"Instead of the preset's: {either(PRECISIONS)}."
    ),
    operator=click.option(
        "--operator",
        type=Name(OPERATORS),
        metavar="NAME",
        help=f"Space of the motion's generators, instead of the preset's: {either(OPERATORS)}.",
    ),
    set=click.option(
        "--set",
        type=Setting(),
        multiple=True,
        callback=_parsed,
        metavar="KEY=VALUE",
        help="Any other setting, such as model.content_dim=64; repeat it. docs/configuration.md lists them.",
    ),
    seed=seed_option,
)
"""What `hamvae_model.build` takes beside a preset and a source."""
