"""hamvae judge"""

import click

from .show import show
from .train import train


@click.group()
def judge() -> None:
    """Train the judges that a model's clips are scored by.

    \b
    Example:
      hamvae judge train --data builtin
      hamvae judge show judges/builtin-action-direction.safetensors
    """


judge.add_command(train)
judge.add_command(show)
