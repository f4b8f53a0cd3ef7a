"""Make the picture that opens the README: one built-in character moving as another does.

    python docs/picture.py [--run demo/run]

Reads the run that `make demo` trains and writes docs/swap.gif: three swaps below each other, each with the content,
the motion, and the content moving that way.
"""

import argparse
from pathlib import Path

import torch

import hamvae_model as hv
from hamvae_model.data import side_by_side

SWAPS = (  # held-out characters: content, motion
    ("builtin:test/3/walk-left", "builtin:test/60/slash-front"),
    ("builtin:test/21/wave-front", "builtin:test/40/walk-right"),
    ("builtin:test/95/slash-left", "builtin:test/8/wave-front"),
)
SCALE = 2


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--run", type=Path, default=Path("demo/run"), help="the run folder")
    model = hv.load(arguments.parse_args().run)
    rows = []
    for content, motion in SWAPS:
        look, movement = hv.open_clip(content), hv.open_clip(motion)
        rows.append(side_by_side([look, movement, model.swap(look, movement)]))
    hv.write(Path(__file__).parent / "swap.gif", torch.cat(rows, dim=-2), scale=SCALE)


if __name__ == "__main__":
    main()
