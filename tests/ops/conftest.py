"""What the tests of symplectic-ops share: repeatable examples, and references with more digits than any dtype."""

from collections.abc import Callable, Iterator

import mpmath
import pytest
import torch
from hypothesis import settings
from torch import Tensor

from symplectic_ops.backends import cpu, gpu

INTERPRETED = pytest.mark.filterwarnings("ignore::RuntimeWarning:triton")  # numpy's, of infinities that go through
NEEDS_TRITON = pytest.mark.skipif(not gpu.loading.triton_is_here(), reason="there is no Triton 3.8 or newer")
WAYS = ["cpu", "torch"]
if gpu.loading.triton_is_here() and not torch.cuda.is_available():  # else the kernels cannot be had on the CPU
    WAYS.append(pytest.param("gpu", marks=[pytest.mark.long, INTERPRETED]))

settings.register_profile("symplectic-ops", derandomize=True, deadline=None, database=None, max_examples=20)
settings.load_profile("symplectic-ops")


def to_mpmath(A: Tensor) -> mpmath.matrix:
    return mpmath.matrix(A.detach().resolve_conj().tolist())


def to_torch(A: mpmath.matrix, like: Tensor) -> Tensor:
    """Rounded once, to double precision."""
    wide = torch.complex128 if like.is_complex() else torch.float64
    number = complex if like.is_complex() else float
    return torch.tensor([[number(x) for x in row] for row in A.tolist()], dtype=wide)


@pytest.fixture(autouse=True)
def _same_numbers_every_time() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="module", params=WAYS)
def either_way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every test of a file that uses this holds with numba installed, without it, and with the kernels for GPUs."""
    assert not cpu.loading.missing()
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "cpu":
            patch.setattr(cpu.loading, "missing", lambda: "it is switched off")
        if request.param == "gpu":
            patch.setattr(gpu, "DEVICE", "cpu")
        yield request.param


@pytest.fixture
def reference_expm() -> Callable[[Tensor], Tensor]:
    """exp(A) (..., n, n) with 50 digits, rounded once to double precision."""

    def one(A: Tensor) -> Tensor:
        with mpmath.workdps(50):
            return to_torch(mpmath.expm(to_mpmath(A)), A)

    return _over_batch(one)


@pytest.fixture
def reference_derivative() -> Callable[[Tensor, Tensor], Tensor]:
    """The derivative of exp at A in direction E (n, n), from the exponential of [[A, E], [0, A]] with 50 digits."""

    def one(A: Tensor, E: Tensor) -> Tensor:
        n = len(A)
        with mpmath.workdps(50):
            whole = mpmath.expm(to_mpmath(torch.cat([torch.cat([A, E], 1), torch.cat([torch.zeros_like(A), A], 1)])))
            return to_torch(whole[:n, n:], A)

    return one


def _over_batch(one: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def every(A: Tensor) -> Tensor:
        return torch.stack([one(matrix) for matrix in A.flatten(0, -3)]).reshape(A.shape) if A.ndim > 2 else one(A)

    return every
