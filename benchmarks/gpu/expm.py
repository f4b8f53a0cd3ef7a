"""How fast exp(A) and its gradient are on a GPU, beside torch and beside what the GPU can do.

    python benchmarks/gpu/expm.py [--only K,n ...] [--result FILE]

First everything is compared with float64, a recorded graph of the kernels included; if an error is too large, nothing
is timed. Then all contenders take turns in one process, timed by CUDA events: `torch` is torch.linalg.matrix_exp,
`plain` is backend="torch", `ours` what expm does by itself with check_finite=False, `checked` with it, `recorded` a
graph of `ours` that is replayed. Errors of the first matrices are against extended precision. The share of the copy
bandwidth counts every matrix read and written once; the share of the multiply-add rate the products of the polynomial
and the squarings, unknown beyond 32 × 32, where other degrees are taken. Writes benchmarks/results/gpu-expm.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
from collections.abc import Callable
from importlib import import_module

import numpy as np
import torch
from expm.cases import DTYPES, NORMS, direction, hamiltonian_batch, reference, reference_gradient
from machine import provenance
from torch import Tensor

from gpu.timing import Call, Elapsed, Roofline, by_events, measured, recorded, relative_error, require_gpu, roofline
from symplectic_ops import expm
from symplectic_ops.backends import gpu, thresholds

RESULT = Path(__file__).parents[1] / "results" / "gpu-expm.json"
SIZES = ((3, 16), (9, 24), (256, 32), (1024, 16), (2**20, 8), (65536, 16), (16384, 32), (4096, 64))
CHECKED = (2, 3, 5, 8, 9, 16, 24, 32)
FIRST = 16  # matrices of a batch whose errors are looked at: the reference takes its time
FORWARD, BOTH = "forward", "forward and backward"

Exponential = Callable[[Tensor], Tensor]
CONTENDERS: dict[str, Exponential] = {
    "torch": torch.linalg.matrix_exp,
    "plain": lambda A: expm(A, backend="torch"),
    "checked": expm,
    "ours": lambda A: expm(A, check_finite=False),
}


def gradient(function: Exponential, A: Tensor, G: Tensor) -> Tensor:
    leaf = A.detach().requires_grad_()
    return torch.autograd.grad(function(leaf), leaf, G)[0]


def calls(what: str, A: Tensor, G: Tensor, record: Callable[[Call], Call]) -> dict[str, Call]:
    def call(function: Exponential) -> Call:
        return (lambda: function(A)) if what == FORWARD else (lambda: gradient(function, A, G))

    contenders = {name: call(function) for name, function in CONTENDERS.items()}
    if A.shape[-1] <= gpu.LARGEST:  # beyond, expm reads norms, which no graph can
        contenders["recorded"] = record(contenders["ours"])
    return contenders


def products(A: Tensor, what: str) -> float:
    """Products of n × n matrices that exp(A), or it and its gradient, take the fused way: the mean of a batch."""
    degree = 12 if A.dtype == torch.float32 else 18
    bounds = thresholds.VALUE if what == FORWARD else thresholds.GRADIENT
    A2 = A @ A
    bound = bounds[A.dtype][thresholds.DEGREES.index(degree)]
    squarings = thresholds.squarings_for(thresholds.power_norm(A, A2, A2 @ A), bound).double().mean()
    own = (4 if degree == 12 else 5) + float(squarings)
    return (
        own if what == FORWARD else own + 3 * own
    )  # the derivative goes through all of it again, with two beside each


def too_large(device: str, record: Callable[[Call], Call], sizes: tuple[int, ...] = CHECKED) -> list[str]:
    """What is further from float64 than it may be: values, and gradients of every size."""
    found = []
    for n in sizes:
        for name, dtype in DTYPES.items():
            for norm in (*NORMS, 1.0, 3.0):
                A = _general(n, norm).to(dtype)
                G = direction(A)
                allowed = 10 * n * torch.finfo(dtype).eps * (1 + norm)
                value = torch.linalg.matrix_exp(A.double())
                derivative = gradient(CONTENDERS["plain"], A.double(), G.double())
                for what, exact, factors in ((FORWARD, value, (1.0,)), (BOTH, derivative, (1e-6, 1.0, 1e6))):
                    for factor in factors:
                        ours = calls(what, A.to(device), factor * G.to(device), record)
                        for contender in ("ours", "recorded"):
                            error = relative_error(ours[contender]().cpu().double() / factor, exact)  # type: ignore[attr-defined]
                            if not error <= allowed:
                                case = f"{contender}, {what}, {n} × {n}, {name}, norm {norm:g}, factor {factor:g}"
                                found.append(f"{case}: {error:.1e}")
    return found


def _general(n: int, norm: float) -> Tensor:
    A = torch.randn(7, n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    return A * norm / A.abs().sum(-2).amax(-1)[:, None, None]


def row(
    K: int,
    n: int,
    name: str,
    norm: float,
    what: str,
    device: str,
    elapsed: Elapsed,
    record: Callable[[Call], Call],
) -> dict[str, object]:
    """One line of the result, without its shares."""
    A = hamiltonian_batch(K, n, norm, DTYPES[name]).to(device)
    G = direction(A.cpu()).to(device)
    contenders = calls(what, A, G, record)
    seconds = measured(contenders, elapsed)
    exact = references(A[:FIRST], G[:FIRST], what)
    cells: dict[str, dict[str, float | None]] = {}
    for contender, own in seconds.items():
        if own is not None:
            result = contenders[contender]()
            assert isinstance(result, Tensor)
            cells[contender] = {
                "us": round(own * 1e6, 2),
                "torch_over_it": None if seconds["torch"] is None else round(seconds["torch"] / own, 2),
                "error": float(f"{distance(result[:FIRST], exact):.2e}"),
            }
    moved = (2 if what == FORWARD else 5) * A.nbytes  # A and X; and again A, with the gradients before and after
    work = products(A[:4096], what) * K * n**3 if n <= gpu.LARGEST else None
    fastest = min(own for contender, own in seconds.items() if own is not None and contender in ("ours", "recorded"))
    return {
        **{"K": K, "n": n, "dtype": name, "norm": norm, "what": what, "contenders": cells},
        "error_of_ours_over_plain": ratio(cells, "ours", "plain"),
        **{"bytes_per_second": moved / fastest, "multiply_adds_per_second": work and work / fastest},
    }


def references(A: Tensor, G: Tensor, what: str) -> list[np.ndarray]:
    """exp(A) of each matrix, or the gradient of ⟨G, exp(A)⟩, in extended precision."""
    pairs = zip(A.double().cpu().numpy(), G.double().cpu().numpy(), strict=True)
    return [reference(a) if what == FORWARD else reference_gradient(a, g) for a, g in pairs]


def distance(found: Tensor, exact: list[np.ndarray]) -> float:
    """The largest relative error of the matrices, in the Frobenius norm."""
    pairs = zip(found.detach().double().cpu().numpy(), exact, strict=True)
    return max(float(np.sqrt(((X - E) ** 2).sum() / (E**2).sum())) for X, E in pairs)


def ratio(cells: dict, one: str, other: str) -> float | None:
    """Of their errors; None where one is missing or the other is exact."""
    if one not in cells or not cells.get(other, {}).get("error"):
        return None
    return float(f"{cells[one]['error'] / cells[other]['error']:.2f}")


def with_shares(line: dict, limits: Roofline) -> dict[str, object]:
    """The same line with its rates as shares of the roofline."""
    moved, done = line.pop("bytes_per_second"), line.pop("multiply_adds_per_second")
    shares = {
        "share_of_copy_bandwidth": round(moved / limits.bytes, 3),
        "share_of_multiply_add_rate": done and round(done / limits.multiply_adds[line["dtype"]], 3),
    }
    return {**line, **shares}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", metavar="K,n", help="sizes, and write nothing")
    parser.add_argument("--result", type=Path, default=RESULT)
    arguments = parser.parse_args()
    sizes = [tuple(map(int, size.split(","))) for size in arguments.only or []] or SIZES
    require_gpu("gpu/expm.py")
    torch.backends.cuda.matmul.allow_tf32 = False

    triton = import_module("triton").__version__
    wrong = too_large("cuda", recorded)
    if wrong:
        raise SystemExit("too far from float64, so nothing was timed: " + "; ".join(wrong))
    limits = roofline(DTYPES, "cuda", by_events)
    print(f"copies {limits.bytes:.3g} B/s, multiplies {limits.multiply_adds} /s", flush=True)
    rows = []
    for K, n in sizes:
        for name in DTYPES:
            for norm in NORMS:
                for what in (FORWARD, BOTH):
                    rows.append(with_shares(row(K, n, name, norm, what, "cuda", by_events, recorded), limits))
                    print(json.dumps(rows[-1]), flush=True)
    if not arguments.only:
        result = {
            "command": "python benchmarks/gpu/expm.py",
            "measured": "microseconds, medians over rounds in which all take turns; shares of the best of ours",
            "triton": triton,
            "roofline": limits._asdict(),
            "rows": rows,
            "measured_on": provenance(),
        }
        arguments.result.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
