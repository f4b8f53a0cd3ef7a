"""A time to train in: the machine is measured for some seconds, and the steps are fitted to it."""

from __future__ import annotations  # what is named in a signature is not loaded for it

from dataclasses import replace
from typing import TYPE_CHECKING

import click

import hamvae_model as hv

from .options.common import Positive

if TYPE_CHECKING:
    from hamvae_model.training import Ranks

LONGEST = 60 * 24 * 365.0  # minutes: a year

minutes_option = click.option(
    "--minutes",
    type=Positive(0, LONGEST, min_open=True),
    metavar="M",
    help="Train for about so long: measure this machine for some seconds, and fit the steps to the time.",
)


def refuse_both(minutes: float | None, steps: int | None) -> None:
    """Raises: UsageError: a time and a number of steps are given."""
    if minutes is not None and steps is not None:
        raise hv.UsageError("--minutes and --steps both say how long to train; leave one of them out.")


def fitted(
    config: hv.Config,
    source: hv.Source,
    minutes: float,
    device: str,
    ranks: Ranks | None = None,
    known: int = 0,
) -> hv.Config:
    """The configuration with as many steps as fit the time here; says how many these are.

    Args:
        ranks: the processes that train together; the first one measures, each of them doing its share.
        known: the steps that were found before, for a run that is begun again by the same command.
    """
    from hamvae_model.training import cost, shortened

    if known:
        return replace(config, training=shortened(config.training, known))
    first = ranks is None or ranks.rank == 0
    steps, seconds = 0, 0.0
    if first:
        price = cost(config, source, device)
        share = replace(price, step_seconds=price.step_seconds / (ranks.size if ranks else 1))
        steps, seconds = share.steps(config.training, minutes), share.step_seconds
    steps = ranks.agreed(steps) if ranks else steps
    if first:
        click.echo(f"A step takes {seconds:.2g} s here: {steps} steps in about {minutes:g} minutes.", err=True)
    return replace(config, training=shortened(config.training, steps))
