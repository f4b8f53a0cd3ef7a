"""The kernels for GPUs, interpreted on the CPU where there is none: against the same references as the other ways.

All the other files of the exponential hold for them too, and say so in the `long` tests.
"""

import subprocess
import sys
from itertools import groupby
from math import cos, exp, factorial, sin
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from symplectic_ops import NonFiniteError, explain, expm, expm_frechet
from symplectic_ops.backends import choose, cpu, gpu, thresholds
from symplectic_ops.backends.protocol import Options

from ..conftest import INTERPRETED
from ..expm.test_accuracy import Case, allowed_by_condition, relative_error, size_of, stored

pytestmark = [
    INTERPRETED,
    pytest.mark.skipif(not gpu.loading.triton_is_here(), reason="there is no Triton 3.8 or newer"),
]

HERE = "cuda" if torch.cuda.is_available() else "cpu"
DTYPES = [torch.float32, torch.float64]
NORMS = (0.0, 1e-7, 0.3, 1.3, 2.9, 4.5)
SIZES = [*range(1, 10), 16, 17, 32]
OTHERS = [pytest.param(n, marks=pytest.mark.long) for n in range(1, 33) if n not in SIZES]


@pytest.fixture(autouse=True)
def launches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the kernels that were launched."""
    names: list[str] = []
    launch = gpu.launches.launch

    def counted(kernels: Any, name: str, *rest: Any) -> None:
        names.append(name)
        launch(kernels, name, *rest)

    monkeypatch.setattr(gpu, "DEVICE", HERE)
    monkeypatch.setattr(cpu.loading, "missing", lambda: "it is switched off")
    assert choose("auto", torch.zeros(1, 2, 2, device=HERE)).name == "gpu"
    monkeypatch.setattr(gpu.launches, "launch", counted)
    return names


def matrices(*shape: int, norm: float = 2.0, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    A = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (A * norm / A.abs().sum(-2).amax(-1)[..., None, None]).to(HERE, dtype)


def of_norms(n: int, norms: tuple[float, ...], dtype: torch.dtype) -> Tensor:
    return torch.cat([matrices(1, n, n, norm=norm, dtype=dtype, seed=i) for i, norm in enumerate(norms)])


def value_and_gradient(A: Tensor, G: Tensor, **options: str) -> tuple[Tensor, Tensor]:
    A = A.detach().requires_grad_()
    X = expm(A, **options)
    return X.detach(), torch.autograd.grad(X, A, G)[0]


def derivative(A: Tensor, E: Tensor, *, adjoint: bool = False) -> Tensor:
    return gpu.Gpu().derivative(A, E, Options(), adjoint=adjoint)


def errors(X: Tensor, exact: Tensor) -> Tensor:
    return torch.linalg.matrix_norm(X.double() - exact) / torch.linalg.matrix_norm(exact)


def by_size(kind: str) -> list[tuple[int, list[Case]]]:
    """The cases of the gallery that the kernels take."""
    cases = sorted((parameter.values[0] for parameter in stored(kind)), key=size_of)
    grouped = [(n, list(same)) for n, same in groupby(cases, size_of)]
    return [(n, same) for n, same in grouped if 1 < n <= gpu.LARGEST]


@pytest.mark.parametrize("gradient", [False, True], ids=["value", "gradient"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gallery_at_once_for_each_size(dtype: str, gradient: bool, launches: list[str]) -> None:
    """Every threshold from both sides, zero, nilpotent, far from normal: all norms beside each other."""
    for _, cases in by_size(dtype):
        A = torch.from_numpy(np.stack([case["A"] for case in cases])).to(HERE)
        X = expm(A.requires_grad_(gradient)).cpu()
        for found, case in zip(X, cases, strict=True):
            assert relative_error(found, case["exp"], case["rest"]) <= allowed_by_condition(case)
    assert set(launches) == {"exponentials"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gradient_has_three_roundings_whatever_its_size(dtype: str, launches: list[str]) -> None:
    sizes = np.array([1e-6, 1e-3, 1, 1e3, 1e6], dtype)
    for n, cases in by_size("gradient"):
        for case in (case for case in cases if case["A"].dtype == dtype):
            A = torch.from_numpy(case["A"]).to(HERE).expand(len(sizes), n, n)
            G = torch.from_numpy(sizes[:, None, None] * case["G"]).to(HERE)
            for size, found in zip(sizes, value_and_gradient(A, G)[1].cpu(), strict=True):
                error = relative_error(found.double() / float(size), case["L"], case["rest"])
                assert error <= 3 * torch.finfo(found.dtype).eps
    assert set(launches) == {"exponentials", "derivatives"}


@pytest.mark.parametrize("n", [*SIZES, *OTHERS])
def test_float32_is_as_accurate_as_plain_operations_at_every_size(n: int) -> None:
    """In the mean over matrices, no more than twice their error, or than one rounding."""
    A, G = of_norms(n, NORMS, torch.float32), matrices(len(NORMS), n, n, dtype=torch.float32, seed=9)
    exact = value_and_gradient(A.double(), G.double(), backend="torch")
    plain = value_and_gradient(A, G, backend="torch")
    for ours, theirs, reference in zip(value_and_gradient(A, G), plain, exact, strict=True):
        found, others = (errors(X, reference).square().mean().sqrt() for X in (ours, theirs))
        assert found <= (2 * others).clamp(min=torch.finfo(torch.float32).eps)


def test_large_norms_are_as_accurate_as_in_plain_operations() -> None:
    """In the mean over matrices: squarings make a single one better or worse by chance."""
    A, G = matrices(16, 3, 3, norm=30, dtype=torch.float32), matrices(16, 3, 3, dtype=torch.float32, seed=9)
    exact = value_and_gradient(A.double(), G.double(), backend="torch")
    plain = value_and_gradient(A, G, backend="torch")
    for ours, theirs, reference in zip(value_and_gradient(A, G), plain, exact, strict=True):
        assert errors(ours, reference).square().mean() <= 2**2 * errors(theirs, reference).square().mean()


@pytest.mark.parametrize("n", [*SIZES, *OTHERS])
def test_float64_agrees_with_plain_operations_at_every_size(n: int) -> None:
    A, G = of_norms(n, NORMS, torch.float64), matrices(len(NORMS), n, n, seed=9)
    for ours, theirs in zip(value_and_gradient(A, G), value_and_gradient(A, G, backend="torch"), strict=True):
        assert (errors(ours, theirs) <= 10 * n * torch.finfo(torch.float64).eps).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_matrices_are_squared_as_often_as_their_bounds_say(dtype: torch.dtype) -> None:
    """On the shift N, exp(xN) has the polynomial's coefficients in its first row: one squaring doubles their number."""
    n, degree = 32, 12 if dtype == torch.float32 else 18
    for bounds, gradient in ((thresholds.VALUE, False), (thresholds.GRADIENT, True)):
        bound = bounds[dtype][thresholds.DEGREES.index(degree)]
        for norm, last in ((bound * (1 - 1e-5), degree), (bound * (1 + 1e-5), min(2 * degree, n - 1))):
            shift = norm * torch.diag(torch.ones(n - 1, dtype=dtype), 1).to(HERE)
            row = expm(shift.requires_grad_(gradient))[0].detach().double().cpu()
            exact = torch.tensor([norm**k / factorial(k) for k in range(n)], dtype=torch.float64)
            assert int(row.nonzero().max()) == last
            assert (row - exact).abs().sum() <= 8 * torch.finfo(dtype).eps * exact.sum()


