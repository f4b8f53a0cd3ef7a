"""How fast exp(A) and its gradient are beside torch, scipy and jax, on one thread of the CPU.

    python benchmarks/expm/speed.py [--seconds S] [--only K,n ...]

All contenders run in turn in one process: first a block of calls of the first one, then a block of the next, and so
on, a block lasting about a millisecond; the time of a contender is the median over the rounds, and a ratio to torch is
the median of the ratios within each round. Errors are those of the first matrix against extended precision. `ours` is
the compiled way (extra `cpu`), `plain` is backend="torch". Writes benchmarks/results/expm-speed.json.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
os.environ.update(ONE_THREAD)  # read when the libraries are loaded

import argparse
import json
import statistics
import time
from importlib.metadata import PackageNotFoundError, version

import torch
from machine import provenance

from expm.cases import (
    DTYPES,
    NORMS,
    SIZES,
    Call,
    backward_calls,
    direction,
    error,
    forward_calls,
    hamiltonian_batch,
    reference,
    reference_gradient,
)

RESULT = Path(__file__).parents[1] / "results" / "expm-speed.json"
BLOCK = 1e-3  # seconds
ROUNDS = (9, 200)  # least and most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.5, help="for each case")
    parser.add_argument("--only", nargs="*", metavar="K,n", help="sizes, and write nothing")
    arguments = parser.parse_args()
    sizes = [tuple(map(int, size.split(","))) for size in arguments.only or []] or SIZES

    torch.set_num_threads(1)
    rows = []
    for K, n in sizes:
        for name, dtype in DTYPES.items():
            for norm in NORMS:
                A = hamiltonian_batch(K, n, norm, dtype)
                G = direction(A)
                first = A[0].double().numpy()
                for what, calls, exact in (
                    ("forward", forward_calls(A), reference(first)),
                    ("forward and backward", backward_calls(A, G), reference_gradient(first, G[0].double().numpy())),
                ):
                    row = {"K": K, "n": n, "dtype": name, "norm": norm, "what": what}
                    row["contenders"] = measured(calls, arguments.seconds)
                    for contender, call in calls.items():
                        row["contenders"][contender]["error"] = float(f"{error(call(), exact):.2e}")
                    rows.append(row)
                    print(line(row), flush=True)
    if not arguments.only:
        result = {
            "command": "python benchmarks/expm/speed.py",
            "measured": "microseconds; median over rounds in which all take turns; torch time / own time, its median",
            "rows": rows,
            "versions": {name: installed(name) for name in ("torch", "numba", "scipy", "jax")},
            "measured_on": provenance(),
        }
        RESULT.write_text(json.dumps(result, indent=1) + "\n")


def measured(
    calls: dict[str, Call], seconds: float, *, least: int = ROUNDS[0], beside: tuple[str, ...] = ("torch",)
) -> dict[str, dict[str, float]]:
    """Time in µs of each contender, and that of those named in `beside` over its own."""
    counts = {}
    for name, call in calls.items():
        call()
        counts[name] = max(1, round(BLOCK / min(once(call) for _ in range(3))))
    times: dict[str, list[float]] = {name: [] for name in calls}
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < least or (time.perf_counter() < end and rounds < ROUNDS[1]):
        for name, call in calls.items():
            times[name].append(once(call, counts[name]))
        rounds += 1
    return {
        name: {
            "us": round(statistics.median(own) * 1e6, 2),
            **{
                f"{rival}_over_it": round(statistics.median(r / o for r, o in zip(times[rival], own, strict=True)), 2)
                for rival in beside
                if rival in times
            },
        }
        for name, own in times.items()
    }


def once(call: Call, count: int = 1) -> float:
    """Seconds of one of `count` calls."""
    call()  # so that no one pays for the caches the one before has filled
    began = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - began) / count


def line(row: dict) -> str:
    cells = [
        f"{name} {cell['us']:.1f} µs ×{cell['torch_over_it']:.2f} ({cell['error']:.0e})"
        for name, cell in row["contenders"].items()
    ]
    return f"{row['K']},{row['n']} {row['dtype']} {row['norm']:g} {row['what']}: " + ", ".join(cells)


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
