"""How many numbers a frame needs: the error that the best k-dimensional linear decoder leaves on other characters.

    HAMVAE_SPRITES_SHEETS=DIR python benchmarks/quality/principal_components.py

Principal components of 5000 frames of nine in ten training characters, tested on 800 frames of the others; neither
validation nor test is looked at. The result set the width of the decoder's last hidden layer. Writes
benchmarks/results/principal-components.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import json

import torch
from machine import provenance
from torch import Tensor

import hamvae_model as hv
from hamvae_model.clips import as_images

RESULT = Path(__file__).parents[1] / "results" / "principal-components.json"
WIDTHS = (128, 256, 512, 1024, 2048)
SEED = 0


def main() -> None:
    source, generator = hv.open_source("sprites"), torch.Generator().manual_seed(SEED)

    def frames(first: int, end: int, clips: int) -> Tensor:
        which = torch.randint(first, end, (clips,), generator=generator)
        moments = torch.randint(source.length, (clips, 2), generator=generator)
        return as_images(source.frames("train", which, moments)).flatten(0, 1).flatten(1)

    count = source.splits["train"]
    train, test = frames(0, count * 9 // 10, 2500), frames(count * 9 // 10, count, 400)
    mean = train.mean(0)
    values, vectors = torch.linalg.eigh(((train - mean) @ (train - mean).mT).double())
    left = {}
    for width in WIDTHS:
        largest = slice(len(values) - width, None)
        basis = (train - mean).mT @ vectors[:, largest].float() / values[largest].sqrt().float()
        rest = (test - mean) - (test - mean) @ basis @ basis.mT
        left[width] = float((rest**2).mean())
        print(f"{width:5} components leave a mean squared error of {left[width]:.2e}")
    result = {
        "command": "python benchmarks/quality/principal_components.py",
        "seed": SEED,
        "mse_left": left,
        "measured_on": provenance(),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