@pytest.mark.parametrize("dtype", DTYPES)
def test_closed_forms(dtype: torch.dtype) -> None:
    zero, shear, turn, growth = [[0, 0], [0, 0]], [[0, 2], [0, 0]], [[0, 1], [-1, 0]], [[20, 0], [0, 0]]
    found = expm(torch.tensor([zero, shear, turn, growth], dtype=dtype, device=HERE)).tolist()
    assert found[0] == [[1, 0], [0, 1]]
    assert found[1] == [[1, 2], [0, 1]]
    eps = torch.finfo(dtype).eps
    assert found[2] == [[pytest.approx(x, abs=2 * eps) for x in row] for row in ((cos(1), sin(1)), (-sin(1), cos(1)))]
    assert found[3] == [[pytest.approx(exp(20), rel=60 * eps), 0], [0, pytest.approx(1, rel=eps)]]


@pytest.mark.parametrize("n", [3, 12])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_matrix_gives_the_same_bits_beside_any_others(n: int, dtype: torch.dtype) -> None:
    A, E = of_norms(n, (50, 1e-9, 3, 0.1, 0.0), dtype), matrices(5, n, n, dtype=dtype, seed=9)
    A[2], E[2] = torch.nan, torch.inf
    X, G = expm(A, check_finite=False), derivative(A, E)
    assert X[2].isnan().all() and G[2].isnan().all()
    for i in (0, 1, 3, 4):
        assert torch.equal(expm(A[i]), X[i]) and torch.equal(expm(A[i : i + 1])[0], X[i])
        assert torch.equal(derivative(A[i : i + 1], E[i : i + 1])[0], G[i])


