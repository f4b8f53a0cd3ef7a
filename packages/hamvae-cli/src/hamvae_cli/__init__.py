"""The `hamvae` command: a thin layer over hamvae_model, one command a file.

Nothing here imports torch or rich before a command runs, so that --help and completion answer at once.
"""

import click

from ._failures import FailingGroup
from .completion import completion
from .data import data
from .demo import demo
from .evaluate import evaluate
from .generate import generate
from .inspect import inspect
from .judge import judge
from .reconstruct import reconstruct
from .sample import sample
from .swap import swap
from .train import train

__all__ = ["main"]


@click.group(cls=FailingGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="hamvae-cli", prog_name="hamvae")
def main() -> None:
    """Disentangle what a clip shows from how it moves, with Hamiltonian dynamics.

    Train a model, then swap the motions of two clips, generate a clip from one image, or sample new ones. Start with
    `hamvae demo`, which needs nothing but minutes.

    A RUN is a folder that training made. A CLIP is a picture, animation or video file (walk.mp4#10:50 is some of its
    frames, hero.png#walk-left an action of a sprite sheet), a folder of numbered pictures, or a clip of a source:
    builtin:test/12/walk-left is character 12 of the test split, walking to the left.

    \b
    Example:
      hamvae train --data builtin --run runs/first
      hamvae swap runs/first --content builtin:test/3/walk-left \\
          --motion builtin:test/8/slash-left -o swap.gif
    """


for command in (demo, train, swap, generate, sample, reconstruct, inspect, judge, evaluate, data, completion):
    main.add_command(command)
