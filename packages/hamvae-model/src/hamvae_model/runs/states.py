"""States: everything that training needs to continue after a step, in one file.

No crash can leave halves of two different steps behind. The newest few are kept, so that one that is damaged can be
passed over. Nothing is ever unpickled.
"""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..config import Config
from ..errors import DamagedError, HamvaeError, UsageError
from ..files.atomic import rename
from ..files.tensors import check_fit, write_tensors
from ..files.versions import RUN
from ..network import Network
from .log import truncate_log
from .paths import STATES, WEIGHTS, kept_states, listed_states, missing, state_name, step_of
from .weights import MOMENTS, read


@dataclass(frozen=True, kw_only=True)
class State:
    """What `fit` needs to continue a run.

    Args:
        path: of the file it was read from.
        config: of the run.
        step: it was saved after.
        best: the score of the best weights so far.
        tensors: of the model and of the optimiser, by their names in the file.
        damaged: why each newer state was passed over.
    """

    path: Path
    config: Config
    step: int
    best: float
    tensors: Mapping[str, Tensor]
    damaged: tuple[str, ...] = ()

    def restore(self, network: Network, optimiser: torch.optim.Optimizer) -> None:
        """Fill the network, and the optimiser with one group for each parameter in the network's order.

        Raises: HamvaeError: the tensors are not theirs.
        """
        weights = {f"model/{name}": tensor for name, tensor in network.state_dict().items()}
        moments = {
            f"optimiser/{name}/{key}": parameter.detach() if key != "step" else torch.tensor(0.0)
            for name, parameter in network.named_parameters()
            if f"optimiser/{name}/step" in self.tensors
            for key in MOMENTS
        }
        check_fit({**weights, **moments}, self.tensors, self.path)
        network.load_state_dict({name: self.tensors[f"model/{name}"] for name in network.state_dict()})
        restored = optimiser.state_dict()
        for index, (name, parameter) in enumerate(network.named_parameters()):
            if f"optimiser/{name}/step" in moments:
                kept = {key: self.tensors[f"optimiser/{name}/{key}"] for key in MOMENTS}
                restored["state"][index] = {key: _laid_out_like(parameter, value) for key, value in kept.items()}
        optimiser.load_state_dict(restored)


def save_state(
    run: Path, network: Network, optimiser: torch.optim.Optimizer, step: int, best: float, back: int | None = None
) -> None:
    """Write everything `fit` needs to continue after `step`.

    Args:
        back: the step that training went back to. What was saved after it is forgotten in the moment in which the new
            state is in place, and removed by `settle`.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`; then what was there is there.
    """
    names = [name for name, _ in network.named_parameters()]
    tensors = {f"model/{name}": tensor for name, tensor in network.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{names[index]}/{key}": value for key, value in moments.items()}
    header = {"config": network.config.to_json(), "step": str(step), "best": repr(best)}
    write_tensors(run / STATES / state_name(step, back), tensors, header, kind=RUN)


def read_state(run: Path, step: int | None = None) -> State:
    """The newest state of a run that is whole, or the one that was saved after `step`.

    Raises:
        UsageError: no run there, or no state of that step.
        DamagedError: no state is whole, or not that one.
        HamvaeError: it is of another version of the format.
    """
    kept = kept_states(run)
    if not kept and (run / WEIGHTS).exists():
        raise UsageError(
            f"'{run}' has weights, but no state in '{STATES}' to train on from; copy the whole run folder, or begin "
            "another."
        )
    if not kept:
        raise UsageError(missing(run))
    if step is not None:
        if step not in kept:
            raise UsageError(f"'{run}' keeps no state after step {step}; it has those of {_listed(kept)}.")
        return _read_state(kept[step])
    problems: list[str] = []
    for path in reversed(kept.values()):
        try:
            return replace(_read_state(path), damaged=tuple(problems))
        except DamagedError as error:
            problems.append(str(error))
    raise DamagedError(f"No state of '{run}' is whole. {' '.join(problems)}")


def forget_before(run: Path, keep: int) -> None:
    """Remove all states but the newest `keep`."""
    for old in list(kept_states(run).values())[:-keep]:
        with suppress(OSError):  # it only takes room
            old.unlink()


def settle(run: Path) -> None:
    """Remove what was forgotten when training went back and saved: later states and lines; the last line stays.

    Whenever it is interrupted, it can be begun again: the new state loses the word of it from its name at the end.

    Raises: UsageError, HamvaeError: something cannot be removed.
    """
    numbered, turns = listed_states(run)
    try:
        for path, step, back in turns:
            for later, forgotten in numbered.items():
                if later > back:
                    forgotten.unlink(missing_ok=True)
            truncate_log(run, back, step)
            rename(path, path.with_name(state_name(step)))
    except OSError as error:
        raise HamvaeError(
            f"What came after step {back} of '{run}' cannot be removed ({error.strerror}); what was saved is kept."
        ) from None


def load_config(run: Path) -> Config:
    """The configuration of a run that can be continued.

    Raises: UsageError, HamvaeError: as `read_state`.
    """
    return read_state(run).config


def _read_state(path: Path) -> State:
    found = read(path)
    try:
        step, best = int(found.words["step"]), float(found.words["best"])
    except (KeyError, ValueError):
        raise HamvaeError(f"'{path}' is not a state that training can go on from.") from None
    if not 0 <= step <= found.config.training.steps or math.isnan(best):
        raise HamvaeError(f"'{path}' is not a state of a run of {found.config.training.steps} steps; use another copy.")
    if step_of(path) != step:
        raise DamagedError(f"'{path}' was saved after step {step}, and not after the step in its name.")
    return State(path=path, config=found.config, step=step, best=best, tensors=found.tensors)


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """A moment in its parameter's memory format: the fused optimiser walks both through memory side by side."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value.clone()


def _listed(steps: Iterable[int]) -> str:
    return ", ".join(map(str, steps))
