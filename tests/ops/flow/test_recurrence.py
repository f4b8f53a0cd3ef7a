"""Evenly spaced steps: the same states and gradients from one kernel as from one product after the other."""

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad, gradcheck, gradgradcheck

from symplectic_ops import flow
from symplectic_ops.backends import choose, cpu, gpu
from symplectic_ops.backends.gpu.launches import grid
from symplectic_ops.flow.recurrence import steps

from ..conftest import INTERPRETED

pytestmark = [
    INTERPRETED,
    pytest.mark.skipif(not gpu.loading.triton_is_here(), reason="there is no Triton 3.8 or newer"),
]

HERE = "cuda" if torch.cuda.is_available() else "cpu"


def take(way: str, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gpu, "DEVICE", HERE if way == "gpu" else "none")
    if way != "cpu":
        patch.setattr(cpu.loading, "missing", lambda: "it is switched off")


@pytest.fixture(params=["gpu", "cpu", "torch"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which backend is used."""
    take(request.param, monkeypatch)
    return "torch" if request.param == "cpu" and HERE != "cpu" else str(request.param)


def numbers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(HERE, dtype)


def turns(k: int, n: int) -> Tensor:
    A = numbers(k, n, n)
    return torch.linalg.matrix_exp(A - A.mT)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("b", "k", "n", "length"), [(1, 1, 1, 3), (3, 2, 2, 1), (17, 3, 7, 4), (2, 2, 9, 6), (33, 1, 20, 3)]
)
def test_each_state_is_the_one_before_times_the_matrix(
    b: int, k: int, n: int, length: int, dtype: torch.dtype, either_way: str
) -> None:
    P, start = turns(k, n), numbers(b, k, n, seed=1, dtype=dtype)
    assert choose("auto", P, states=start).name == either_way
    found = steps(P, start, length)
    assert found.shape == (b, length, k, n) and found.dtype == dtype
    assert torch.equal(found[:, 0], start)
    for t in range(1, length):
        exact = torch.einsum("kij,bkj->bki", torch.linalg.matrix_power(P, t), start.double())
        torch.testing.assert_close(found[:, t].double(), exact, rtol=0, atol=10 * torch.finfo(dtype).eps)


def test_states_are_rounded_as_they_leave_and_not_on_the_way(either_way: str) -> None:
    P, start = turns(2, 4), numbers(2, 2, 4, seed=1, dtype=torch.float32)
    assert torch.equal(steps(P, start, 50), steps(P, start.double(), 50).float())


def test_gradients_of_both_orders_and_in_batches(either_way: str) -> None:
    P, start = (0.7 * turns(2, 3)).requires_grad_(), numbers(2, 2, 3, seed=1).requires_grad_()

    def function(P: Tensor, start: Tensor) -> Tensor:
        return steps(P, start, 4)

    assert gradcheck(function, (P, start), check_batched_grad=True, fast_mode=True)
    assert gradgradcheck(function, (P, start), fast_mode=True)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_gradient_has_a_tangent_and_takes_vmap(either_way: str) -> None:
    P, start = turns(2, 4).requires_grad_(), numbers(3, 2, 4, seed=1).requires_grad_()
    y, G, V = steps(P, start, 4), numbers(3, 4, 2, 4, seed=2), numbers(2, 3, 4, 2, 4, seed=3)

    def gradient(G: Tensor) -> Tensor:
        return torch.autograd.grad(y, P, G, retain_graph=True)[0]

    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(gradient(forward_ad.make_dual(G, V[0]))).tangent
    torch.testing.assert_close(tangent, gradient(V[0]))  # a gradient is linear in what comes in
    torch.testing.assert_close(torch.func.vmap(gradient)(V), torch.stack([gradient(v) for v in V]))


def test_autocasting_does_not_round_gradients(either_way: str) -> None:
    P, start = turns(2, 4).float().requires_grad_(), numbers(3, 2, 4, seed=1, dtype=torch.float32)
    y = steps(P, start, 4).square().sum()
    (expected,) = torch.autograd.grad(y, P, retain_graph=True)
    with torch.autocast(HERE, dtype=torch.bfloat16):
        (found,) = torch.autograd.grad(y, P)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_matrices_states_and_gradients_may_lie_anyhow(either_way: str) -> None:
    P, start, G = turns(2, 3), numbers(4, 2, 3, seed=1), numbers(4, 5, 2, 3, seed=2)
    results = []
    for given in (
        (P, start, G),
        (P.mT.contiguous().mT, start.mT.contiguous().mT, G.transpose(0, 1).contiguous().transpose(0, 1)),
    ):
        P_, start_ = (x.detach().requires_grad_() for x in given[:2])
        y = steps(P_, start_, 5)
        results.append((y, *torch.autograd.grad(y, (P_, start_), given[2])))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-14, atol=1e-14)


def test_numbers_that_are_stored_with_the_other_sign(either_way: str) -> None:
    """What the imaginary part of a conjugate is in memory."""
    results = []
    for given in (turns(2, 3), numbers(4, 2, 3, seed=1), numbers(4, 5, 2, 3, seed=2)):
        negative = torch.complex(given, -given).conj().imag
        assert negative.is_neg() and torch.equal(negative, given)
        results.append((given, negative))
    both = []
    for P, start, G in zip(*results, strict=True):
        leaves = P.detach().requires_grad_(), start.detach().requires_grad_()
        y = steps(*leaves, 5)
        both.append((y, *torch.autograd.grad(y, leaves, G)))
    for one, other in zip(*both, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-14, atol=1e-14)


def test_the_grid_of_a_million_states_has_one_axis() -> None:
    """The others end at 65535."""
    assert grid(1, 3) == (3,) and grid(17, 3) == (6,) and grid(16 * 65536, 3) == (3 * 65536,)


@pytest.mark.parametrize("times", [[0, 1, 2, 3], [0.5, 0.25, 0.0, -0.25], [7, 7, 7], [-2.0, 0.1, 2.2, 4.3]])
def test_a_flow_along_evenly_spaced_times(times: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    H, s0 = (numbers(2, 4, 4) / 4).requires_grad_(), numbers(3, 2, 4, seed=1).requires_grad_()
    at, G, results = torch.tensor(times, dtype=torch.float64), numbers(3, len(times), 2, 4, seed=2), []
    for way in ("gpu", "torch"):
        take(way, monkeypatch)
        states = flow(H, s0, at)
        results.append((states, *torch.autograd.grad(states, (H, s0), G)))
    for stepped, plain in zip(*results, strict=True):
        torch.testing.assert_close(stepped, plain, rtol=1e-12, atol=1e-12)


def test_a_flow_from_time_zero_begins_with_its_states_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    take("gpu", monkeypatch)
    H, s0 = numbers(2, 4, 4, dtype=torch.float32), numbers(3, 2, 4, seed=1, dtype=torch.float32)
    assert torch.equal(flow(H, s0, torch.arange(4))[:, 0], s0)
