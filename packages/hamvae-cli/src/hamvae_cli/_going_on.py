"""Going on with a run: its configuration and its source as they were, and what torchrun asks for again."""

from __future__ import annotations  # what is named in a signature is not loaded for it

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import hamvae_model as hv

from ._decoding import Decoding
from ._opening import tell

if TYPE_CHECKING:
    from hamvae_model.runs import State
    from hamvae_model.training import Ranks


def reopened(
    run: Path, root: Path | None, step: int | None, rate: float | None, device: str, ranks: Ranks
) -> tuple[hv.Config, hv.Source]:
    """The configuration of a run that goes on, and its source; says how its clips were prepared."""
    from hamvae_model.data import reopen_source
    from hamvae_model.runs import read_state

    quiet = ranks.rank > 0
    config = _continued(read_state(run, step), rate, back=step is not None)
    progress = None if quiet else Decoding()
    source = ranks.in_turn(lambda: reopen_source(config, root, device=device, progress=progress))
    if not quiet:
        tell(source)
    return config, source


def _continued(state: State, rate: float | None, *, back: bool) -> hv.Config:
    """The configuration of a run that goes on, which remembers another learning rate, and that it went back."""
    training = state.config.training
    rate = rate or training.learning_rate
    if state.step == training.steps or (rate == training.learning_rate and not back):
        return state.config
    return replace(state.config, training=training.at_rate(rate, state.step))


def began(run: Path, config: hv.Config) -> bool:
    """Whether the run in the folder is the one that a command began which torchrun gives again."""
    from hamvae_model.runs import kept_states, load_config

    return bool(kept_states(run)) and load_config(run) == config


def went_back(run: Path, step: int | None, rate: float | None) -> bool:
    """Whether the run was saved since it went back to that step, with that rate if one is given."""
    from hamvae_model.runs import load_config

    if step is None:
        return False
    training = load_config(run).training
    return rate in (None, training.learning_rate) and [since for since, _ in training.earlier_rates[-1:]] == [step]
