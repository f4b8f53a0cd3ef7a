"""Where a run was trained: what it would take to train it again."""

import os
import platform
import sys

import torch


def environment() -> dict[str, object]:
    """The machine and the versions that are at work."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "command": sys.argv,
    }
