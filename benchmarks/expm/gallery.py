"""Matrices that try an exponential, with what it is to 60 digits.

    python benchmarks/expm/gallery.py

Writes tests/ops/expm/gallery.npz, which the tests and benchmarks/expm/accuracy.py read; takes three minutes. Under
DTYPE/N/..., for each dtype and size n, stand stacks over the cases:

    name        what the matrix is called
    A           the matrix, in the dtype
    exp, rest   its exponential: rounded to the dtype, and in single precision what that left out
    condition   κ(A) = ‖L‖‖A‖ / ‖exp A‖ in Frobenius norms, L the derivative of exp at A

and under gradient/DTYPE/N/... name, A, G, and L(Aᵀ, G) as `L` and `rest`. All is made of closed definitions and of
Python's own random numbers, whose sequence is promised never to change.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import scipy.linalg
import torch
from numpy.typing import NDArray

from symplectic_ops.backends import thresholds

GALLERY = Path(__file__).resolve().parents[2] / "tests" / "ops" / "expm" / "gallery.npz"
DTYPES = ("float32", "float64")
DIGITS = 60
NORMS = {  # of random matrices, by size; fewer of the large ones, which fill the file
    **dict.fromkeys((2, 4, 8, 16), (1e-8, 1e-6, 1e-4, 1e-2, 1e-1, 1.0, 10.0, 100.0)),
    32: (1e-8, 1e-4, 1e-1, 10.0),
    64: (1e-2, 1.0, 100.0),
}
GRADIENT_NORMS = {4: (1e-6, 1e-3, 0.03, 0.3, 1.0, 2.0, 3.0), 12: (1e-3, 0.3, 3.0)}

Matrix = NDArray[np.float64]


def named() -> Iterator[tuple[str, Matrix]]:
    """The matrices with a closed definition."""
    turn, free, saddle = ([[0, 1], [-1, 0]], [[0, 1], [0, 0]], [[0, 1], [1, 0]])
    for angle in ("0.1", "1", "100"):
        yield f"rotation by {angle}", float(angle) * np.array(turn)
    yield "rotation, once round", math.tau * np.array(turn)
    yield "shear", np.array(free, dtype=float)
    yield "saddle", np.array(saddle, dtype=float)
    yield "saddle, ten times as long", 10.0 * np.array(saddle)
    yield "nilpotent with a huge entry", 1e10 * np.array(free)
    yield "nilpotent, eight steps", 3.0 * np.eye(8, k=1)
    yield "far from normal", np.array([[1, 1e6], [0, -1]])
    yield "triangular, overscaled", np.diag([0.1, -0.2, 0.3, -0.4]) + np.triu(np.full((4, 4), 3e4), 1)
    yield "triangular, overscaled by one corner", np.diag([1.0, 0, -1]) + 1e8 * np.eye(3, k=2)
    yield "Hilbert", hilbert(6)
    yield "Hilbert, larger", 10 * hilbert(12)
    yield "defective", np.diag([2.0, 2, 2]) + np.eye(3, k=1)
    yield "repeated eigenvalues", np.diag([3.0, 3, -1])
    yield "nearly equal eigenvalues", np.array([[1, 1], [0, 1 + 1e-10]])
    yield "decay", np.array([[-30.0, 10], [5, -40]])
    yield "Moler and Van Loan 1978", np.array([[-49.0, 24], [-64, 31]])
    yield "Ward 1977", np.array([[-131.0, 19, 18], [-390, 56, 54], [-387, 57, 52]])
    for number in ("1e-9", "1.5", "-20"):
        yield f"number {number}", np.array([[float(number)]])


def hilbert(n: int) -> Matrix:
    return np.array([[1 / (i + j + 1) for j in range(n)] for i in range(n)])


def random_ones() -> Iterator[tuple[str, Matrix]]:
    """Both classes at every size and norm, and a matrix on either side of every bound on norms."""
    for n, norms in NORMS.items():
        for norm in norms:
            for name, draw in (("Hamiltonian", hamiltonian), ("skew-symmetric Hamiltonian", skew_symmetric)):
                yield f"{name}, norm {norm:g}", scaled(draw(n), norm)
    for what, table in (("value", thresholds.VALUE), ("gradient", thresholds.GRADIENT)):
        for dtype in DTYPES:
            for degree, bound in zip(thresholds.DEGREES, table[getattr(torch, dtype)], strict=True):
                for side, factor in (("below", 1 - 1e-5), ("above", 1 + 1e-5)):
                    name = f"just {side} the {what} bound of degree {degree} in {dtype}"
                    yield name, scaled(stochastic(5), bound * factor)


def hamiltonian(n: int) -> Matrix:
    """[[X, B], [C, −Xᵀ]] with B and C symmetric."""
    X, B, C = (uniform(n // 2, f"Hamiltonian {part}") for part in "XBC")
    return np.block([[X, symmetric(B)], [symmetric(C), -X.T]])


def skew_symmetric(n: int) -> Matrix:
    """[[X, B], [−B, X]] with X skew-symmetric and B symmetric."""
    X, B = (uniform(n // 2, f"skew-symmetric {part}") for part in "XB")
    X, B = X - X.T, symmetric(B)
    return np.block([[X, B], [-B, X]])


def stochastic(n: int) -> Matrix:
    """Nonnegative with equal column sums, so that ‖A^k‖₁ = ‖A‖₁^k: α₂ and ‖A‖₁ cross a bound together."""
    A = abs(uniform(n, "stochastic"))
    return A / A.sum(0)


def uniform(n: int, name: str) -> Matrix:
    draw = random.Random(f"{name} {n}")
    return np.array([[draw.uniform(-1, 1) for _ in range(n)] for _ in range(n)])


def symmetric(A: Matrix) -> Matrix:
    return A + A.T


def scaled(A: Matrix, norm: float) -> Matrix:
    return A * (norm / max(math.fsum(column) for column in abs(A).T))


def exponential(A: NDArray[Any]) -> mpmath.matrix:
    """exp(A) to 60 digits, as the doubled precision confirms up to the size where that takes long."""

    def at(digits: int) -> mpmath.matrix:
        with mpmath.workdps(digits):
            return mpmath.expm(mpmath.matrix(A.tolist()))

    X = at(DIGITS)
    if len(A) <= 32:
        with mpmath.workdps(2 * DIGITS):
            doubled = at(2 * DIGITS)
            if mpmath.mnorm(X - doubled, "f") > mpmath.mpf(10) ** (10 - DIGITS) * mpmath.mnorm(doubled, "f"):
                raise ArithmeticError(f"{DIGITS} digits are not enough for {A}")
    return X


def split(X: mpmath.matrix, dtype: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """X rounded to the dtype, and in single precision what that left out."""
    rows = X.tolist()
    rounded = np.array([[float(x) for x in row] for row in rows]).astype(dtype)
    with mpmath.workdps(DIGITS):
        rest = [[float(x - float(r)) for x, r in zip(*pair, strict=True)] for pair in zip(rows, rounded, strict=True)]
    return rounded, np.array(rest, dtype="float32")


def condition(A: NDArray[Any]) -> float:
    """κ(A), by the power method on LᴴL with scipy's derivative; from below."""
    A = A.astype("float64")
    E, size = uniform(len(A), "start"), 0.0
    for _ in range(30):
        E = scipy.linalg.expm_frechet(A, E / np.linalg.norm(E), compute_expm=False)
        size = np.linalg.norm(E)
        E = scipy.linalg.expm_frechet(A.T, E / size, compute_expm=False)
    return float(size * np.linalg.norm(A) / np.linalg.norm(scipy.linalg.expm(A)))


