"""Training seen from the command line: shown while it runs, and stopped so that it can go on later."""

from __future__ import annotations  # what is named in a signature is not loaded for it

import os
import signal
from collections.abc import Generator
from contextlib import closing, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

import click

import hamvae_model as hv

if TYPE_CHECKING:
    from hamvae_model.training import Reports

    from ._console import TrainingView

Made = TypeVar("Made")


class Interruption:
    """Whether to stop: remembers the first SIGINT or SIGTERM while training is followed, and exits at the second.

    Not where torchrun started it: a signal may then reach a process twice, from the launcher and from its sender.
    """

    def __init__(self) -> None:
        self.received = 0
        self._view: TrainingView | None = None

    def __call__(self) -> bool:
        return self.received > 0

    @contextmanager
    def heeded(self, view: TrainingView) -> Generator[None, None, None]:
        """Within the block signals are remembered, and shown in the view."""
        self._view = view
        before = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        assert self._view is not None
        if self.received and launched():
            return  # handed on by the launcher, as well as sent to all; it ends by force what takes too long
        if self.received:
            self._view.close()
            os._exit(128 + number)  # an exception could end up in the middle of a save
        self.received = number
        self._view.stopping()


def follow(
    reports: Reports,
    interruption: Interruption,
    *,
    resume_with: str,
    stderr: bool = False,
    quiet: bool = False,
) -> hv.Report | None:
    """Train to the end.

    Ctrl-C and SIGTERM let the step under way finish, save, say how to go on, and exit with 128 plus the signal's
    number; a second one exits at once, which loses the steps since the last save and damages nothing.

    Args:
        reports: of `hamvae_model.fit`.
        interruption: what `fit` was given to ask whether to stop.
        resume_with: the command that would go on.
        stderr: show progress there, because standard output is for a program.
        quiet: show none, and say nothing.

    Returns: the last report; None when nothing was left to do.
    """
    from ._console import training_view

    report: hv.Report | None = None
    with closing(training_view(stderr=stderr, quiet=quiet)) as view, interruption.heeded(view), closing(reports):
        for report in reports:
            view.show(report)
            if report.notice and not quiet:
                click.echo(report.notice, err=True)
    if report is not None and report.step < report.steps:  # where several train together, the signal may be another's
        if not quiet:
            click.echo(f"Saved after step {report.step} of {report.steps}; go on with: {resume_with}", err=True)
        raise click.exceptions.Exit(128 + (interruption.received or signal.SIGTERM))
    return report


def launched() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def watch(reports: Generator[hv.Report, None, Made], *, stderr: bool = False) -> Made:
    """Train what is made in minutes and kept only when it is done: Ctrl-C ends it.

    Args:
        reports: of `train_judge`.
        stderr: show progress there, because standard output is for a program.

    Returns: what the reports end with.
    """
    from ._console import training_view

    with closing(training_view(stderr=stderr)) as view, closing(reports):
        while True:
            try:
                view.show(next(reports))
            except StopIteration as end:
                made: Made = end.value
                return made
