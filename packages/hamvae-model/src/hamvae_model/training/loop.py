"""Training: an iterator of reports that climbs the bound; no printing, no option parsing."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..config import Config, Execution
from ..data import Source, with_validation
from ..errors import DivergedError, HamvaeError, OtherProcessError, UsageError
from ..runs import kept_states
from .memory import NotEnoughMemory
from .ranks import Ranks
from .report import Report
from .run import Run, open_run
from .step import Stepper, new_optimiser, untrained

REPORT_EVERY = 10  # steps between reports: reading a loss waits for the device
LOWER = 10  # times lower is the rate to go on with after diverging: Adam's steps are as long as the rate, and half of a
# rate that is too high still is


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
) -> "Reports":
    """Train a model in the folder `run`; each item is a `Report`, and the last comes after the last step.

    Closing the iterator early saves what was learned, to be continued with ``resume=True``; so does every
    `save_every`-th step. No other run can train in the folder until the iterator has ended or is closed.

    Where this process has joined others (see `joined`), they train the model together, each of them calling this
    alike; number 0 writes the folder, which the others must be able to read.

    Args:
        from_step: with `resume`, go back to the state that was kept after this step; what was learned after it is
            forgotten once training has gone on from there and saved.
        execution: how the steps are carried out; another way may be taken whenever a run is resumed.
        stop: asked once a step. When it answers yes, in any of the processes, the step under way is the last, what was
            learned is saved, and its report is the last.

    Raises:
        UsageError: the folder holds a run already (or none, with `resume`), or cannot be written; the source has
            other classes than the configuration, or other clips than the run was begun with; a batch cannot be cut
            into so many parts.
        DivergedError: a term, a gradient or a motion is no longer finite; the step before is saved.
        HamvaeError: another process trains there, or no state can be read; a batch needs more memory than there is, or
            the disk refused data, and then what was saved last stays.
    """
    ranks = Ranks.current()
    if source.classes != config.model.classes:
        raise UsageError(
            f"The run moves {', '.join(config.model.classes)}; the {source.name} source has other classes."
        )
    network = untrained(config).to(device).to(memory_format=torch.channels_last)
    source = with_validation(source, config.data.validation)
    step = Stepper(network, new_optimiser(network), source, execution, ranks, stop)
    with ExitStack() as held:
        opened = held.enter_context(open_run(Path(run), step, source, resume=resume, from_step=from_step))
        return Reports(opened, held.pop_all())


class Reports(Iterator[Report]):
    """The reports of a run. Its folder is kept from others until they end or are closed.

    Args:
        run: that was opened.
        held: what lets go of it.
    """

    def __init__(self, run: Run, held: ExitStack) -> None:
        self._run, self._held, self._began, self._open = run, held, time.perf_counter(), True

    def __next__(self) -> Report:
        """Train up to the next report, and write what is due.

        Raises: as `fit`.
        """
        run = self._run
        if not self._open:
            raise StopIteration
        try:
            with run.disk_told(), _divergence_told(run):
                if not run.over and not run.step.stopped:
                    with _denormals_flushed():
                        return self._advance()
                if run.done == run.start:
                    run.mend()
        except BaseException:
            self._let_go()
            raise
        self._let_go()
        raise StopIteration

    def close(self) -> None:
        """Save what was learned, and let go of the folder.

        Raises: as `fit`.
        """
        if not self._open:
            return
        run = self._run
        try:
            with run.disk_told(), _divergence_told(run):
                run.save()
        finally:
            self._let_go()

    def __del__(self) -> None:
        if getattr(self, "_open", False):
            self.close()

    def _let_go(self) -> None:
        self._open = False
        self._held.close()

    def _advance(self) -> Report:
        run, training = self._run, self._run.network.config.training
        sums: dict[str, Tensor] = {}
        first = run.done
        while True:
            for name, value in _taken(run).items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value
            run.done += 1
            show, save = (run.over or run.done % every == 0 for every in (training.sample_every, training.save_every))
            if show or save or run.step.stopped or run.done % REPORT_EVERY == 0:
                break
        seconds = time.perf_counter() - self._began
        pace = (run.done - run.start) / seconds
        means = {name: float(value) / (run.done - first) for name, value in sums.items()}
        health = {"clipped": means.pop("clipped"), **run.network.health(), "learning_rate": training.learning_rate}
        report = Report(
            step=run.done,
            steps=training.steps,
            losses=means,
            sequences_per_second=pace * training.batch,
            seconds=seconds,
            eta_seconds=(training.steps - run.done) / pace,
            health=health,
            notice=run.notice,
        )
        run.notice = None
        if not run.writes:
            return report
        if show:
            run.check()
            report = run.show(report)
        # Before the state: what a log says after the last state is forgotten and said again, what it lacks never comes.
        run.log(report)
        if save or run.later or run.step.stopped:
            run.save()
        return report


def _taken(run: Run) -> dict[str, Tensor]:
    """The terms of the next step.

    Raises: HamvaeError: as `Stepper`; of memory, with what to do about it.
    """
    try:
        return run.step(run.done + 1)
    except NotEnoughMemory as error:
        found = error
    run.save()
    taken = f"in {run.step.execution.accumulate} parts " if run.step.execution.accumulate > 1 else ""
    kept = "what was learned is saved" if run.writes else "what was saved last is kept"
    what = f"A batch of {found.batch} clips {taken}needs more memory than there is; {kept}."
    if found.parts is None:
        raise HamvaeError(
            f"{what} Not even in parts does it fit; begin a run with a smaller --batch, or train on another device."
        )
    rows = -(-run.step.rows // found.parts)
    raise HamvaeError(
        f"{what} {rows} at a time would fit and give the same result; go on with:",
        f"{run.again} --accumulate {found.parts}",
    )


@contextmanager
def _divergence_told(run: Run) -> Generator[None, None, None]:
    """Raises: HamvaeError: instead of a DivergedError within the block, with the command that goes on."""
    try:
        yield
    except DivergedError as error:
        raise _diverged(run, error) from None


def _diverged(run: Run, error: DivergedError) -> HamvaeError:
    """Save the step before, whose weights are as they were; returns the error that says what to do."""
    if not run.writes and error.step is not None:  # all processes found it together
        return OtherProcessError("Training diverged; the first process says how to go on.")
    if run.writes and run.saved < run.done and run.finite():
        run.save_state()
    # The step after a state is a function of that state: from the last one, any rate leads to the same numbers.
    good = max((kept for kept in kept_states(run.path) if kept < run.done), default=None)
    way_out, again = "Train with another seed, or with a bounded operator (elliptic or skew-symmetric).", ""
    if good is not None:
        rate = run.network.config.training.learning_rate / LOWER
        way_out = f"Go back to step {good} with a lower learning rate:"
        again = f"{run.again} --from-step {good} --learning-rate {rate:.3g}"
    step = error.step or run.done + 1
    what = f"Training diverged: the {error.term} is not finite at step {step}."
    return DivergedError(f"{what} {way_out}", error.term, step, again)


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
