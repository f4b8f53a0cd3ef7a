"""The backend "cpu": every size, any address, any number of threads, and a clean way back to plain torch."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from symplectic_ops import expm, expm_frechet
from symplectic_ops.backends import choose
from symplectic_ops.backends.cpu import batch

DTYPES = [torch.float32, torch.float64]


def matrices(*shape: int, norm: float = 2.0, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    A = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (A * norm / A.abs().sum(-2).amax(-1)[..., None, None]).to(dtype)


def value_and_gradient(A: Tensor, **options: str) -> tuple[Tensor, Tensor]:
    A = A.detach().requires_grad_()
    X = expm(A, **options)
    G = torch.randn(A.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(9)).to(A.dtype)
    return X.detach(), torch.autograd.grad(X, A, G)[0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [*range(2, 36), 47, 48, 49, 63, 64, 65, 97, 130])
def test_both_ways_agree_at_every_size(n: int, dtype: torch.dtype) -> None:
    """Sizes around those of registers, tiles and strips, for every degree."""
    A = torch.cat([matrices(1, n, n, norm=norm, dtype=dtype) for norm in (0.0, 1e-7, 1e-3, 0.03, 0.2, 0.8, 2.0, 30.0)])
    for found, expected in zip(value_and_gradient(A), value_and_gradient(A, backend="torch"), strict=True):
        error = torch.linalg.matrix_norm(found - expected) / torch.linalg.matrix_norm(expected)
        assert error.max() <= 60 * n * torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [2, 3, 5, 7, 8, 9, 15, 17, 24, 33])
def test_nothing_is_written_beside_the_result_and_nothing_that_was_given(n: int, dtype: torch.dtype) -> None:
    """The last register of a row reaches beyond it; what stands there must survive."""
    A, E = matrices(2, n, n, dtype=dtype), matrices(2, n, n, dtype=dtype, seed=1)
    given = A.clone(), E.clone()
    zero, squarings = batch.ZEROS[dtype], torch.zeros(2, dtype=torch.int64)
    halves = (n // 2,) if n % 2 == 0 else (n,)
    for entry, form, sources, options in (
        (batch.exponentials, (n,), (A,), (False,)),
        (batch.exponentials, halves, (A,), (False,)),
        (batch.derivatives, (n,), (A, E), (True,)),
        (batch.derivatives, halves, (A, E), (True,)),
        (batch.repeatable_derivatives, (), (A, E), (False, squarings.data_ptr())),
    ):
        guarded = torch.full((2 * n * n + 64,), 7.0, dtype=dtype)
        inside = guarded.data_ptr() + 32 * dtype.itemsize
        entry(zero, 2, n, *form, *(x.data_ptr() for x in sources), inside, *options)
        assert (guarded[:32] == 7).all() and (guarded[-32:] == 7).all()
        assert guarded[32:-32].isfinite().all() and not (guarded[32:-32] == 7).any()
    assert torch.equal(A, given[0]) and torch.equal(E, given[1])


@pytest.mark.parametrize(("dtype", "huge", "stiff"), [(torch.float32, 3e38, 80.0), (torch.float64, 1e308, 700.0)])
@pytest.mark.parametrize("n", [4, 64])
def test_a_norm_that_overflows_while_the_powers_do_not(n: int, dtype: torch.dtype, huge: float, stiff: float) -> None:
    A, G = torch.zeros(2, 1, n, n, dtype=dtype)
    A[0, 0, 2] = A[0, 1, 2] = huge  # one column, whose sum is infinite; its square is zero
    A[0, 3, 3] = stiff  # and this needs to be squared
    G[0, 3, 3] = 1
    leaf = A.clone().requires_grad_()
    X = expm(leaf)
    for found in (X, torch.autograd.grad(X, leaf, G)[0]):
        assert float(found[0, 3, 3].detach()) == pytest.approx(math.exp(stiff), rel=1e-4)


def test_derivatives_are_those_of_the_matrix_whatever_the_default_device() -> None:
    A, E = matrices(2, 4, 4), matrices(2, 4, 4, seed=1)
    expected = expm_frechet(A.clone().requires_grad_(), E)
    with torch.device("meta"):
        assert torch.equal(expm_frechet(A.clone().requires_grad_(), E), expected)


@pytest.mark.parametrize("offset", [1, 3, 5])
def test_matrices_may_begin_at_any_number(offset: int) -> None:
    A = matrices(3, 6, 6)
    moved = torch.empty(A.numel() + offset, dtype=A.dtype)[offset:].view_as(A).copy_(A)
    assert torch.equal(expm(moved), expm(A))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_batch_gives_what_its_matrices_give_alone_to_the_last_bit(dtype: torch.dtype) -> None:
    A = torch.cat([matrices(1, 7, 7, norm=norm, dtype=dtype, seed=i) for i, norm in enumerate((50, 1e-9, 3, 0.1, 0.0))])
    E = matrices(5, 7, 7, dtype=dtype, seed=9)
    pairs = [(A[i : i + 1], E[i : i + 1]) for i in range(len(A))]
    assert torch.equal(expm(A), torch.cat([expm(a) for a, _ in pairs]))
    assert torch.equal(expm_frechet(A, E), torch.cat([expm_frechet(a, e) for a, e in pairs]))


def test_the_number_of_threads_does_not_change_a_bit() -> None:
    A = torch.cat([matrices(4, 96, 96, norm=norm) for norm in (40.0, 0.1, 3.0, 1e-5)])
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 8):
            torch.set_num_threads(threads)
            leaf = A.clone().requires_grad_()
            (again,) = torch.autograd.grad(expm(leaf), leaf, A, create_graph=True)
            results.append((*value_and_gradient(A), again.detach()))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for result in results[1:] for a, b in zip(results[0], result, strict=True))


def test_a_negative_view_is_taken_for_what_it_means() -> None:
    A = matrices(2, 4, 4)
    negative = torch.complex(A, A).conj().imag
    assert negative.is_neg()
    assert torch.equal(expm(negative), expm(-A))


def test_a_parameter_is_taken_too() -> None:
    assert choose("auto", torch.nn.Parameter(matrices(1, 3, 3))).name == "cpu"


def test_who_watches_operations_sees_them() -> None:
    """A mode that counts or records operations would miss compiled ones."""

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            seen.append(str(function))
            return function(*args, **(kwargs or {}))

    seen: list[str] = []
    A = matrices(2, 4, 4)
    with Watch():
        X = expm(A)
    assert any("bmm" in name for name in seen)
    torch.testing.assert_close(X, expm(A))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::torch.jit.TracerWarning")
def test_a_trace_holds_the_algorithm_and_not_a_result() -> None:
    A, B = matrices(2, 4, 4), matrices(2, 4, 4, seed=5)
    traced = torch.jit.trace(expm, (A,), check_trace=False)
    torch.testing.assert_close(traced(B), expm(B))


def test_tensors_of_other_classes_are_left_to_torch() -> None:
    class Marked(Tensor):
        pass

    A = matrices(2, 4, 4)
    assert isinstance(expm(A.as_subclass(Marked)), Marked)
    torch.testing.assert_close(expm(A.as_subclass(Marked)).as_subclass(Tensor), expm(A))


NARROW = """
import sys, torch
from symplectic_ops.backends.cpu import simd
simd.REGISTER_BYTES = int(sys.argv[1])
from symplectic_ops import expm

