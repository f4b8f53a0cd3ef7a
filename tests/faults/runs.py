"""What is asked of a run folder after a fault: everything in it loads, and it ends like a run that had none."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

import hamvae_model as hv
from hamvae_model.runs import BEST, WEIGHTS, kept_states, read_state


def problems(run: Path, saved: int) -> list[str]:
    """What was lost of a run that is known to be saved after step `saved`; nothing, it is hoped."""
    found = []
    for name in (WEIGHTS, BEST):
        try:
            if (run / name).exists():
                hv.load(run / name)
        except hv.HamvaeError as error:
            found.append(str(error))
    kept = kept_states(run)
    for step in kept:
        try:
            read_state(run, step)
        except hv.HamvaeError as error:
            found.append(str(error))
    if max(kept, default=0) < saved:
        found.append(f"It was saved after step {saved}, and only the states of {list(kept)} are there.")
    return found


def differences(run: Path, whole: Path) -> list[str]:
    """In which files two finished runs differ, but for seconds and where they ran."""
    ours, theirs = (content(folder) for folder in (run, whole))
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))


def content(run: Path) -> dict[str, object]:
    """What every file of a run folder holds, by its name; of the log, the lines without their seconds."""
    found: dict[str, object] = {}
    for path in run.rglob("*"):
        name = path.relative_to(run).as_posix()
        if name == "metrics.jsonl":
            found[name] = [{**json.loads(line), "seconds": None} for line in path.read_text("utf-8").splitlines()]
        elif path.suffix == ".safetensors":
            found[name] = tensors(path)
        elif path.is_file() and name != "environment.json":
            found[name] = path.read_bytes()
    return found


def tensors(path: Path) -> object:
    """The bits of every tensor and the words of the header, which come in any order; of a damaged file nothing."""
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name).numpy().tobytes() for name in file.keys()}, file.metadata()  # noqa: SIM118
    except SafetensorError:
        return None
