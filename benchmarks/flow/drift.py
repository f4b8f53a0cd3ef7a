"""How far a million steps of a bounded flow drift: energy and symplecticity, as they come out of `flow`.

    python benchmarks/flow/drift.py [--steps N]

Blocks of eight pairs, elliptic and skew-symmetric, with frequencies of the order of 1 and M positive definite, at the
times 0, 1, ..., N. The energy of a state ½ sᵀMs is compared with that at time zero, relatively, in double precision,
and S(t), the states that began as the unit vectors, with SᵀJS = J (see `symplectic_residual`). Written are the largest
of both over the last hundred times, and of the energy also the root of the mean square. Writes
benchmarks/results/flow-drift.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
import time

import torch
from machine import provenance
from torch import Tensor

import symplectic_ops as so

RESULT = Path(__file__).parents[1] / "results" / "flow-drift.json"
d = 8
WAYS = {
    "float32": (torch.float32, False),
    "float32, precise": (torch.float32, True),
    "float64": (torch.float64, False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10**6)
    parser.add_argument("--result", type=Path, default=RESULT)
    arguments = parser.parse_args()
    steps: int = arguments.steps

    torch.set_num_threads(1)
    rows = []
    for structure, H in systems().items():
        for way, (dtype, precise) in WAYS.items():
            began = time.perf_counter()
            rows.append({"class": structure, "way": way, **drift(H.to(dtype), steps, precise)})
            rows[-1]["seconds"] = round(time.perf_counter() - began, 2)
            print(rows[-1], flush=True)
    result = {
        "command": f"python benchmarks/flow/drift.py --steps {steps}",
        "measured": "relative error of the energy and symplectic residual over the last hundred steps",
        "steps": steps,
        "rows": rows,
        "measured_on": provenance(),
    }
    arguments.result.write_text(json.dumps(result, indent=1) + "\n")


def systems() -> dict[str, Tensor]:
    """A generator (2d, 2d) of each bounded class."""
    space, turning = so.EllipticHamiltonian(d, epsilon=0.2), so.SkewSymmetricHamiltonian(d)
    H = space(torch.randn(space.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) / 4)
    return {"elliptic": H, "skew-symmetric": turning.project(H)}


def drift(H: Tensor, steps: int, precise: bool) -> dict[str, float]:
    unit, times = torch.eye(2 * d, dtype=H.dtype), torch.arange(steps + 1, dtype=torch.float64)
    states = so.flow(H, unit, times, precise=precise)
    last = states[:, -100:].double()
    before = so.energy(H.double(), unit.double())[:, None]
    energy = so.energy(H.double(), last) / before - 1
    residual = so.symplectic_residual(last.permute(1, 2, 0))
    return {
        "energy": float(f"{energy.square().mean().sqrt():.1e}"),
        "energy_at_most": float(f"{energy.abs().max():.1e}"),
        "symplectic_residual_at_most": float(f"{residual.max():.1e}"),
    }


if __name__ == "__main__":
    main()
