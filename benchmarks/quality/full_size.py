"""What the preset `sprites` asks of a GPU, counted on a CPU: an estimate of its time, for want of a measurement.

    python benchmarks/quality/full_size.py

Counts the floating-point operations of one training step and the operators that it launches. A step takes at least as
long as its arithmetic at a share of the device's peak, and at least as long as its launches one after the other; the
estimate is the larger of the two, under pessimistic and under optimistic assumptions. Uses the built-in characters,
which have the shapes of the Sprites sheets. Writes benchmarks/results/full-size.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
from dataclasses import replace
from typing import Any

from machine import provenance
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import hamvae_model as hv
from hamvae_model.training import new_optimiser, train_step, untrained

RESULT = Path(__file__).parents[1] / "results" / "full-size.json"
DEVICE = "NVIDIA H100 SXM"
PEAK = 989e12  # operations a second, dense bfloat16, as NVIDIA's data sheet gives it
ASSUMED = {  # share of the peak that the convolutions reach, and microseconds from one launch to the next
    "pessimistic": (0.10, 12.0),
    "optimistic": (0.30, 6.0),
}


class Launches(TorchDispatchMode):
    """Counts operators that compute something; views only rename memory."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += not func.is_view
        return func(*args, **(kwargs or {}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="sprites", choices=("sprites", "sprites-small"))
    parser.add_argument("--result", type=Path, default=RESULT)
    arguments = parser.parse_args()
    source = hv.open_source("builtin")
    config = hv.build(arguments.preset, source=source)
    config = replace(config, training=replace(config.training, bfloat16=False))  # counts alike, and faster here
    model = untrained(config)
    optimiser = new_optimiser(model)
    with FlopCounterMode(display=False) as operations, Launches() as launches:
        train_step(model, optimiser, source, 1)
    steps, work = config.training.steps, operations.get_total_flops()
    minutes = {
        name: round(steps * max(work / (share * PEAK), launches.count * wait * 1e-6) / 60, 1)
        for name, (share, wait) in ASSUMED.items()
    }
    result = {
        "command": f"python benchmarks/quality/full_size.py --preset {arguments.preset}",
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": steps,
        "operations_per_step": work,
        "launches_per_step": launches.count,
        "estimate": {"device": DEVICE, "assumed": ASSUMED, "minutes": minutes},
        "measured_on": provenance(),
    }
    arguments.result.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["estimate"] | {"launches": launches.count, "operations": work}, indent=2))


if __name__ == "__main__":
    main()
