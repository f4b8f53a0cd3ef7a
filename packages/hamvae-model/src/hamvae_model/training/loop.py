"""Training: an iterator of reports that climbs the bound; no printing, no option parsing."""

import math
import shlex
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from ..config.execution import Execution
from ..config.run import Config
from ..data import Source, with_validation
from ..errors import DiskError, DivergedError, HamvaeError, OtherProcessError, UsageError
from ..runs import checkpoint
from ..runs.environment import environment, record
from ..runs.lock import run_lock
from .memory import NotEnoughMemory
from .preview import PreviewClips, sample_sheet
from .ranks import Ranks
from .step import Stepper, new_model, new_optimiser
from .views import seed_of

REPORT_EVERY = 10  # steps between reports: reading a loss waits for the device
PRIOR_CLIPS = 64  # clips of each class the starting prior is fitted to
LOWER = 10  # times lower is the rate to go on with after diverging: Adam's steps are as long as the rate, and half of a
# rate that is too high still is


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
        health: `clipped`, the share of the steps since the last report whose gradient was clipped; `operator_norm`, the
            largest of the operators' (`Motion.norms`), in radians per frame; `learning_rate`, before the schedule.
        psnr: of a fixed handful of clips generated from their first frame, in dB, when a sheet was made: validation
            clips, or training clips where none are held out.
        sample_sheet: the picture just written, if any.
        notice: what a user has to be told, once, about the run that was continued.
    """

    step: int
    steps: int
    losses: dict[str, float]
    sequences_per_second: float
    seconds: float
    eta_seconds: float
    health: dict[str, float] = field(default_factory=dict)
    psnr: float | None = None
    sample_sheet: Path | None = None
    notice: str | None = None


def fit(
    config: Config,
    run: str | Path,
    *,
    source: Source,
    device: torch.device | str = "cpu",
    resume: bool = False,
    from_step: int | None = None,
    execution: Execution | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[Report, None, None]:
    """Train a model in the folder `run`; each item is a `Report`, and the last comes after the last step.

    Closing the iterator early saves what was learnt, to be continued with ``resume=True``; so does every
    `save_every`-th step. No other run can train in the folder until the iterator has ended or is closed.

    Where this process has joined others (see `joined`), they train the model together, each of them calling this
    alike; number 0 writes the folder, which the others must be able to read.

    Args:
        from_step: with `resume`, go back to the state that was kept after this step; what was learnt after it is
            forgotten once training has gone on from there and saved.
        execution: how the steps are carried out; another way may be taken whenever a run is resumed.
        stop: asked once a step. When it answers yes, in any of the processes, the step under way is the last, what was
            learnt is saved, and its report is the last.

    Raises:
        UsageError: the folder holds a run already (or none, with `resume`), or cannot be written; the source has
            other classes than the configuration, or other clips than the run was begun with; a batch cannot be cut
            into so many parts.
        DivergedError: a term, a gradient or a motion is no longer finite; the step before is saved.
        HamvaeError: another process trains there, or no state can be read; a batch needs more memory than there is, or
            the disk refused data, and then what was saved last stays.
    """
    run, ranks = Path(run), Ranks.current()
    if source.classes != config.model.classes:
        raise UsageError(
            f"The run moves {', '.join(config.model.classes)}; the {source.name} source has other classes."
        )
    model = new_model(config).to(device).to(memory_format=torch.channels_last)
    source = with_validation(source, config.training.validation)
    step = Stepper(model, new_optimiser(model), source, execution, ranks, stop)
    if not resume:
        ranks.first(lambda: checkpoint.make_folder(run))
    reports = _locked(step, run, source, resume, from_step)
    next(reports)  # so that what is wrong is said here, not at the first report; closing it lets go of the folder
    return cast("Generator[Report, None, None]", reports)


def _locked(
    step: Stepper, run: Path, source: Source, resume: bool, from_step: int | None
) -> Generator[Report | None, None, None]:
    """The reports of `fit`, after a None that says that the run is open; the folder is the run's until the end."""
    first, config = step.ranks.first, step.model.config
    with ExitStack() as held:
        first(lambda: held.enter_context(run_lock(run)))
        first(lambda: checkpoint.sweep_run(run))
        first(lambda: checkpoint.settle(run))
        if resume:
            first(lambda: checkpoint.check_inventory(run, source.inventory))
        else:
            first(lambda: checkpoint.create_run(run, config, source.inventory))
            first(lambda: checkpoint.save_state(run, step.model, step.optimiser, 0, -math.inf))
        state = checkpoint.read_state(run, from_step)
        if step.ranks.agreed(state.step) != state.step:
            raise HamvaeError(
                f"The last state of '{run}' is not the one that process 0 sees, as a disk in a network may show it for "
                "a while; start again."
            )
        state.restore(step.model, step.optimiser)
        state = replace(state, tensors={})  # they were copied, and this block lasts as long as training
        # What was saved later is forgotten when something has taken its place, not before.
        later = from_step is not None or bool(state.damaged)
        first(lambda: checkpoint.truncate_log(run, math.inf if later else state.step))
        facts = environment(
            seed=config.training.seed,
            device=str(step.device),
            processes=step.ranks.size,
            execution=step.execution,
        )
        first(lambda: record(run / checkpoint.ENVIRONMENT, facts, state.step))
        begun = _Run(step, source, run, state, later)
        yield None
        yield from begun.reports()


