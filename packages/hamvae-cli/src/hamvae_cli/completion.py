"""hamvae completion"""

import click
from click.shell_completion import get_completion_class

from .options.common import Name


@click.command()
@click.argument("shell", type=Name(("bash", "zsh", "fish")))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands in a shell.

    \b
    Example:
      eval "$(hamvae completion bash)"                                  in ~/.bashrc
      eval "$(hamvae completion zsh)"                                   in ~/.zshrc
      hamvae completion fish > ~/.config/fish/completions/hamvae.fish   once
    """
    kind = get_completion_class(shell)
    if kind is None:  # the choice above lists the shells click knows
        raise AssertionError(shell)
    click.echo(kind(ctx.find_root().command, {}, "hamvae", "_HAMVAE_COMPLETE").source())
