"""What a training run would cost on this machine, and how many steps fit a time; measured on its first steps."""

import dataclasses
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from ..config import Config, TrainingConfig
from ..data import Source
from ..errors import UsageError
from .preview import PreviewClips, sample_sheet
from .step import new_optimiser, train_step, untrained

STEPS = 8  # timed, after two that are not
SHEETS = 10  # of a run that is fitted to a time
WARM_UP = 10  # such a run spends at most one step in so many on it


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of training on this machine.

    Args:
        step_seconds: the median of a few timed steps.
        sheet_seconds: of drawing a sample sheet, which happens every `sample_every` steps.
        memory_bytes: the most this process has held after them, with the part of the frames that was read; None where
            the system does not tell.
    """

    step_seconds: float
    sheet_seconds: float
    memory_bytes: int | None

    def minutes(self, training: TrainingConfig) -> float:
        """For a whole run."""
        sheets = -(-training.steps // training.sample_every)
        return (training.steps * self.step_seconds + sheets * self.sheet_seconds) / 60

    def steps(self, training: TrainingConfig, minutes: float) -> int:
        """As many as take this long, with the sample sheets of `shortened`; at least one.

        Raises: UsageError: a time that is not positive.
        """
        if not 0 < minutes < float("inf"):
            raise UsageError(f"Training takes a positive number of minutes; got {minutes:g}.")
        few = (60 * minutes - SHEETS * self.sheet_seconds) / self.step_seconds
        many = (60 * minutes - self.sheet_seconds) / (self.step_seconds + self.sheet_seconds / training.sample_every)
        return max(1, int(min(few, many)))


def shortened(training: TrainingConfig, steps: int) -> TrainingConfig:
    """The same training in so many steps.

    The schedule of the learning rate is fitted to the steps by itself. Warming up takes no larger part of them than one
    in `WARM_UP`, and there are about `SHEETS` sample sheets and saves, or more.
    """
    often = -(-steps // SHEETS)
    return dataclasses.replace(
        training,
        steps=steps,
        warmup=min(training.warmup, steps // WARM_UP),
        save_every=min(training.save_every, often),
        sample_every=min(training.sample_every, often),
    )


def cost(config: Config, source: Source, device: torch.device | str = "cpu") -> Cost:
    """Take a few steps and draw a sheet, forget them, and say what they cost."""
    model = untrained(config).to(device).to(memory_format=torch.channels_last)
    optimiser = new_optimiser(model)
    seconds = []
    for step in range(1, STEPS + 3):
        began = time.perf_counter()
        float(train_step(model, optimiser, source, step)["loss"])  # waits for the device
        seconds.append(time.perf_counter() - began)
    with tempfile.TemporaryDirectory() as folder:
        preview, began = PreviewClips(source), time.perf_counter()
        sample_sheet(model, preview, Path(folder) / "sheet.png")
        sheet = time.perf_counter() - began
    return Cost(step_seconds=statistics.median(seconds[2:]), sheet_seconds=sheet, memory_bytes=_peak())


def _peak() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
