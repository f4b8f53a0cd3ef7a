"""hamvae data"""

import click

from .list import list_
from .preview import preview


@click.group()
def data() -> None:
    """Look at the sources of clips.

    \b
    Example:
      hamvae data list
      hamvae data preview builtin -o characters.png
    """


data.add_command(list_)
data.add_command(preview)
