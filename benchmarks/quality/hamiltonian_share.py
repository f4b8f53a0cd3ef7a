"""How much of a training step the Hamiltonian part takes: parameterise, exponentiate, flow, and their backward.

    python benchmarks/quality/hamiltonian_share.py [--steps N]

Uses `sprites-small` on the built-in characters (the same shapes as the Sprites sheets), and times inside real steps:
a hook on the way in and one on the way back bracket the backward pass of the flow. Writes
benchmarks/results/hamiltonian-share.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
import statistics
import time

import torch
from machine import provenance
from torch import Tensor

import hamvae_model as hv
from hamvae_model.network import Motion
from hamvae_model.training import new_optimiser, train_step, untrained

RESULT = Path(__file__).parents[1] / "results" / "hamiltonian-share.json"
WARM_UP = 5


class Stopwatch:
    """Seconds spent in the flow of one step, forward and backward."""

    def __init__(self) -> None:
        self.forward = self.backward = self._entered = 0.0

    def enter_backward(self, gradient: Tensor) -> None:
        self._entered = time.perf_counter()

    def leave_backward(self, gradient: Tensor) -> None:
        self.backward += time.perf_counter() - self._entered


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=40)
    steps: int = arguments.parse_args().steps

    torch.set_flush_denormal(True)
    source = hv.open_source("builtin")
    operators = {}
    for operator in ("skew-symmetric", "elliptic", "hamiltonian"):
        config = hv.build("sprites-small", source=source, operator=operator)
        model = untrained(config).to(memory_format=torch.channels_last)
        operators[operator] = _shares(model, new_optimiser(model), source, steps)
        print(operator, operators[operator])
    result = {
        "command": f"python benchmarks/quality/hamiltonian_share.py --steps {steps}",
        "measured": "median over steps; milliseconds, and the share of the step",
        "operators": operators,
        "measured_on": provenance(),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


def _shares(model: hv.Model, optimiser: torch.optim.Optimizer, source: hv.Source, steps: int) -> dict[str, float]:
    watch = Stopwatch()
    flow = Motion.flow

    def timed(motion: Motion, state: Tensor, labels: Tensor, times: Tensor) -> Tensor:
        # Backward runs from the states to the parameters; the parameters' gradient is the last thing it makes.
        began = time.perf_counter()
        states = flow(motion, state, labels, times)
        watch.forward += time.perf_counter() - began
        states.register_hook(watch.enter_backward)
        return states

    model.motion.parameters_of_operators.register_post_accumulate_grad_hook(watch.leave_backward)
    rows = []
    Motion.flow = timed  # type: ignore[method-assign]
    try:
        for step in range(1, steps + WARM_UP + 1):
            watch.forward = watch.backward = 0.0
            began = time.perf_counter()
            train_step(model, optimiser, source, step)
            rows.append((time.perf_counter() - began, watch.forward, watch.backward))
    finally:
        Motion.flow = flow  # type: ignore[method-assign]
    whole, forward, backward = (statistics.median(column) for column in zip(*rows[WARM_UP:], strict=True))
    return {
        "step_ms": round(whole * 1e3, 2),
        "forward_ms": round(forward * 1e3, 3),
        "backward_ms": round(backward * 1e3, 3),
        "share": round((forward + backward) / whole, 4),
    }


if __name__ == "__main__":
    main()
