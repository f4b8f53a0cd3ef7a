"""hamvae data"""

import click

from .check import check
from .list import list_
from .preview import preview


@click.group()
def data() -> None:
    """Look at clips before training on them.

    \b
    Example:
      hamvae data list
      hamvae data check my-clips
      hamvae data preview builtin -o characters.png
    """


data.add_command(check)
data.add_command(list_)
data.add_command(preview)
