"""A run folder: what is written, how it is written whole, and how it is read back.

    config.json environment.json metrics.jsonl weights.safetensors best.safetensors state/ samples/
    data.json, of clips that came from files: what they were, so that a resumed run can tell whether they still are

The weights carry the configuration and win over the copy beside them. Everything needed to continue after a step is in
one file, state/step-000500.safetensors, so no crash can leave halves of two different steps behind; the newest few are
kept, and which is the newest is said by the steps in their names, not by a clock. Nothing is ever unpickled.
"""

import json
import math
import re
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..animate import Model
from ..config.run import Config
from ..errors import DamagedError, DiskError, HamvaeError, UsageError
from ..files.atomic import rename, sweep, write_bytes
from ..files.bounded import parse_json, read_bytes, read_json
from ..files.tensors import check_fit, read_header, read_tensors, rebuilt, size_of, write_tensors
from ..files.versions import RUN
from ..limits import INDEX_LIMIT
from ..network import Network, new_network
from .inventory import differences

WEIGHTS, BEST, STATES = "weights.safetensors", "best.safetensors", "state"
FIRST_STATE = "training.safetensors"  # the only state of a run of version 1
LOG = "metrics.jsonl"
CONFIG, ENVIRONMENT = "config.json", "environment.json"
INVENTORY = "data.json"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # that Adam keeps of a parameter


def make_folder(run: Path) -> None:
    """Make a folder for a new run.

    Raises: UsageError: it holds a run already, or files of somebody else that a run would replace, or cannot be made.
    """
    _refuse_a_run(run)
    try:
        (run / STATES).mkdir(parents=True, exist_ok=True)
        (run / "samples").mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"The run folder '{run}' cannot be made ({error.strerror}); choose another --run.") from None


def create_run(run: Path, config: Config, inventory: Mapping[str, str]) -> None:
    """Fill the folder with its configuration and the inventory of its data.

    Raises: UsageError: it holds a run by now, or cannot be written to.
    """
    _refuse_a_run(run)
    for leftover in _replaced(run):
        leftover.unlink(missing_ok=True)  # of a run that ended before it was saved
    write_config(run, config)
    if inventory:
        write_bytes(run / INVENTORY, json.dumps(inventory, indent=0).encode())


def _refuse_a_run(run: Path) -> None:
    if _state_files(run) or (run / WEIGHTS).exists():
        raise UsageError(
            f"'{run}' already holds a run; continue it with `hamvae train --resume {shlex.quote(str(run))}`, or choose "
            "another folder."
        )
    found = [str(path.relative_to(run)) for path in _replaced(run) if path.exists()]
    if found and not _is_config(run / CONFIG):
        raise UsageError(f"'{run}' holds {', '.join(found)}, which a run would replace; choose another folder.")


def _replaced(run: Path) -> list[Path]:
    """The files that a new run puts others in the place of, beside weights and states."""
    return [run / name for name in (CONFIG, LOG, BEST, INVENTORY, ENVIRONMENT)] + sorted(run.glob("samples/step-*.png"))


def _is_config(path: Path) -> bool:
    """Whether a run was begun there, for which it is written first."""
    try:
        Config.from_json(read_bytes(path, INDEX_LIMIT).decode())
    except (OSError, ValueError, HamvaeError):
        return False
    return True


def sweep_run(run: Path) -> None:
    """Remove what a process that was killed while it wrote left in a run folder that nobody else trains in.

    Raises: UsageError: a part of the run is a link, behind which anything could be removed or replaced.
    """
    for folder in (run, run / STATES, run / "samples"):
        if folder != run and folder.is_symlink():
            raise UsageError(
                f"'{folder}' is a link, and a run keeps to its own folder; put what it leads to in its place."
            )
        if folder.is_dir():
            sweep(folder)


def write_config(run: Path, config: Config) -> None:
    """Write the copy of the configuration that people read.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`.
    """
    write_bytes(run / CONFIG, config.to_json().encode())


