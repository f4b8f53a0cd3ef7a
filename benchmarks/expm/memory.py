"""How much memory exp(A) and its gradient take beyond A and the incoming gradient: peak bytes, not estimates.

    python benchmarks/expm/memory.py

Each figure is the rise of the peak resident memory of a process of its own, which has exponentiated one small batch
before, over the size of A: 512 matrices of 128 × 128. Writes benchmarks/results/expm-memory.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import json
import resource
import subprocess

import torch
from machine import provenance

import symplectic_ops
from expm.cases import DTYPES, NORMS, direction, hamiltonian_batch

RESULT = Path(__file__).parents[1] / "results" / "expm-memory.json"
K, N = 512, 128
CONTENDERS = {
    "torch": torch.linalg.matrix_exp,
    "ours": symplectic_ops.expm,
    "plain": lambda A: symplectic_ops.expm(A, backend="torch"),
    "plain, recompute": lambda A: symplectic_ops.expm(A, backend="torch", memory="recompute"),
}


def main() -> None:
    if len(sys.argv) > 1:
        contender, dtype, norm = sys.argv[1:]
        print(peak(contender, dtype, float(norm)))
        return
    rows = []
    for dtype in DTYPES:
        for norm in NORMS:
            figures = {}
            for contender in CONTENDERS:
                command = [sys.executable, __file__, contender, dtype, str(norm)]
                figures[contender] = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            rows.append({"dtype": dtype, "norm": norm, "times_the_size_of_A": figures})
            print(rows[-1], flush=True)
    result = {
        "command": "python benchmarks/expm/memory.py",
        "measured": f"peak resident bytes of value and gradient, beyond A and G, over those of A; {K} of {N} × {N}",
        "rows": rows,
        "measured_on": provenance(),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


def peak(contender: str, dtype: str, norm: float) -> float:
    torch.set_num_threads(1)
    expm = CONTENDERS[contender]

    def step(A: torch.Tensor, G: torch.Tensor) -> None:
        X = expm(A)
        torch.autograd.grad(X, A, G)

    step(*batch(2, dtype, norm))
    A, G = batch(K, dtype, norm)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # The peak so far must not hide what follows: fill up to it.
    ballast = bytearray(max(0, before * 1024 - resident()))
    before = max(resident(), before * 1024)
    step(A, G)
    del ballast
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return round((after - before) / (A.numel() * A.element_size()), 2)


def batch(count: int, dtype: str, norm: float) -> tuple[torch.Tensor, torch.Tensor]:
    A = hamiltonian_batch(count, N, norm, DTYPES[dtype])
    return A.requires_grad_(), direction(A.detach())


def resident() -> int:
    """Bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