@pytest.mark.parametrize("n", [5, 16])
def test_matrices_may_lie_anyhow(n: int) -> None:
    A, E = matrices(3, n, n), matrices(3, n, n, seed=1)
    expected, derived = expm(A), derivative(A.mT.contiguous(), E)
    wide = torch.empty(3, n, 2 * n, dtype=A.dtype, device=HERE)
    wide[:, :, ::2] = A
    negative = torch.complex(A, -A).conj().imag
    assert negative.is_neg()
    for same in (A.mT.contiguous().mT, wide[:, :, ::2], A.flip(0).flip(0), negative):
        assert torch.equal(expm(same), expected) and expm(same).is_contiguous()
        assert torch.equal(derivative(same, E, adjoint=True), derived)
    assert torch.equal(expm(A[0].expand(3, n, n)), expected[:1].expand(3, n, n))


@pytest.mark.parametrize("n", [2, 7, 11, 32])
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_is_written_beside_the_result(n: int, dtype: torch.dtype) -> None:
    """Rows are padded, and the last program has room for more matrices than are left."""
    A = matrices(3, n, n, dtype=dtype)
    for name, given in (("exponentials", (A,)), ("derivatives", (A, A))):
        guarded = torch.full((5, n, n), 7.0, dtype=dtype, device=HERE)
        gpu.launches.launch(gpu.loading.kernels(A.device), name, given, guarded[1:4], thresholds.GRADIENT)
        assert (guarded[0] == 7).all() and (guarded[4] == 7).all() and not (guarded[1:4] == 7).any()


@pytest.mark.parametrize(("dtype", "huge", "stiff"), [(torch.float32, 3e38, 80.0), (torch.float64, 1e308, 700.0)])
def test_a_norm_that_overflows_while_the_powers_do_not(dtype: torch.dtype, huge: float, stiff: float) -> None:
    A, G = torch.zeros(2, 1, 4, 4, dtype=dtype, device=HERE)
    A[0, 0, 2] = A[0, 1, 2] = huge  # one column, whose sum is infinite; its square is zero
    A[0, 3, 3] = stiff  # and this needs to be squared
    G[0, 3, 3] = 1
    for found in value_and_gradient(A, G):
        assert float(found[0, 3, 3]) == pytest.approx(exp(stiff), rel=1e-4)


def test_the_matrix_that_is_not_finite_or_overflows_is_named() -> None:
    A = torch.zeros(2, 3, 4, 4, device=HERE)
    A[1, 2, 0, 3] = torch.nan
    with pytest.raises(NonFiniteError, match=r"`A\[1, 2\]` contains NaN"):
        expm(A)
    with pytest.raises(NonFiniteError, match=r"`A\[1\]`, whose 1-norm is 1e\+03, .* overflows float32"):
        expm(torch.stack([torch.eye(4), 1000 * torch.eye(4)]).to(HERE))


