"""Training seen from the command line: shown while it runs, and stopped so that it can go on later."""

from __future__ import annotations  # what is named in a signature is not loaded for it

import os
import signal
from collections.abc import Generator
from contextlib import closing
from types import FrameType
from typing import TYPE_CHECKING, Self, TypeVar

import click

import hamvae_model as hv

if TYPE_CHECKING:
    from ._console import TrainingView

Made = TypeVar("Made")


def follow(reports: Generator[hv.Report, None, None], *, resume_with: str, stderr: bool = False) -> hv.Report | None:
    """Train to the end.

    Ctrl-C and SIGTERM let the steps under way finish, save, say how to go on, and exit with 128 plus the signal's
    number; a second one exits at once, which loses the steps since the last save and damages nothing.

    Args:
        reports: of `hamvae_model.fit`.
        resume_with: the command that would go on.
        stderr: show progress there, because standard output is for a program.

    Returns: the last report; None when nothing was left to do.
    """
    from ._console import training_view

    report: hv.Report | None = None
    with closing(training_view(stderr=stderr)) as view, _Signals(view) as signals, closing(reports):
        for report in reports:
            view.show(report)
            if signals.received:
                break
    if signals.received:
        if report is not None:
            click.echo(f"Saved after step {report.step} of {report.steps}; go on with: {resume_with}", err=True)
        raise click.exceptions.Exit(128 + signals.received)
    return report


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


class _Signals:
    """Remembers the first SIGINT or SIGTERM, and exits at the second."""

    def __init__(self, view: TrainingView) -> None:
        self.received = 0
        self._view = view

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            self._view.close()
            os._exit(128 + number)  # an exception could end up in the middle of a save
        self.received = number
        self._view.stopping()
