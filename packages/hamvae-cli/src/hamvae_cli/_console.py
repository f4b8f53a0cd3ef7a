"""Everything drawn with rich: the progress of training, and tables. Plain lines when nobody watches."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import Progress
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hamvae_model import Report

Scored = Callable[[str, int, int], None]
"""Told which table begins, how many pieces of work are done, and how many there are."""

LINE_EVERY = 100  # steps between two lines of a log


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns with their names above; without frames or cuts when the output goes to a file."""
    console = Console(highlight=False)
    if not console.is_terminal:
        widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
        for row in [columns, *rows]:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            console.print(Text(line.rstrip()), soft_wrap=True)
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


@contextmanager
def scoring() -> Iterator[Scored]:
    """How far scoring is, on standard error: a bar on a terminal, else a line for each piece of work."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:

        def tell(table: str, done: int, total: int) -> None:
            if done < total:
                console.print(Text(f"Scoring {table}, {done + 1} of {total}"), soft_wrap=True)

        yield tell
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Scoring")

        def draw(table: str, done: int, total: int) -> None:
            bar.update(task, description=f"Scoring {table}", completed=done, total=total)

        yield draw


class TrainingView(Protocol):
    """Something that shows how far training is."""

    def show(self, report: Report) -> None: ...

    def stopping(self) -> None:
        """Training was asked to stop, and will when the step under way is done; safe in a signal handler."""

    def close(self) -> None:
        """Leave the last report standing, and the terminal as it was."""


def training_view(*, stderr: bool = False, quiet: bool = False) -> TrainingView:
    """A live panel on a terminal, else a line now and then; nothing at all when it is to be quiet."""
    if quiet:
        return _Nothing()
    console = Console(stderr=stderr, highlight=False)
    return _Panel(console) if console.is_terminal else _Lines(console)


class _Panel:
    """Redrawn at every report."""

    def __init__(self, console: Console) -> None:
        self._heading = "Preparing"
        self._report: Report | None = None
        self._psnr, self._sheet = "", ""
        self._live = Live(console=console, auto_refresh=False, get_renderable=self._draw)
        self._live.start(refresh=True)

    def show(self, report: Report) -> None:
        self._report = report
        if self._heading != "Stopping":
            self._heading = "Training" if report.step < report.steps else "Trained"
        if report.psnr is not None:
            self._psnr = f"{report.psnr:.1f} dB"
        if report.sample_sheet is not None:
            self._sheet = str(report.sample_sheet)
        self._live.refresh()

    def stopping(self) -> None:
        self._heading = "Stopping"
        self._live.refresh()

    def close(self) -> None:
        self._live.stop()

    def _draw(self) -> RenderableType:
        report = self._report
        if report is None:
            return Text(f"{self._heading} …", style="bold")
        line = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=report.steps, completed=report.step, width=24)
        line.add_row(Text(self._heading, style="bold"), bar, *_pace(report))
        losses = Table.grid(padding=(0, 2))
        losses.add_row(*(Text(name.replace("_", " "), style="dim") for name in report.losses))
        losses.add_row(*(f"{value:.4g}" for value in report.losses.values()))
        lines: list[RenderableType] = [line, losses]
        if self._sheet:
            lines.append(Text.assemble(("PSNR ", "dim"), self._psnr, ("  newest sheet ", "dim"), self._sheet))
        return Group(*lines)


class _Lines:
    """The same facts, a line at a time: at the first report, every hundred steps, with every sheet, and at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = False

    def show(self, report: Report) -> None:
        due = report.step % LINE_EVERY == 0 or report.step == report.steps or report.sample_sheet is not None
        if self._begun and not due:
            return
        self._begun = True
        facts = ["step " + "  ".join(_pace(report))]
        facts += [f"{name.replace('_', ' ')} {value:.4g}" for name, value in report.losses.items()]
        if report.psnr is not None:
            facts.append(f"PSNR {report.psnr:.1f} dB")
        if report.sample_sheet is not None:
            facts.append(f"sheet {report.sample_sheet}")
        self._console.print(Text("  ".join(facts)), soft_wrap=True)

    def stopping(self) -> None: ...

    def close(self) -> None: ...


class _Nothing:
    """Another process shows the same."""

    def show(self, report: Report) -> None: ...

    def stopping(self) -> None: ...

    def close(self) -> None: ...


def _pace(report: Report) -> tuple[str, str, str]:
    left = timedelta(seconds=round(report.eta_seconds))
    return f"{report.step}/{report.steps}", f"{left} left", f"{report.sequences_per_second:.0f} clips/s"
