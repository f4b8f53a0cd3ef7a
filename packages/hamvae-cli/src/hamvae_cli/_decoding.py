"""Decoding a folder of clips for the first time, seen from the command line."""

import sys
import time

import click

EVERY = 1.0  # seconds between two lines or redrawings
PATIENCE = 2.0  # seconds in which nobody wonders what is happening


class Decoding:
    """A counter on standard error, once decoding takes long: redrawn on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PATIENCE
        self._begun = False

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` clips are decoded."""
        if time.monotonic() < self._next and not (self._begun and done == total):
            return
        terminal = sys.stderr.isatty()
        click.echo(f"{chr(13) if terminal else ''}Decoded {done} of {total} clips", err=True, nl=not terminal)
        if terminal and done == total:
            click.echo(err=True)
        self._begun = True
        self._next = time.monotonic() + (EVERY if terminal else 10 * EVERY)
