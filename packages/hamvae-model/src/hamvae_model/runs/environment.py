"""What a run was trained with: what it would take to train it again."""

import dataclasses
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from ..config.execution import Execution
from ..files.atomic import write_bytes
from ..files.bounded import read_json

DISTRIBUTIONS = (
    *(
        "hamvae-cli",
        "hamvae-model",
        "symplectic-ops",
        "torch",
        "numpy",
        "safetensors",
        "Pillow",
        "av",
        "numba",
        "triton",
    ),
)
ASKED = 10  # seconds that git may take to answer


def provenance(
    *, seed: int | None = None, device: str | None = None, processes: int = 1, execution: Execution | None = None
) -> dict[str, object]:
    """The machine, the versions and the command that are at work.

    Args:
        seed: of the run.
        device: it is trained on.
        processes: how many train it together.
        execution: how its steps are carried out.
    """
    return {
        "versions": {"python": platform.python_version(), **_versions()},
        "commit": _commit(Path(__file__).parent),
        "platform": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": device,
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "processes": processes,
        "execution": dataclasses.asdict(execution) if execution else None,
        "seed": seed,
        "command": [_program(sys.argv[0]), *sys.argv[1:]],
    }


def record(path: Path, facts: dict[str, object], step: int) -> None:
    """Write the facts; of a run that is resumed after `step`, add those that differ from what was recorded last.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`.
    """
    known = _known(path)
    if known:
        now: dict[str, object] = json.loads(json.dumps(facts))  # a tuple is a list when it is read again
        changes = [known, *known.pop("resumed", [])]
        last = {name: value for change in changes for name, value in change.items()}
        differing = {name: value for name, value in now.items() if last.get(name) != value}
        facts = known | {"resumed": [*changes[1:], {"after_step": step, **differing}]}
    write_bytes(path, json.dumps(facts, indent=2).encode())


def _known(path: Path) -> dict[str, Any]:
    """What was recorded; nothing where that was removed or damaged, which keeps no run from going on."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    resumed = found.get("resumed", []) if isinstance(found, dict) else None
    return found if isinstance(resumed, list) and all(isinstance(one, dict) for one in resumed) else {}


def _versions() -> dict[str, str]:
    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _commit(folder: Path) -> str | None:
    """The commit of the checkout that a folder of sources belongs to; None where it was installed from elsewhere."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=ASKED).stdout.strip()

    try:
        if not git("ls-files", "--", "environment.py"):  # a folder of packages within somebody's own checkout
            return None
        changed = git("status", "--porcelain", "--", str(folder.parents[3]))
        return git("rev-parse", "HEAD") + (" with uncommitted changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _processor() -> str:
    """What it calls itself, where Linux tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _program(path: str) -> str:
    """Without the folders it lies in, which are the machine's own; `python -m hamvae_cli` is hamvae."""
    here = Path(path)
    return "hamvae" if here.parent.name == "hamvae_cli" else here.name
