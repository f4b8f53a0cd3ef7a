"""How a command fails: one sentence on standard error and an exit code; what nobody foresaw keeps its traceback."""

from typing import Any

import click

from hamvae_model import HamvaeError, UsageError

INTERRUPTED = 130  # 128 + SIGINT, as shells count


class _WrongRequest(click.ClickException):
    exit_code = 2


class FailingGroup(click.Group):
    """The commands in the order they were added; what the library raises becomes a sentence and an exit code.

    2: what was asked for is wrong. 1: carrying it out failed. 130: Ctrl-C.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HamvaeError as error:
            raise (_WrongRequest if isinstance(error, UsageError) else click.ClickException)(str(error)) from None
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