def check_inventory(run: Path, inventory: Mapping[str, str]) -> None:
    """Compare the data with those the run was begun with.

    Raises: UsageError: clips were added, removed or changed, or moved from one side of the split to the other.
    """
    if not (run / INVENTORY).exists():
        return
    if told := differences(_inventory(run / INVENTORY), inventory):
        raise UsageError(
            f"The clips are not those that '{run}' was begun with: {told}. Put them back as they were, or "
            "begin a new run."
        )


def _inventory(path: Path) -> dict[str, str]:
    try:
        values = read_json(path)
        return {name: str(value) for name, value in values.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise HamvaeError(f"'{path}' is damaged and cannot be read ({error}); use another copy of the run.") from None


def sheet_path(run: Path, step: int) -> Path:
    """Where the sample sheet of a step goes, in a folder that may have been tidied away meanwhile.

    Raises: DiskError: the folder cannot be made.
    """
    folder = run / "samples"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DiskError(f"'{folder}' cannot be made ({error.strerror}).") from None
    return folder / f"step-{step:06d}.png"


def save_weights(path: Path, model: Network) -> None:
    """Write the weights with the configuration in their header, whole or not at all."""
    write_tensors(path, model.state_dict(), {"config": model.config.to_json()}, kind=RUN)


def load(run: str | Path, device: torch.device | str = "cpu") -> Model:
    """The trained model of a run folder, or of one weights file, ready to use.

    Raises:
        UsageError: nothing there.
        HamvaeError: the file is damaged, or of another version of the format.
    """
    path = Path(run)
    path = path / WEIGHTS if path.is_dir() else path
    try:
        tensors, header = read_tensors(path, kind=RUN, missing=_missing(path), room=lambda words: _room(words, path))
    except DamagedError as error:
        if way_back := _written_again(path):
            raise DamagedError(f"{error} Or {way_back}.") from None
        raise
    config = _config(header, path)
    network = rebuilt(lambda: new_network(config), tensors, path)
    return Model(network.to(device).to(memory_format=torch.channels_last).eval())


def holds(weights: Path, model: Network) -> bool:
    """Whether a file is whole and holds the model's weights and configuration."""
    try:
        kept = load(weights)
    except HamvaeError:
        return False
    theirs = kept.network.state_dict()
    return kept.config == model.config and all(
        tensor.cpu().equal(theirs[name]) for name, tensor in model.state_dict().items()
    )


def stored_format(run: Path) -> str:
    """The version in which the weights of a run folder, or of one weights file, are stored.

    Raises: UsageError, HamvaeError: as `load`.
    """
    path = run / WEIGHTS if run.is_dir() else run
    return read_header(path, kind=RUN, missing=_missing(path))["format"]


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

    def restore(self, model: Network, optimiser: torch.optim.Optimizer) -> None:
        """Fill `model`, and `optimiser` with one group for each parameter in the order of `model.named_parameters()`.

        Raises: HamvaeError: the tensors are not theirs.
        """
        weights = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
        moments = {
            f"optimiser/{name}/{key}": parameter.detach() if key != "step" else torch.tensor(0.0)
            for name, parameter in model.named_parameters()
            if f"optimiser/{name}/step" in self.tensors
            for key in MOMENTS
        }
        check_fit({**weights, **moments}, self.tensors, self.path)
        model.load_state_dict({name: self.tensors[f"model/{name}"] for name in model.state_dict()})
        restored = optimiser.state_dict()
        for index, (name, parameter) in enumerate(model.named_parameters()):
            if f"optimiser/{name}/step" in moments:
                kept = {key: self.tensors[f"optimiser/{name}/{key}"] for key in MOMENTS}
                restored["state"][index] = {key: _laid_out_like(parameter, value) for key, value in kept.items()}
        optimiser.load_state_dict(restored)


def save_state(
    run: Path, model: Network, optimiser: torch.optim.Optimizer, step: int, best: float, back: int | None = None
) -> None:
    """Write everything `fit` needs to continue after `step`.

    Args:
        back: the step that training went back to. What was saved after it is forgotten in the moment in which the new
            state is in place, and removed by `settle`.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`; then what was there is there.
    """
    names = [name for name, _ in model.named_parameters()]
    tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{names[index]}/{key}": value for key, value in moments.items()}
    header = {"config": model.config.to_json(), "step": str(step), "best": repr(best)}
    write_tensors(run / STATES / _state_name(step, back), tensors, header, kind=RUN)


def read_state(run: Path, step: int | None = None) -> State:
    """The newest state of a run that is whole, or the one that was saved after `step`.

    Raises:
        UsageError: no run there, or no state of that step.
        DamagedError: no state is whole, or not that one.
        HamvaeError: it is of another version of the format.
    """
    paths = _state_files(run)
    if not paths and (run / WEIGHTS).exists():
        raise UsageError(
            f"'{run}' has weights, but no state in '{STATES}' to train on from; copy the whole run folder, or begin "
            "another."
        )
    if not paths:
        raise UsageError(_missing(run))
    if step is not None:
        kept = kept_states(run)
        if step not in kept:
            raise UsageError(f"'{run}' keeps no state after step {step}; it has those of {_listed(kept)}.")
        return _read_state(kept[step])
    problems: list[str] = []
    for path in paths:
        try:
            return replace(_read_state(path), damaged=tuple(problems))
        except DamagedError as error:
            problems.append(str(error))
    raise DamagedError(f"No state of '{run}' is whole. {' '.join(problems)}")


def kept_states(run: Path) -> dict[int, Path]:
    """The states of a run by the step they were saved after, oldest first; none of a folder that holds no run."""
    kept = {}
    for path in reversed(_state_files(run)):
        with suppress(HamvaeError, ValueError, KeyError):  # one of the first version, which is damaged
            name = _STATE.fullmatch(path.name)
            step = name[1] if name else read_header(path, kind=RUN, missing=_missing(path))["step"]
            kept[int(step)] = path
    return dict(sorted(kept.items()))


def forget_before(run: Path, keep: int) -> None:
    """Remove all states but the newest `keep`."""
    for old in _state_files(run)[keep:]:
        _remove(old)


def settle(run: Path) -> None:
    """Remove what was forgotten when training went back and saved: later states and lines; the last line stays.

    Whenever it is interrupted, it can be begun again: the new state loses the word of it from its name at the end.

    Raises: UsageError, HamvaeError: something cannot be removed.
    """
    numbered, turns = _found(run)
    try:
        for path, step, back in turns:
            for later, forgotten in numbered.items():
                if later > back:
                    forgotten.unlink(missing_ok=True)
            truncate_log(run, back, step)
            rename(path, path.with_name(_state_name(step)))
    except OSError as error:
        raise HamvaeError(
            f"What came after step {back} of '{run}' cannot be removed ({error.strerror}); what was saved is kept."
        ) from None


def load_config(run: Path) -> Config:
    """The configuration of a run that can be continued.

    Raises: UsageError, HamvaeError: as `read_state`.
    """
    return read_state(run).config


def steps_done(run: Path) -> int | None:
    """The number of steps a run was last saved after; None for anything but a run that can be continued."""
    return max(kept_states(run), default=None)


_STATE = re.compile(r"step-(\d{6,})(?:-back-to-(\d{6,}))?\.safetensors")


def _state_name(step: int, back: int | None = None) -> str:
    return f"step-{step:06d}{'' if back is None else f'-back-to-{back:06d}'}.safetensors"


def _found(run: Path) -> tuple[dict[int, Path], list[tuple[Path, int, int]]]:
    """The states by their steps, and those that took the place of others: path, step, and step that was gone back to.

    There is one of these at most, and only until `settle` has ended.
    """
    numbered, turns = {}, []
    for path in (run / STATES).glob("step-*.safetensors"):
        if (name := _STATE.fullmatch(path.name)) and name[2]:
            turns.append((path, int(name[1]), int(name[2])))
        elif name:
            numbered[int(name[1])] = path
    return numbered, turns


def _state_files(run: Path) -> list[Path]:
    """The files of states, newest first, without those that were forgotten."""
    numbered, turns = _found(run)
    for path, step, back in turns:
        numbered = {earlier: kept for earlier, kept in numbered.items() if earlier <= back} | {step: path}
    first = run / STATES / FIRST_STATE
    return [numbered[step] for step in sorted(numbered, reverse=True)] + ([first] if first.exists() else [])


def _read_state(path: Path) -> State:
    tensors, header = read_tensors(path, kind=RUN, missing=_missing(path), room=lambda words: _room(words, path))
    try:
        step, best = int(header["step"]), float(header["best"])
    except (KeyError, ValueError):
        raise HamvaeError(f"'{path}' is no state that training can go on from.") from None
    config = _config(header, path)
    if not 0 <= step <= config.training.steps or math.isnan(best):
        raise HamvaeError(f"'{path}' is no state of a run of {config.training.steps} steps; use another copy.")
    name = _STATE.fullmatch(path.name)
    if name and int(name[1]) != step:
        raise DamagedError(f"'{path}' was saved after step {step}, and not after the step in its name.")
    return State(path=path, config=config, step=step, best=best, tensors=tensors)


def _remove(path: Path) -> None:
    with suppress(OSError):  # it only takes room
        path.unlink()


def append_log(run: Path, line: dict[str, float]) -> None:
    """Add a line to metrics.jsonl.

    Raises: DiskError: the disk refused it.
    """
    try:
        with (run / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    except OSError as error:
        raise DiskError(f"'{run / LOG}' could not be written ({error.strerror}).") from None


def truncate_log(run: Path, step: float, newest: int | None = None) -> None:
    """Forget the lines after `step`, which will be trained again; finds out as well whether the folder can be written.

    A line that does not come after the one before is forgotten too: training that went back wrote it and was killed
    before it saved.

    Args:
        newest: the step of the last line if that one is to stay.

    Raises: UsageError, HamvaeError: it cannot.
    """
    path = run / LOG
    try:
        lines = read_bytes(path, INDEX_LIMIT).decode(errors="replace").splitlines(keepends=True)
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read ({error.strerror}); move it elsewhere.") from None
    kept, last = [], -math.inf
    for number, line in enumerate(lines, start=1):
        this = _step_of(line)
        if last < this and (this <= step or (this == newest and number == len(lines))):
            kept.append(line)
            last = this
    write_bytes(path, "".join(kept).encode())


def _step_of(line: str) -> float:
    try:
        return float(parse_json(line)["step"]) if line.endswith("\n") else math.nan
    except (ValueError, KeyError, TypeError, OverflowError):
        return math.nan  # half a line, from a machine that stopped while it was written


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """A moment in its parameter's memory format: the fused optimiser walks both through memory side by side."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value.clone()


def _written_again(weights: Path) -> str:
    """How the weights of a run come back, if its states are there to make them from."""
    if weights.name != WEIGHTS or not _state_files(weights.parent):
        return ""
    return f"`hamvae train --resume {shlex.quote(str(weights.parent))}` writes it from the states beside it"


def _missing(path: Path) -> str:
    if way_back := _written_again(path):
        return f"'{path}' is missing, or was not saved yet; {way_back}."
    return f"There is no trained run at '{path}'; train one with `hamvae train --data SOURCE --run DIR`."


def _listed(steps: Iterable[int]) -> str:
    return ", ".join(map(str, steps))


def _room(header: dict[str, str], path: Path) -> int:
    """Bytes that the weights take by their configuration, and the optimiser with them."""
    config = _config(header, path)
    return (1 + len(MOMENTS)) * size_of(lambda: new_network(config))


def _config(header: dict[str, str], path: Path) -> Config:
    try:
        return Config.from_json(header.get("config", "{}"))
    except HamvaeError as error:
        raise HamvaeError(f"'{path}' cannot be used. {error}") from None
