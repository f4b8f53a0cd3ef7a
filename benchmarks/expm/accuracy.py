"""Errors of the exponential and its gradient beside those of torch and scipy, on the gallery.

    python benchmarks/expm/accuracy.py

Reads the references that benchmarks/expm/gallery.py made; prints where another is more than twice as accurate, and
writes benchmarks/results/expm-accuracy.json. Errors are relative, in the Frobenius norm, and counted in roundings:
ε = 1.2e-7 in float32, 2.2e-16 in float64. torch is given every matrix twice, since its result for a single one can be
wrong.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.linalg
import torch
from machine import provenance
from torch import Tensor

from expm.gallery import DTYPES, GALLERY
from symplectic_ops import expm

RESULT = Path(__file__).parents[1] / "results" / "expm-accuracy.json"
SIZES = (1e-6, 1e-3, 1.0, 1e3, 1e6)


def main() -> None:
    values = {dtype: [compared(case) for case in cases(dtype)] for dtype in DTYPES}
    gradients = {dtype: [compared_gradients(case) for case in cases(f"gradient/{dtype}")] for dtype in DTYPES}
    for dtype, rows in values.items():
        for rival in ("torch", "scipy"):
            lost = [row for row in rows if rival in row["lost_to"]]
            print(f"{dtype}: {rival} is more than twice as accurate on {len(lost)} of {len(rows)} matrices")
            for row in lost:
                print(f"    {row['name']}, n = {row['n']}: {row['ours']} ε against {row[rival]} ε")
        for who in ("ours", "torch"):
            worst = [max(row[who][i] for row in gradients[dtype]) for i in range(len(SIZES))]
            print(f"{dtype}: the largest error of a gradient of size {SIZES} is, {who}, {worst} ε")
    result = {
        "command": "python benchmarks/expm/accuracy.py",
        "measured": "relative error in the Frobenius norm, in roundings (eps) of the dtype",
        "versions": {"scipy": scipy.__version__, "numpy": np.__version__},
        "values": values,
        "sizes_of_gradients": SIZES,
        "gradients": gradients,
        "measured_on": provenance(),
    }
    rows_on_one_line = re.sub(r"\n {4,}|\n {3}(?=[}\]])", " ", json.dumps(result, indent=1))
    RESULT.write_text(rows_on_one_line + "\n")


def cases(kind: str) -> Iterator[dict[str, Any]]:
    """Every case of the gallery whose group starts so."""
    with np.load(GALLERY) as arrays:
        for group in sorted({key.rpartition("/")[0] for key in arrays if key.startswith(kind)}):
            keys = [key for key in arrays if key.rpartition("/")[0] == group]
            for entries in zip(*(arrays[key] for key in keys), strict=True):
                yield {key.rpartition("/")[2]: entry for key, entry in zip(keys, entries, strict=True)}


def compared(case: dict[str, Any]) -> dict[str, Any]:
    A = torch.from_numpy(case["A"])

    def error(X: Tensor) -> float:
        return roundings(X, case["exp"], case["rest"])

    row = {
        "ours": error(expm(A)),
        "ours_with_gradient": error(expm(A.clone().requires_grad_())),
        "ours_without_numba": error(expm(A, backend="torch")),
        "torch": error(torch.linalg.matrix_exp(torch.stack([A, A]))[0]),
        "scipy": error(torch.from_numpy(scipy.linalg.expm(case["A"]))),
    }
    # Below one rounding all are as good as the dtype allows.
    lost_to = [rival for rival in ("torch", "scipy") if row["ours"] > max(1, 2 * row[rival])]
    return {"name": str(case["name"]), "n": len(A), "condition": digits(case["condition"]), **row, "lost_to": lost_to}


def compared_gradients(case: dict[str, Any]) -> dict[str, Any]:
    A, G = torch.from_numpy(case["A"]), torch.from_numpy(case["G"])

    def errors(exponential: Callable[[Tensor], Tensor]) -> list[float]:
        found = []
        for size in SIZES:
            leaf = torch.stack([A, A]).requires_grad_()
            (gradient,) = torch.autograd.grad(exponential(leaf), leaf, size * torch.stack([G, G]))
            found.append(roundings(gradient[0].double() / size, case["L"], case["rest"], eps=torch.finfo(A.dtype).eps))
        return found

    return {"name": str(case["name"]), "n": len(A), "ours": errors(expm), "torch": errors(torch.linalg.matrix_exp)}


def roundings(X: Tensor, exact: Any, rest: Any, eps: float | None = None) -> float:
    """The relative error of X against exact + rest, in units of `eps`, by default that of its dtype."""
    rounded = torch.from_numpy(exact).double()
    difference = X.detach().double() - rounded - torch.from_numpy(rest).double()
    relative = torch.linalg.matrix_norm(difference) / torch.linalg.matrix_norm(rounded)
    return digits(float(relative) / (eps or torch.finfo(X.dtype).eps))


def digits(x: float) -> float:
    """Three of them: more are noise."""
    return float(f"{x:.3g}")


if __name__ == "__main__":
    main()
