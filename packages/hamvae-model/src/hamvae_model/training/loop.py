"""Training: an iterator of reports that climbs the bound; no printing, no option parsing."""

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from .. import checkpoint
from ..config import Config
from ..data import Source
from ..errors import UsageError
from ..model import HamVAE
from ..run_lock import run_lock
from ..samples import PreviewClips, sample_sheet
from .step import new_model, new_optimiser, train_step
from .views import seed_of

REPORT_EVERY = 10  # steps between reports: reading a loss waits for the device
PRIOR_CLIPS = 64  # clips of each class the starting prior is fitted to


@dataclass(frozen=True, kw_only=True)
class Report:
    """How far training is.

    Args:
        step, steps: done and to do.
        losses: each named term of the bound in nats per clip, and `loss`, the weighted bound per pixel value that
            is minimised; means over the steps since the last report.
        sequences_per_second: clips seen per second since training started or resumed.
        seconds: since training started or resumed.
        eta_seconds: time left at that pace.
        psnr: of a fixed handful of training clips generated from their first frame, in dB, when a sheet was made.
        sample_sheet: the picture just written, if any.
    """

    step: int
    steps: int
    losses: dict[str, float]
    sequences_per_second: float
    seconds: float
    eta_seconds: float
    psnr: float | None = None
    sample_sheet: Path | None = None


def fit(
    config: Config, run: str | Path, *, source: Source, device: torch.device | str = "cpu", resume: bool = False
) -> Generator[Report, None, None]:
    """Train a model in the folder `run`; each item is a `Report`, and the last comes after the last step.

    Closing the iterator early saves what was learnt, to be continued with ``resume=True``; so does every
    `save_every`-th step. No other process can train in the folder until the iterator has ended or is closed.

    Raises:
        UsageError: the folder holds a run already (or none, with `resume`), or cannot be written; the source has
            other classes than the configuration, or other clips than the run was begun with.
        HamvaeError: another process trains there; the loss is no longer finite, or the disk refused data, and then
            what was saved last stays.
    """
    run = Path(run)
    if source.classes != config.model.classes:
        raise UsageError(
            f"The run moves {', '.join(config.model.classes)}; the {source.name} source has other classes."
        )
    if not resume:
        checkpoint.make_folder(run)
    reports = _locked(config, run, source, device, resume)
    next(reports)  # so that what is wrong is said here, not at the first report; closing it lets go of the folder
    return cast("Generator[Report, None, None]", reports)


def _locked(
    config: Config, run: Path, source: Source, device: torch.device | str, resume: bool
) -> Generator[Report | None, None, None]:
    """The reports of `fit`, after a None that says that the run is open; the folder is this process's until the end."""
    with run_lock(run):
        if resume:
            checkpoint.check_inventory(run, source.inventory)
        else:
            checkpoint.create_run(run, config, source.inventory)
        model = new_model(config).to(device).to(memory_format=torch.channels_last)
        optimiser = new_optimiser(model)
        start, best = checkpoint.load_state(run, model, optimiser) if resume else (0, -math.inf)
        checkpoint.truncate_log(run, start)
        yield None
        yield from _Run(model, optimiser, source, run, start, best).reports()


class _Run:
    """The state of training between two steps."""

    def __init__(
        self, model: HamVAE, optimiser: torch.optim.Optimizer, source: Source, run: Path, start: int, best: float
    ) -> None:
        self.model, self.optimiser, self.source, self.run = model, optimiser, source, run
        self.done, self.best = start, best
        self.saved = start
        self.preview = PreviewClips(source)

    def reports(self) -> Generator[Report, None, None]:
        self.began, self.start = time.perf_counter(), self.done
        try:
            while self.done < self.model.config.training.steps:
                with _denormals_flushed():
                    report = self.advance()
                yield report
        except GeneratorExit:  # raised at the yield, so the weights are those of a whole step
            self.save()
            raise

    def advance(self) -> Report:
        """Train up to the next report, and write what is due."""
        training = self.model.config.training
        sums: dict[str, Tensor] = {}
        first = self.done
        while True:
            for name, value in train_step(self.model, self.optimiser, self.source, self.done + 1).items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value
            self.done += 1
            last = self.done == training.steps
            show, save = (last or self.done % every == 0 for every in (training.sample_every, training.save_every))
            if show or save or self.done % REPORT_EVERY == 0:
                break
        seconds = time.perf_counter() - self.began
        pace = (self.done - self.start) / seconds
        report = Report(
            step=self.done,
            steps=training.steps,
            losses={name: float(value) / (self.done - first) for name, value in sums.items()},
            sequences_per_second=pace * training.batch,
            seconds=seconds,
            eta_seconds=(training.steps - self.done) / pace,
        )
        if show:
            report = self.show(report)
        if save:
            self.save()
        checkpoint.append_log(self.run, _log_line(report))
        return report

    def show(self, report: Report) -> Report:
        """Write a sample sheet, and the weights when no earlier ones generate better from a first frame."""
        path = self.run / "samples" / f"step-{self.done:06d}.png"
        score = sample_sheet(self.model, self.preview, path)
        if score > self.best:
            self.best = score
            self.fit_prior()
            checkpoint.save_weights(self.run / checkpoint.BEST, self.model)
        return replace(report, psnr=score, sample_sheet=path)

    def save(self) -> None:
        """Write weights and state, unless nothing happened since they were written."""
        if self.saved == self.done:
            return
        self.fit_prior()
        checkpoint.save_weights(self.run / checkpoint.WEIGHTS, self.model)
        checkpoint.save_state(self.run, self.model, self.optimiser, self.done, self.best)
        self.saved = self.done

    def fit_prior(self) -> None:
        """Fit the starting prior to the first frames of a fixed draw of training clips."""
        count = PRIOR_CLIPS * len(self.source.classes)
        generator = torch.Generator().manual_seed(seed_of(self.model.config.training.seed, 0))
        clips = torch.randint(self.source.splits["train"], (count,), generator=generator)
        device = self.model.start_prior.mean.device
        labels = self.source.labels("train", clips).to(device)
        frames = self.source.frames("train", clips, torch.zeros(count, 1, dtype=torch.int64)).to(device)
        self.model.start_prior.fit(self.model.infer_state(frames, labels), labels)


def _log_line(report: Report) -> dict[str, float]:
    line = {"step": report.step, "seconds": report.seconds, **report.losses}
    return line if report.psnr is None else {**line, "psnr": report.psnr}


@contextmanager
def _denormals_flushed() -> Generator[None, None, None]:
    """Vanishing activations otherwise slow the convolutions of a CPU several-fold; only training asks for it."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
