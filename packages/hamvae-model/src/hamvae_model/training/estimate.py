"""What a training run would cost, measured on its first steps."""

import statistics
import sys
import time
from dataclasses import dataclass

import torch

from ..config.run import Config
from ..data import Source
from . import new_model, new_optimiser, train_step

STEPS = 3  # timed, after one that is not


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of a whole run on this machine.

    Args:
        minutes: the median of a few timed steps, times the number of steps.
        memory_bytes: the most this process has held after them, with the part of the frames that was read; None where
            the system does not tell.
    """

    minutes: float
    memory_bytes: int | None


def cost(config: Config, source: Source, device: torch.device | str = "cpu") -> Cost:
    """Take a few steps, forget them, and say what all would cost."""
    model = new_model(config).to(device).to(memory_format=torch.channels_last)
    optimiser = new_optimiser(model)
    seconds = []
    for step in range(1, STEPS + 2):
        began = time.perf_counter()
        float(train_step(model, optimiser, source, step)["loss"])  # waits for the device
        seconds.append(time.perf_counter() - began)
    return Cost(minutes=statistics.median(seconds[1:]) * config.training.steps / 60, memory_bytes=_peak())


def _peak() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
