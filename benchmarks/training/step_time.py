"""What a training step of `sprites-small` costs on a CPU, by number format and memory layout, and by decoder.

    python benchmarks/training/step_time.py [--rounds N]

Variants take turns, one step each, so that whatever else the machine does falls on all alike; medians are compared
with the preset's. Uses the built-in characters, which have the shapes of the Sprites sheets. Writes
benchmarks/results/step-time.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import dataclasses
import json
import statistics
import time

import torch
from machine import provenance

import hamvae_model as hv
from hamvae_model.training import new_optimiser, train_step, untrained

RESULT = Path(__file__).parents[1] / "results" / "step-time.json"
WARM_UP = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds: int = parser.parse_args().rounds

    torch.set_flush_denormal(True)
    source = hv.open_source("builtin")
    preset = hv.build("sprites-small", source=source)
    half = dataclasses.replace(preset, training=dataclasses.replace(preset.training, bfloat16=True))
    pyramid = {"decoder_grid": 4, "decoder_hidden": (), "decoder_widths": (256, 128, 64, 32)}
    convolutions = dataclasses.replace(preset, model=dataclasses.replace(preset.model, **pyramid))
    variants = {
        "preset: float32, channels last": (preset, torch.channels_last),
        "float32, channels first": (preset, torch.contiguous_format),
        "bfloat16, channels last": (half, torch.channels_last),
        "bfloat16, channels first": (half, torch.contiguous_format),
        "decoder as a pyramid of convolutions": (convolutions, torch.channels_last),
    }
    models = {name: untrained(config).to(memory_format=layout) for name, (config, layout) in variants.items()}
    optimisers = {name: new_optimiser(model) for name, model in models.items()}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for step in range(1, rounds + WARM_UP + 1):
        for name, model in models.items():
            began = time.perf_counter()
            train_step(model, optimisers[name], source, step)
            times[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values[WARM_UP:]) for name, values in times.items()}
    base = medians["preset: float32, channels last"]
    for name, median in medians.items():
        print(f"{name:40} {median * 1e3:7.1f} ms   {median / base:5.2f} times the preset's")
    result = {
        "command": f"python benchmarks/training/step_time.py --rounds {rounds}",
        "milliseconds": {name: round(median * 1e3, 1) for name, median in medians.items()},
        "ratio_to_preset": {name: round(median / base, 2) for name, median in medians.items()},
        "measured_on": provenance(),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
