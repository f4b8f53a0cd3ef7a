"""The names of what a run folder holds, and what to say when something is not there.

    config.json environment.json metrics.jsonl weights.safetensors best.safetensors state/ samples/
    data.json, of clips that came from files: what they were, so that a resumed run can tell whether they still are
    final.jsonl, of a run whose test split was scored: a line for each time

Everything needed to continue after a step is in one file, state/step-000500.safetensors. Which is the newest is said by
the steps in their names, not by a clock.
"""

import re
import shlex
from pathlib import Path

from ..errors import UsageError

WEIGHTS, BEST = "weights.safetensors", "best.safetensors"
STATES, SAMPLES = "state", "samples"
LOG = "metrics.jsonl"
CONFIG, ENVIRONMENT = "config.json", "environment.json"
INVENTORY = "data.json"
FINAL = "final.jsonl"

_STATE = re.compile(r"step-(\d{6,})(?:-back-to-(\d{6,}))?\.safetensors")


def state_name(step: int, back: int | None = None) -> str:
    """The name of the state that is saved after `step`; of one that takes the place of those after `back`."""
    return f"step-{step:06d}{'' if back is None else f'-back-to-{back:06d}'}.safetensors"


def step_of(state: Path) -> int:
    """The step in the name of a state."""
    name = _STATE.fullmatch(state.name)
    assert name is not None
    return int(name[1])


def listed_states(run: Path) -> tuple[dict[int, Path], list[tuple[Path, int, int]]]:
    """The states by their steps, and those that took the place of others: path, step, and step that was gone back to.

    There is one of these at most, and only until `states.settle` has ended.
    """
    numbered, turns = {}, []
    for path in (run / STATES).glob("step-*.safetensors"):
        if (name := _STATE.fullmatch(path.name)) and name[2]:
            turns.append((path, int(name[1]), int(name[2])))
        elif name:
            numbered[int(name[1])] = path
    return numbered, turns


def kept_states(run: Path) -> dict[int, Path]:
    """The states of a run by the step they were saved after, oldest first, without those that were forgotten.

    None of a folder that holds no run.
    """
    numbered, turns = listed_states(run)
    for path, step, back in turns:
        numbered = {earlier: kept for earlier, kept in numbered.items() if earlier <= back} | {step: path}
    return dict(sorted(numbered.items()))


def steps_done(run: Path) -> int | None:
    """The number of steps a run was last saved after; None for anything but a run that can be continued."""
    return max(kept_states(run), default=None)


def missing(path: Path) -> str:
    """The sentence for weights or a run that is not there."""
    if way_back := written_again(path):
        return f"'{path}' is missing, or was not saved yet; {way_back}."
    return f"There is no trained run at '{path}'; train one with `hamvae train --data SOURCE --run DIR`."


def check_there(run: Path) -> None:
    """Raises: UsageError: neither a run folder with weights, nor one weights file, or none that can be looked for."""
    try:
        path = run / WEIGHTS if run.is_dir() else run
        there = path.exists()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise UsageError(f"'{run}' cannot be looked up ({error.strerror}); name a run folder or its weights.") from None
    if not there:
        raise UsageError(missing(path))


def written_again(weights: Path) -> str:
    """How the weights of a run come back, if its states are there to make them from."""
    if weights.name != WEIGHTS or not kept_states(weights.parent):
        return ""
    return f"`hamvae train --resume {shlex.quote(str(weights.parent))}` writes it from the states beside it"
