"""hamvae inspect"""

import json
import math
from dataclasses import asdict
from pathlib import Path

import click

import hamvae_model as hv

from .options.common import json_option, run_argument

COLUMNS = ("action", "periods (frames)", "orbits", "growth (1/frame)", "from Hamiltonian")
NOISE = 1e-12  # what rounding leaves of zero in double precision


@click.command()
@run_argument
@json_option
def inspect(run: Path, as_json: bool) -> None:
    """Show what a model's motion operators do.

    Each action has a generator H. Shown are the periods of its oscillations in frames, and whether its orbits are
    stable (bounded, also after small changes of H), marginal or unstable. So are their fastest growth per frame (0 when
    they are bounded), and how far H is from a Hamiltonian matrix (0 when it is one). --json has the frequencies too.

    \b
    Example:
      hamvae inspect runs/first
    """
    from hamvae_model.runs import kept_states, stored_format

    model = hv.load(run)
    config, operators, kept = model.config, model.operators(), list(kept_states(run))
    facts = {
        "run": str(run),
        "preset": config.preset,
        "operator": config.model.operator,
        "source": config.data.source,
        "labels": config.data.labels,
        "parameters": sum(parameter.numel() for parameter in model.network.parameters()),
        "steps": config.training.steps,
        "steps_done": max(kept, default=None),
        "kept_states": kept,
        "format": stored_format(run),
    }
    if as_json:
        described = [
            asdict(operator) | {"periods": [period if math.isfinite(period) else None for period in operator.periods]}
            for operator in operators
        ]
        click.echo(json.dumps(facts | {"operators": described}))
        return
    from ._console import print_table

    done = "" if facts["steps_done"] is None else f"{facts['steps_done']} of "
    click.echo(
        f"{run}: preset {config.preset}, {config.model.operator} operators, {config.data.source} ({config.data.labels})"
    )
    click.echo(f"{facts['parameters']:,} parameters, {done}{config.training.steps} steps")
    if kept:
        click.echo(f"format {facts['format']}, states kept after steps {', '.join(map(str, kept))}")
    print_table(
        COLUMNS,
        [
            (
                operator.action,
                " ".join(f"{period:.2f}" for period in operator.periods),
                operator.stability or "-",
                _small(operator.growth),
                _small(operator.residual),
            )
            for operator in operators
        ],
    )


def _small(value: float) -> str:
    return f"{value:.1e}" if abs(value) > NOISE else "0"
