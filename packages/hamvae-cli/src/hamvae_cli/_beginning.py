"""Beginning a run: its source opened to learn from, and its configuration."""

from __future__ import annotations  # what is named in a signature is not loaded for it

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hamvae_model as hv
from hamvae_model.config import DataConfig, set_in_data

from ._budget import fitted
from ._opening import open_to_learn
from ._training import launched

if TYPE_CHECKING:
    from hamvae_model.training import Ranks


def begun(
    run: Path,
    preset: str,
    data: DataConfig,
    root: Path | None,
    asked: Mapping[str, Any],
    *,
    length: int,
    skip_bad: bool,
    minutes: float | None,
    device: str,
    ranks: Ranks,
) -> tuple[hv.Config, hv.Source]:
    """The configuration of a new run, fitted to a time if one is given, and its source.

    Args:
        asked: what `hamvae_model.build` takes beside a preset and a source.
        length: frames of the windows of clips from files.

    Raises: UsageError, HamvaeError: as `open_to_learn` and `build`; the run folder would lie among the clips.
    """
    if root and run.resolve().is_relative_to(root.resolve()):
        raise hv.UsageError(f"The run folder '{run}' would lie among the clips in '{root}'; choose one outside of it.")
    opened_with, quiet = set_in_data(data, asked["set"]), ranks.rank > 0
    source = ranks.in_turn(
        lambda: open_to_learn(opened_with, root, length=length, skip_bad=skip_bad, device=device, quiet=quiet)
    )
    config = hv.build(preset, source=source, **asked)
    if minutes is not None:
        config = fitted(config, source, minutes, device, ranks, _steps_begun_with(run) if launched() else 0)
    return config, source


def _steps_begun_with(run: Path) -> int:
    """The steps of the run in the folder; 0 if there is none."""
    from hamvae_model.runs import kept_states, load_config

    return load_config(run).training.steps if kept_states(run) else 0