class _Run:
    """The state of training between two steps."""

    def __init__(self, step: Stepper, source: Source, run: Path, state: checkpoint.State, later: bool) -> None:
        self.step, self.model, self.optimiser, self.source, self.run = step, step.model, step.optimiser, source, run
        self.start = self.done = self.saved = state.step
        self.best, self.later, self.notice = state.best, later, _notice(state)
        self.writes = step.ranks.rank == 0
        self.preview = PreviewClips(source) if self.writes else None
        self.again = f"{step.ranks.command} --resume {shlex.quote(str(run))}"

    def reports(self) -> Generator[Report, None, None]:
        self.began = time.perf_counter()
        weights, over = self.run / checkpoint.WEIGHTS, self.done == self.model.config.training.steps
        try:
            if self.writes and over and not checkpoint.holds(weights, self.model):
                # They were lost, or are of a step that was killed before its state was saved; no save to come does it.
                checkpoint.save_weights(weights, self.model)
            yield from self.steps()
        except DiskError as error:
            raise HamvaeError(
                f"{error} The run is kept as it was after step {self.saved}; make room and go on with:", self.again
            ) from error
        finally:
            self.step.close()

    def steps(self) -> Generator[Report, None, None]:
        try:
            while self.done < self.model.config.training.steps and not self.step.stopped:
                with _denormals_flushed():
                    report = self.advance()
                yield report
        except GeneratorExit:  # raised at the yield, so the weights are those of a whole step
            self.save()
            raise
        except DivergedError as error:
            raise self.diverged(error) from None

    def advance(self) -> Report:
        """Train up to the next report, and write what is due."""
        training = self.model.config.training
        sums: dict[str, Tensor] = {}
        first = self.done
        while True:
            for name, value in self.take_step().items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value
            self.done += 1
            last = self.done == training.steps
            show, save = (last or self.done % every == 0 for every in (training.sample_every, training.save_every))
            if show or save or self.step.stopped or self.done % REPORT_EVERY == 0:
                break
        seconds = time.perf_counter() - self.began
        pace = (self.done - self.start) / seconds
        means = {name: float(value) / (self.done - first) for name, value in sums.items()}
        clipped = means.pop("clipped")
        report = Report(
            step=self.done,
            steps=training.steps,
            losses=means,
            sequences_per_second=pace * training.batch,
            seconds=seconds,
            eta_seconds=(training.steps - self.done) / pace,
            health={
                "clipped": clipped,
                **self.model.health(),
                "learning_rate": training.learning_rate,
            },
            notice=self.notice,
        )
        self.notice = None
        if not self.writes:
            return report
        if show:
            self.check()
            report = self.show(report)
        # Before the state: what a log says after the last state is forgotten and said again, what it lacks never comes.
        checkpoint.append_log(self.run, _log_line(report))
        if save or self.later or self.step.stopped:
            self.save()
        return report

    def take_step(self) -> dict[str, Tensor]:
        """Raises: HamvaeError: as `Stepper`; of memory, with what to do about it."""
        try:
            return self.step(self.done + 1)
        except NotEnoughMemory as error:
            found = error
        self.save()
        taken = f"in {self.step.execution.accumulate} parts " if self.step.execution.accumulate > 1 else ""
        kept = "what was learnt is saved" if self.writes else "what was saved last is kept"
        what = f"A batch of {found.batch} clips {taken}needs more memory than there is; {kept}."
        if found.parts is None:
            raise HamvaeError(
                f"{what} Not even in parts does it fit; begin a run with a smaller --batch, or train on another device."
            )
        rows = -(-self.step.rows // found.parts)
        raise HamvaeError(
            f"{what} {rows} at a time would fit and give the same result; go on with:",
            f"{self.again} --accumulate {found.parts}",
        )

    def show(self, report: Report) -> Report:
        """Write a sample sheet, and the weights when no earlier ones generate better from a first frame."""
        assert self.preview is not None
        path = checkpoint.sheet_path(self.run, self.done)
        score = sample_sheet(self.model, self.preview, path)
        if score > self.best:
            self.best = score
            self.fit_prior()
            checkpoint.save_weights(self.run / checkpoint.BEST, self.model)
        return replace(report, psnr=score, sample_sheet=path)

    def save(self) -> None:
        """Write weights and state, unless nothing happened since they were written."""
        if self.saved == self.done or not self.writes:
            return
        self.check()
        self.fit_prior()
        checkpoint.save_weights(self.run / checkpoint.WEIGHTS, self.model)
        self.save_state()

    def save_state(self) -> None:
        """Write what continues the run; only then forget older states, and what came later where training went back."""
        back = self.start if self.later else None
        checkpoint.save_state(self.run, self.model, self.optimiser, self.done, self.best, back)
        self.saved, self.later = self.done, False
        checkpoint.settle(self.run)
        checkpoint.write_config(self.run, self.model.config)
        checkpoint.forget_before(self.run, self.model.config.training.keep)

    def diverged(self, error: DivergedError) -> HamvaeError:
        """Save the step before, whose weights are as they were; returns the error that says what to do."""
        if not self.writes and error.step is not None:  # all processes found it together
            return OtherProcessError("Training diverged; the first process says how to go on.")
        if self.writes and self.saved < self.done and self.finite():
            self.save_state()
        # The step after a state is a function of that state: from the last one, any rate leads to the same numbers.
        good = max((kept for kept in checkpoint.kept_states(self.run) if kept < self.done), default=None)
        way_out, again = "Train with another seed, or with a bounded operator (elliptic or skew-symmetric).", ""
        if good is not None:
            rate = self.model.config.training.learning_rate / LOWER
            way_out = f"Go back to step {good} with a lower learning rate:"
            again = f"{self.again} --from-step {good} --learning-rate {rate:.3g}"
        step = error.step or self.done + 1
        what = f"Training diverged: the {error.term} is not finite at step {step}."
        return DivergedError(f"{what} {way_out}", error.term, step, again)

    def check(self) -> None:
        """Raises: DivergedError: the last step left a number that is not finite, of which the next would tell."""
        if not self.finite():
            raise DivergedError("A weight is not finite.", "weight", self.done)

    def finite(self) -> bool:
        """Whether all weights and moments are."""
        moments = [value for kept in self.optimiser.state.values() for value in kept.values()]
        return all(bool(tensor.isfinite().all()) for tensor in [*self.model.parameters(), *moments])

    def fit_prior(self) -> None:
        """Fit the starting prior to the first frames of a fixed draw of training clips."""
        count = PRIOR_CLIPS * len(self.source.classes)
        generator = torch.Generator().manual_seed(seed_of(self.model.config.training.seed, 0))
        clips = torch.randint(self.source.splits["train"], (count,), generator=generator)
        device = self.model.device
        labels = self.source.labels("train", clips).to(device)
        frames = self.source.frames("train", clips, torch.zeros(count, 1, dtype=torch.int64)).to(device)
        self.model.fit_prior(frames, labels)


def _notice(state: checkpoint.State) -> str | None:
    if not state.damaged:
        return None
    return f"Going on after step {state.step}, for what was saved later is damaged. {' '.join(state.damaged)}"


def _log_line(report: Report) -> dict[str, float]:
    line = {"step": report.step, "seconds": report.seconds, **report.losses, **report.health}
    return line if report.psnr is None else {**line, "psnr": report.psnr}


@contextmanager
def _denormals_flushed() -> Generator[None, None, None]:
    """Vanishing activations otherwise slow the convolutions of a CPU several-fold; only training asks for it."""
    for dtype in (np.float32, np.float64):
        np.finfo(dtype)  # older releases measure, once, the smallest number there is: not while it is taken for zero
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
