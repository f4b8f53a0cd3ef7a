"""How fast exp(A) and its gradient are where A is known to be skew-symmetric Hamiltonian, on one thread of the CPU.

    python benchmarks/expm/skew.py [--seconds S] [--only K,n ...]

As expm/speed.py: all contenders take turns. `ours` is told structure="skew-symmetric", `general` is not, and `plain` is
told and has backend="torch". Errors are those of the first matrix against extended precision; that of a gradient is
measured in the class, where alone it means anything. Writes benchmarks/results/expm-skew.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json

from machine import provenance

from expm.speed import installed, line, measured  # first: it says how many threads the libraries may have

# isort: split
import torch
from torch import Tensor

import symplectic_ops
from expm.cases import DTYPES, NORMS, Call, direction, error, reference, reference_gradient

RESULT = Path(__file__).parents[1] / "results" / "expm-skew.json"
SIZES = ((9, 72), (16, 128))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each case, or three rounds if they take longer")
    parser.add_argument("--only", nargs="*", metavar="K,n", help="sizes, and write only where --result says")
    parser.add_argument("--result", type=Path)
    arguments = parser.parse_args()
    sizes = [tuple(map(int, size.split(","))) for size in arguments.only or []] or SIZES

    torch.set_num_threads(1)
    rows = []
    for K, n in sizes:
        for name, dtype in DTYPES.items():
            for norm in NORMS:
                for what, row in cases(K, n, norm, dtype, arguments.seconds).items():
                    rows.append({"K": K, "n": n, "dtype": name, "norm": norm, "what": what, "contenders": row})
                    print(line(rows[-1]), flush=True)
    target = arguments.result or (None if arguments.only else RESULT)
    if target:
        result = {
            "command": "python benchmarks/expm/skew.py",
            "measured": "microseconds; median over rounds in which all take turns; torch time / own time, its median",
            "rows": rows,
            "versions": {name: installed(name) for name in ("torch", "numba")},
            "measured_on": provenance(),
        }
        target.write_text(json.dumps(result, indent=1) + "\n")


def cases(K: int, n: int, norm: float, dtype: torch.dtype, seconds: float) -> dict[str, dict[str, dict[str, float]]]:
    """What was measured of each contender, forward and with the gradient."""
    space = symplectic_ops.SkewSymmetricHamiltonian(n // 2)
    A = space(torch.randn(K, space.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    A = (A * norm / A.abs().sum(-2).amax(-1)[:, None, None]).to(dtype)
    leaf, G = A.clone().requires_grad_(), direction(A)
    ways = {
        "torch": torch.linalg.matrix_exp,
        "general": symplectic_ops.expm,
        "ours": lambda A: symplectic_ops.expm(A, structure="skew-symmetric"),
        "plain": lambda A: symplectic_ops.expm(A, structure="skew-symmetric", backend="torch"),
    }
    forward: dict[str, Call] = {name: lambda way=way: way(A) for name, way in ways.items()}
    backward: dict[str, Call] = {
        name: lambda way=way: torch.autograd.grad(way(leaf), leaf, G)[0] for name, way in ways.items()
    }
    first, incoming = A[0].double().numpy(), G[0].double().numpy()
    in_class = space.project(torch.from_numpy(reference_gradient(first, incoming).astype(float))).numpy()
    found = {}
    for what, calls, exact in (("forward", forward, reference(first)), ("forward and backward", backward, in_class)):
        found[what] = measured(calls, seconds, least=3)
        for name, call in calls.items():
            value = call()
            assert isinstance(value, Tensor)
            compared = value if what == "forward" else space.project(value)
            found[what][name]["error"] = float(f"{error(compared, exact):.2e}")
    return found


if __name__ == "__main__":
    main()
