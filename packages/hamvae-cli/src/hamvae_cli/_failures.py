"""How a command fails: one sentence on standard error and an exit code; what nobody foresaw keeps its traceback."""

import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from hamvae_model import HamvaeError, UsageError
from hamvae_model.errors import OtherProcessError
from hamvae_model.words import printable

OTHERS_SPEAK = 3  # seconds in which another process says what was wrong; torchrun ends all when one has ended
INTERRUPTED = 130  # 128 + SIGINT, as shells count


MEANT = {
    "--loop": "--clips-repeat",
    "--fps": "--clip-fps",
    "--lr": "--learning-rate",
    "--epochs": "--steps",
    "--iterations": "--steps",
    "--batch-size": "--batch",
    "--num-workers": "--workers",
    "--out": "--output",
    "--source": "--data",
    "--dataset": "--data",
    "--folder": "--root",
    "--model": "--preset",
    "--size": "--scale",
    "--random-seed": "--seed",
    "--gpu": "--device",
}
"""Options of other programs, and what they are called here; said where the command has that option."""


class _WrongRequest(click.ClickException):
    exit_code = 2


@contextmanager
def _legible() -> Iterator[None]:
    """What click itself complains of is said in one line, with escapes for what a terminal would obey."""
    try:
        yield
    except click.NoSuchOption as error:
        meant = MEANT.get(error.option_name, "")
        known = [name for param in (error.ctx.command.params if error.ctx else ()) for name in param.opts]
        if meant in known:
            error.possibilities = [meant]  # type: ignore[misc]
        error.message = printable(error.message)  # type: ignore[misc]
        raise
    except click.exceptions.NoArgsIsHelpError:  # its lines are the help's
        raise
    except click.ClickException as error:
        error.message = printable(error.message)  # type: ignore[misc]  # nobody has read it yet
        raise


class FailingGroup(click.Group):
    """The commands in the order they were added; what the library raises becomes a sentence and an exit code.

    2: what was asked for is wrong. 1: carrying it out failed. 130: Ctrl-C. Of several processes that torchrun started,
    the first of each machine says what was wrong with the request, and any says what failed in it, with its number.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a name that is no text in any encoding can be shown all the same
                stream.reconfigure(errors="backslashreplace")
        with _legible():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        rank, first = os.environ.get("RANK", "0"), os.environ.get("LOCAL_RANK", "0") == "0"
        try:
            return self._carry_out(ctx)
        except click.UsageError:
            if first:
                raise
            raise _silent_exit(_WrongRequest.exit_code) from None
        except HamvaeError as error:
            kind = _WrongRequest if isinstance(error, UsageError) else click.ClickException
            told = rank == "0" if isinstance(error, OtherProcessError) else first or kind is not _WrongRequest
            if not told:
                raise _silent_exit(kind.exit_code) from None
            raise kind(str(error) if rank == "0" else f"Process {rank}: {error}") from None
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None

    def _carry_out(self, ctx: click.Context) -> Any:
        """Raises: HamvaeError: as well, instead of what is raised wherever memory ends."""
        try:
            with _legible():
                return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):  # both are RuntimeErrors
            raise
        except (MemoryError, RuntimeError) as error:
            from hamvae_model.training import is_out_of_memory

            if not is_out_of_memory(error):
                raise
        raise HamvaeError(
            "This needs more memory than there is. Close what else takes some, ask for less at once, or take another "
            "device; what was saved is kept."
        )


def _silent_exit(code: int) -> click.exceptions.Exit:
    time.sleep(OTHERS_SPEAK)
    return click.exceptions.Exit(code)
