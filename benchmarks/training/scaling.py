"""What many processes and the options of execution cost and save, each beside a plain step of the same run.

    python benchmarks/training/scaling.py [--rounds N] [--preset NAME]

Two processes of one thread each, on this machine, take turns: a whole batch in the first alone, half a batch in each at
once without exchanging anything, the exchange alone, and a shared batch. The cost model of docs/scale.md adds the
second and the third and is compared with the fourth. Then one process of one thread takes steps with every option in
turn. Medians are reported. Uses the built-in characters. Writes benchmarks/results/scaling.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from machine import provenance

import hamvae_model as hv
from hamvae_model.config import Execution
from hamvae_model.training import Ranks, Stepper, joined, new_optimiser, untrained

RESULT = Path(__file__).parents[1] / "results" / "scaling.json"
PROCESSES = 2
WARM_UP = 3  # steps of each that are not timed
OPTIONS = {
    "plain": (Execution(), "float32"),
    "`--accumulate 2`": (Execution(accumulate=2), "float32"),
    "`--accumulate 8`": (Execution(accumulate=8), "float32"),
    "`--workers 1`": (Execution(workers=1), "float32"),
    "`--compile`": (Execution(compile=True), "float32"),
    "`--deterministic`": (Execution(deterministic=True), "float32"),
    "`--precision bfloat16`": (Execution(), "bfloat16"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--preset", default="sprites-small", choices=hv.PRESETS)
    parser.add_argument("--result", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    source = hv.open_source("builtin")
    if "RANK" in os.environ:
        with joined("cpu") as ranks:
            found = together(source, arguments.preset, arguments.rounds, ranks)
            if ranks.rank == 0:
                arguments.result.write_text(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "together.json"
        launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={PROCESSES}", "--", __file__]
        words = ["--rounds", str(arguments.rounds), "--preset", arguments.preset, "--result", str(part)]
        subprocess.run([sys.executable, *launcher, *words], env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True)
        shared = json.loads(part.read_text())
    result = {
        "command": f"python benchmarks/training/scaling.py --rounds {arguments.rounds} --preset {arguments.preset}",
        "batch": hv.build(arguments.preset, source=source).training.batch,
        "processes": PROCESSES,
        **shared,
        "options": options(source, arguments.preset, arguments.rounds),
        "measured_on": provenance(),
    }
    arguments.result.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def stepper(
    config: hv.Config, source: hv.Source, execution: Execution | None = None, ranks: Ranks | None = None
) -> Stepper:
    model = untrained(config).to(memory_format=torch.channels_last)
    return Stepper(model, new_optimiser(model), source, execution, ranks or Ranks())


def medians(contenders: Mapping[str, Callable[[int], object]], rounds: int, before: Callable[[], object]) -> dict:
    """Milliseconds of each, in turns; `before` is called before each."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(1, rounds + WARM_UP + 1):
        for name, contender in contenders.items():
            before()
            began = time.perf_counter()
            contender(number)
            times[name].append(time.perf_counter() - began)
    return {name: 1e3 * statistics.median(values[WARM_UP:]) for name, values in times.items()}


def together(source: hv.Source, preset: str, rounds: int, ranks: Ranks) -> dict[str, object]:
    """What a shared batch costs, and what it should."""
    whole = hv.build(preset, source=source)
    half = replace(whole, training=replace(whole.training, batch=whole.training.batch // ranks.size))
    alone, part, shared = stepper(whole, source), stepper(half, source), stepper(whole, source, ranks=ranks)
    gradient = torch.zeros(sum(parameter.numel() for parameter in alone.network.parameters()))
    contenders: dict[str, Callable[[int], object]] = {
        "whole_batch_in_one_ms": lambda step: alone(step) if ranks.rank == 0 else None,
        "half_a_batch_in_each_ms": part,
        "exchange_ms": lambda step: ranks.total(gradient),
        "shared_batch_ms": shared,
    }
    found = medians(contenders, rounds, lambda: ranks.total(torch.zeros(1)))  # all begin at once
    predicted = found["half_a_batch_in_each_ms"] + found["exchange_ms"]
    one, two = found["whole_batch_in_one_ms"], found["shared_batch_ms"]
    size = 4 * len(gradient)
    return {
        "parameters": len(gradient),
        "bytes_sent_by_each": int(2 * (ranks.size - 1) / ranks.size * size),
        **{name: round(value, 2) for name, value in found.items()},
        "predicted_ms": round(predicted, 2),
        "measured_over_predicted": round(two / predicted, 3),
        "throughput_ratio": round(one / two, 3),
        "predicted_throughput_ratio": round(one / predicted, 3),
    }


def options(source: hv.Source, preset: str, rounds: int) -> dict[str, dict[str, float]]:
    """A step with each option, over a plain one."""
    steppers = {
        name: stepper(hv.build(preset, source=source, precision=precision), source, execution)
        for name, (execution, precision) in OPTIONS.items()
    }
    first = {}
    for name, step in steppers.items():
        began = time.perf_counter()
        step(1)
        first[name] = time.perf_counter() - began
    found = medians(steppers, rounds, lambda: None)
    for step in steppers.values():
        step.close()
    return {
        name: {
            "ms": round(value, 2),
            "over_plain": round(value / found["plain"], 3),
            "first_step_seconds": round(first[name], 1),
        }
        for name, value in found.items()
    }


if __name__ == "__main__":
    main()
