"""A run folder: what is written, how it is written whole, and how it is read back.

    config.json environment.json metrics.jsonl weights.safetensors best.safetensors state/ samples/
    data.json, of clips that came from files: what they were, so that a resumed run can tell whether they still are

The weights carry the configuration and win over the copy beside them. Everything needed to continue is in one
file, state/training.safetensors, so no crash can leave halves of two different steps behind. Nothing is ever
unpickled.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .atomic import write_bytes
from .config import FORMAT, Config
from .errors import HamvaeError, UsageError
from .inventory import differences
from .model import HamVAE
from .tensor_file import fill, read_tensors, rebuilt, write_tensors

WEIGHTS, BEST, STATE = "weights.safetensors", "best.safetensors", "state/training.safetensors"
LOG = "metrics.jsonl"
ENVIRONMENT = "environment.json"
INVENTORY = "data.json"


def make_folder(run: Path) -> None:
    """Make a folder for a new run.

    Raises: UsageError: it holds a run already, or cannot be made.
    """
    _refuse_a_run(run)
    try:
        (run / "state").mkdir(parents=True, exist_ok=True)
        (run / "samples").mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"The run folder '{run}' cannot be made ({error.strerror}); choose another --run.") from None


def create_run(run: Path, config: Config, inventory: Mapping[str, str]) -> None:
    """Fill the folder with its configuration and the inventory of its data.

    Raises: UsageError: it holds a run by now, or cannot be written to.
    """
    _refuse_a_run(run)
    for leftover in (run / LOG, run / BEST, run / INVENTORY, run / ENVIRONMENT, *(run / "samples").glob("step-*.png")):
        leftover.unlink(missing_ok=True)  # of a run that ended before it was saved
    write_bytes(run / "config.json", config.to_json().encode())
    if inventory:
        write_bytes(run / INVENTORY, json.dumps(inventory, indent=0).encode())


def _refuse_a_run(run: Path) -> None:
    if (run / STATE).exists() or (run / WEIGHTS).exists():
        raise UsageError(
            f"'{run}' already holds a run; continue it with `hamvae train --resume {run}`, or choose another folder."
        )


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
        values = json.loads(path.read_bytes())
        return {str(name): str(value) for name, value in values.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise HamvaeError(f"'{path}' is damaged and cannot be read ({error}); use another copy of the run.") from None


def save_weights(path: Path, model: HamVAE) -> None:
    """Write the weights with the configuration in their header, whole or not at all."""
    header = {"format": FORMAT, "config": model.config.to_json()}
    write_tensors(path, model.state_dict(), header)


def load(run: str | Path, device: torch.device | str = "cpu") -> HamVAE:
    """The trained model of a run folder, or of one weights file, ready to use.

    Raises:
        UsageError: nothing there.
        HamvaeError: the file is damaged, or of another version of the format.
    """
    path = Path(run)
    path = path / WEIGHTS if path.is_dir() else path
    tensors, header = _read(path)
    config = _config(header, path)
    model = rebuilt(lambda: HamVAE(config), tensors, path)
    return model.to(device).to(memory_format=torch.channels_last).eval()


def save_state(run: Path, model: HamVAE, optimiser: torch.optim.Optimizer, step: int, best: float) -> None:
    """Write everything `fit` needs to continue after `step`."""
    names = [name for name, _ in model.named_parameters()]
    tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{names[index]}/{key}": value for key, value in moments.items()}
    header = {"format": FORMAT, "config": model.config.to_json(), "step": str(step), "best": repr(best)}
    write_tensors(run / STATE, tensors, header)


def load_config(run: Path) -> Config:
    """The configuration of a run that can be continued.

    Raises: UsageError, HamvaeError: as `load`.
    """
    return _config(_read(run / STATE)[1], run / STATE)


def steps_done(run: Path) -> int | None:
    """The number of steps a run was last saved after; None for anything but a run folder.

    Raises: UsageError, HamvaeError: as `load`.
    """
    return int(_read(run / STATE)[1]["step"]) if (run / STATE).exists() else None


def load_state(run: Path, model: HamVAE, optimiser: torch.optim.Optimizer) -> tuple[int, float]:
    """Fill `model` and `optimiser` with the saved state; returns the step it was saved after and the best score.

    The optimiser's parameters must be in the order of `model.named_parameters()`.
    """
    tensors, header = _read(run / STATE)
    fill(model, {name[6:]: tensor for name, tensor in tensors.items() if name.startswith("model/")}, run / STATE)
    restored = optimiser.state_dict()
    for index, (name, parameter) in enumerate(model.named_parameters()):
        prefix = f"optimiser/{name}/"
        moments = {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
        if moments:
            restored["state"][index] = {key: _laid_out_like(parameter, value) for key, value in moments.items()}
    optimiser.load_state_dict(restored)
    return int(header["step"]), float(header["best"])


def append_log(run: Path, line: dict[str, float]) -> None:
    """Add a line to metrics.jsonl.

    Raises: HamvaeError: the disk refused it.
    """
    try:
        with (run / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    except OSError as error:
        raise HamvaeError(f"'{run / LOG}' could not be written ({error.strerror}); what was saved is kept.") from None


def truncate_log(run: Path, step: int) -> None:
    """Forget the lines after `step`, which will be trained again; finds out as well whether the folder can be written.

    Raises: UsageError, HamvaeError: it cannot.
    """
    path = run / LOG
    lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
    write_bytes(path, "".join(line for line in lines if _step_of(line) <= step).encode())


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf  # half a line, from a machine that stopped while it was written


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """A moment in its parameter's memory format: the fused optimiser walks both through memory side by side."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    missing = f"There is no trained run at '{path}'; train one with `hamvae train --data SOURCE --run DIR`."
    return read_tensors(path, missing=missing)


def _config(header: dict[str, str], path: Path) -> Config:
    try:
        return Config.from_json(header.get("config", "{}"))
    except HamvaeError as error:
        raise HamvaeError(f"'{path}' cannot be used. {error}") from None