for n in (2, 5, 7, 8, 9, 12, 16, 19, 33):
    A = torch.stack([torch.randn(n, n, dtype=torch.float64) * size / n for size in (1e-4, 0.03, 0.3, 1, 3, 20)]).float()
    G, found = torch.randn_like(A), []
    for backend in ("auto", "torch"):
        leaf = A.clone().requires_grad_()
        X = expm(leaf, backend=backend)
        found.append((X.detach(), torch.autograd.grad(X, leaf, G)[0]))
    for ours, plain in zip(*found):
        error = torch.linalg.matrix_norm(ours - plain) / torch.linalg.matrix_norm(plain)
        assert error.max() <= 60 * n * torch.finfo(A.dtype).eps, (n, error)
"""


@pytest.mark.parametrize("register_bytes", [pytest.param(16, marks=pytest.mark.long), 32])
def test_processors_with_shorter_registers_compute_the_same(register_bytes: int, tmp_path: Path) -> None:
    """As they would here, since code for them runs here too; compiled afresh, where no other finds it."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", NARROW, str(register_bytes)], check=True, env=environment)


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = sys.modules["numpy"] = None
import torch
from symplectic_ops import expm, explain

A = torch.tensor([[0.0, 2.0], [0.0, 0.0]], requires_grad=True)
expm(A).sum().backward()
assert expm(A).tolist() == [[1, 2], [0, 1]] and A.grad is not None
assert explain(A).reasons["cpu"] == ("numba is not installed; the extra `cpu` of symplectic-ops brings it",)
"""

NOT_COMPILING = """
import os
os.environ["NUMBA_DISABLE_JIT"] = "1"
import torch
from symplectic_ops import expm, explain

A = torch.tensor([[0.0, 2.0], [0.0, 0.0]])
assert expm(A).tolist() == [[1, 2], [0, 1]]
assert explain(A).reasons["cpu"] == ("numba is told not to compile, by NUMBA_DISABLE_JIT",)
"""

BROKEN = """
import warnings, torch
from symplectic_ops import expm, explain
from symplectic_ops.backends.cpu import batch

def broken(*_):
    raise RuntimeError("no such instruction")

batch.exponentials = broken
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert expm(torch.tensor([[0.0, 2.0], [0.0, 0.0]])).tolist() == [[1, 2], [0, 1]]
    expm(torch.eye(2))
(warning,) = [str(w.message) for w in caught if "numba" in str(w.message)]
assert "cannot compile the matrix exponential here (no such instruction); plain torch operations take" in warning
assert explain(torch.eye(2)).reasons["cpu"] == ("numba cannot compile its kernels here (no such instruction)",)
"""

LOADED = """
import sys, torch
import symplectic_ops
assert "numba" not in sys.modules
symplectic_ops.expm(torch.zeros(2, 2, dtype=torch.complex64))
assert "numba" not in sys.modules
"""


@pytest.mark.parametrize(
    "program",
    [WITHOUT_NUMBA, NOT_COMPILING, BROKEN, LOADED],
    ids=["without numba", "told not to compile", "unable to compile", "loaded only when needed"],
)
def test_numba_is_an_extra(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)