def main() -> None:
    stacks: dict[str, list[Any]] = defaultdict(list)

    def add(group: str, **arrays: Any) -> None:
        for key, array in arrays.items():
            stacks[f"{group}/{key}"].append(array)

    for dtype in DTYPES:
        for name, wide in (*named(), *random_ones()):
            A = wide.astype(dtype)
            X, rest = split(exponential(A), dtype)
            add(f"{dtype}/{len(A)}", name=name, A=A, exp=X, rest=rest, condition=condition(A))
            print(dtype, name, len(A), flush=True)
        for name, A, G in gradients(dtype):
            n = len(A)
            whole = exponential(np.block([[A.T, G], [np.zeros_like(A), A.T]]))
            L, rest = split(whole[:n, n:], dtype)
            add(f"gradient/{dtype}/{n}", name=name, A=A, G=G, L=L, rest=rest)
            print("gradient", dtype, name, n, flush=True)
    np.savez_compressed(GALLERY, **{key: np.array(arrays) for key, arrays in stacks.items()})
    print(GALLERY.stat().st_size / 2**20, "MiB")


def gradients(dtype: str) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
    """Generators of norms up to 3, and what comes back to their exponentials."""
    classes: dict[str, Callable[[int], Matrix]] = {
        "Hamiltonian": hamiltonian,
        "skew-symmetric Hamiltonian": skew_symmetric,
    }
    for n, norms in GRADIENT_NORMS.items():
        for name, draw in classes.items():
            for norm in norms:
                yield f"{name}, norm {norm:g}", scaled(draw(n), norm).astype(dtype), uniform(n, "G").astype(dtype)


if __name__ == "__main__":
    main()
