"""Where and from what a figure was measured; stored beside it. Run by itself, it prints that as JSON."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import torch


def provenance() -> dict[str, object]:
    """Machine, versions, commit and date. A working tree with uncommitted changes to the sources says so."""
    here = Path(__file__).parent
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", "../packages"], cwd=here, capture_output=True, text=True, check=True
    )
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": commit.stdout.strip() + (" with uncommitted changes" if changed.stdout.strip() else ""),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    names = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    found = [line.partition(":")[2].strip() for line in names if line.startswith("model name")]
    return found[0] if found else platform.processor()


if __name__ == "__main__":
    print(json.dumps(provenance()))