def test_nothing_is_read_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the host never waits for the device, and a graph of its kernels can be recorded."""

    def waits(*_: object) -> None:
        raise AssertionError("a number was read")

    A, G = of_norms(4, (0.1, 30.0, 3.0), torch.float32).requires_grad_(), matrices(3, 4, 4, dtype=torch.float32)
    for reading in ("__bool__", "__float__", "__int__", "__index__", "item", "tolist"):
        monkeypatch.setattr(Tensor, reading, waits)
    X = expm(A, check_finite=False)
    torch.autograd.grad(X, A, G)


def test_what_the_kernels_do_not_take_is_left_to_torch(launches: list[str]) -> None:
    large, complex_ = matrices(2, 33, 33), torch.complex(matrices(2, 4, 4), matrices(2, 4, 4, seed=1))
    for A, options in ((large, {}), (complex_, {}), (matrices(2, 4, 4), {"backend": "torch"})):
        value_and_gradient(A, A, **options)
    assert not launches


def test_half_precision_is_rounded_once(launches: list[str]) -> None:
    A = matrices(2, 4, 4, dtype=torch.float16)
    assert torch.equal(expm(A), expm(A.float()).half())
    assert launches == ["exponentials"] * 2


def test_one_full_graph_of_the_compiler_holds_the_kernels(launches: list[str]) -> None:
    A, G = of_norms(4, (0.1, 3.0), torch.float64), matrices(2, 4, 4, seed=1)
    compiled_expm = torch.compile(expm, fullgraph=True, backend="aot_eager")
    leaf = A.clone().requires_grad_()
    X = compiled_expm(leaf)
    (gradient,) = torch.autograd.grad(X, leaf, G)
    assert launches == ["exponentials", "derivatives"]
    for found, expected in zip((X, gradient), value_and_gradient(A, G), strict=True):
        assert torch.equal(found, expected)


def test_second_derivatives_are_those_of_plain_operations() -> None:
    A, E = matrices(2, 4, 4).requires_grad_(), matrices(2, 4, 4, seed=1)
    (first,) = torch.autograd.grad(expm(A), A, E, create_graph=True)
    (second,) = torch.autograd.grad(first, A, E)
    leaf = A.detach().requires_grad_()
    (expected,) = torch.autograd.grad(expm_frechet(leaf.mT, E), leaf, E)
    torch.testing.assert_close(second, expected)


def test_what_says_nothing_about_triton_decides_nothing_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short memory, and a graph that is being recorded."""

    def greedy(*_: object) -> None:
        raise torch.OutOfMemoryError

    A = matrices(1, 2, 2)
    monkeypatch.setattr(gpu.loading, "_FOUND", {})
    with monkeypatch.context() as now:
        now.setattr(gpu.launches, "launch", greedy)
        assert explain(A).reasons["gpu"] == ("there is no memory left to try its kernels in",)
    with monkeypatch.context() as now:
        now.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
        assert "is being recorded" in gpu.loading.missing(torch.device("cuda"))
    assert not gpu.loading._FOUND and explain(A).backend == "gpu"


@pytest.mark.parametrize(("version", "enough"), [("3.8rc1", True), ("3.10.0", True), ("3.7.1", False), ("main", False)])
def test_versions_of_triton(version: str, enough: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triton.__version__", version)
    assert gpu.loading.triton_is_here() == enough


WITHOUT_TRITON = """
import sys
sys.modules["triton"] = None
"""
BROKEN = """
import sys, torch
from symplectic_ops import expm
expm(torch.zeros(2, 2))
assert "symplectic_ops.backends.gpu.expm" not in sys.modules  # until a matrix is on a GPU
import triton.runtime.interpreter
def broken(*_, **__):
    raise RuntimeError("no such instruction")
triton.runtime.interpreter.GridExecutor.__call__ = broken
"""
PLAIN = """
import warnings, torch
from symplectic_ops import expm, explain
from symplectic_ops.backends import gpu
gpu.DEVICE = "cpu"

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    A = torch.tensor([[0.0, 2.0], [0.0, 0.0]], requires_grad=True)
    for _ in range(2):
        expm(A).sum().backward()
    (reason,) = explain(A).reasons["gpu"]
    assert reason.startswith("Triton") and expm(A).tolist() == [[1, 2], [0, 1]]
print(*(warning.message for warning in caught if "Triton" in str(warning.message)), sep="; ")
"""


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (WITHOUT_TRITON + PLAIN, ""),
        (BROKEN + PLAIN, "Triton cannot run the matrix exponential on cpu (no such instruction); plain torch"),
    ],
    ids=["without triton", "unable to run"],
)
def test_triton_is_an_extra(program: str, said: str) -> None:
    outcome = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert outcome.stdout.strip().startswith(said) and bool(outcome.stdout.strip()) == bool(said)
