"""Flows of skew-symmetric Hamiltonian generators at irregular times, by their modes."""

from collections.abc import Callable
from importlib import import_module

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from symplectic_ops import SkewSymmetricHamiltonian, flow, form

Reference = Callable[[Tensor], Tensor]

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")

SHARED = torch.tensor([0.0, 0.3, -7.1, 2.25, 150.5, 0.3], dtype=torch.float64)
EACH = torch.tensor([[0.0, 0.3], [1.7, -2.2], [90.25, 0.0]], dtype=torch.float64)


def turn(H: Tensor, s0: Tensor, times: Tensor, **options: bool) -> Tensor:
    return flow(H, s0, times, structure="skew-symmetric", **options)


def generators(d: int, *blocks: int) -> Tensor:
    space = SkewSymmetricHamiltonian(d)
    H: Tensor = space(torch.randn(*blocks, space.dim, dtype=torch.float64) / 2)
    return H


def repeated(d: int) -> Tensor:
    """One frequency d times, hidden by a rotation of the modes among each other."""
    Q = torch.linalg.matrix_exp(generators(d))
    return Q @ (0.7 * form(d, dtype=torch.float64)) @ Q.mT


@pytest.mark.parametrize("times", [SHARED, EACH], ids=["shared", "each its own"])
def test_the_flow_is_the_exponential_at_every_time(times: Tensor, reference_expm: Reference) -> None:
    H, s0 = generators(3, 2), torch.randn(3, 2, 6, dtype=torch.float64)
    each = times.expand(3, -1) if times.ndim == 1 else times
    expected = torch.einsum("btkij,bkj->btki", reference_expm(each[..., None, None, None] * H), s0)
    torch.testing.assert_close(turn(H, s0, times), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("precise", [False, True])
def test_a_state_far_away_is_as_accurate_as_the_next_in_single_precision(precise: bool) -> None:
    H, s0 = generators(8, 2).float(), torch.randn(3, 2, 16)
    times = torch.cat([SHARED, torch.tensor([1e4 + 0.5], dtype=torch.float64)])
    expected = turn(H.double(), s0.double(), times)
    error = (turn(H, s0, times, precise=precise) - expected).norm(dim=-1) / s0.norm(dim=-1)[:, None]
    assert error.max() <= (1e-7 if precise else 1e-6)


def test_at_time_zero_the_state_is_the_same_to_the_last_bit() -> None:
    s0 = torch.randn(3, 2, 6)
    assert torch.equal(turn(generators(3, 2).float(), s0, SHARED)[:, 0], s0)


def test_a_block_at_rest_stays_exactly_at_rest() -> None:
    s0 = torch.randn(3, 2, 6)
    s0[:, 1] = 0
    assert not turn(generators(3, 2).float(), s0, SHARED)[:, :, 1].any()


@pytest.mark.parametrize("times", [SHARED, EACH], ids=["shared", "each its own"])
@pytest.mark.parametrize("one", [False, True], ids=["many states", "one state"])
def test_gradients_of_first_and_second_order(times: Tensor, one: bool) -> None:
    space = SkewSymmetricHamiltonian(3)
    params = torch.randn(2, space.dim, dtype=torch.float64, requires_grad=True)
    s0 = torch.randn(*([] if one else [3]), 2, 6, dtype=torch.float64, requires_grad=True)
    times = times.clamp(-3, 3).requires_grad_()

    def states(params: Tensor, s0: Tensor, times: Tensor) -> Tensor:
        return turn(space(params), s0, times)

    assert gradcheck(states, (params, s0, times), check_batched_grad=True, fast_mode=True)
    assert gradgradcheck(states, (params, s0, times), fast_mode=True)


def test_forward_mode() -> None:
    space = SkewSymmetricHamiltonian(2)
    params = torch.randn(2, space.dim, dtype=torch.float64, requires_grad=True)
    s0 = torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda p, s: turn(space(p), s, EACH), (params, s0), check_forward_ad=True, fast_mode=True)


@pytest.mark.parametrize("apart", [0.0, 1e-15, 1e-9, 1e-5])
def test_the_gradient_is_exact_where_frequencies_are_equal_or_nearly(apart: float) -> None:
    space = SkewSymmetricHamiltonian(4)
    H = repeated(4) + apart * generators(4)
    s0, G = torch.randn(3, 8, dtype=torch.float64), torch.randn(3, 6, 8, dtype=torch.float64)

    def gradient(states: Callable[[Tensor], Tensor]) -> Tensor:
        params = space.right_inverse(space.project(H)).requires_grad_()
        return torch.autograd.grad(states(space(params)), params, G)[0]

    found = gradient(lambda H: turn(H, s0, SHARED))
    expected = gradient(lambda H: flow(H, s0, SHARED))
    assert (found - expected).norm() <= 1e-12 * expected.norm()


def test_no_generator_is_exponentiated(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("an exponential")

    H, s0 = generators(3, 2), torch.randn(3, 2, 6, dtype=torch.float64)
    for module in ("march", "tables", "modes"):
        monkeypatch.setattr(import_module(f"symplectic_ops.flow.{module}"), "expm", refuse)
    assert turn(H, s0, EACH).isfinite().all()
    assert turn(H, s0, SHARED).isfinite().all()
    assert torch.autograd.grad(turn(H.requires_grad_(), s0, EACH).sum(), H)[0].isfinite().all()


def test_many_times_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    H, s0 = generators(3, 2).requires_grad_(), torch.randn(3, 2, 6, dtype=torch.float64)
    (whole,) = torch.autograd.grad(turn(H, s0, EACH).square().sum(), H)
    monkeypatch.setattr(import_module("symplectic_ops.flow.modes"), "PART", 1)
    (parts,) = torch.autograd.grad(turn(H, s0, EACH).square().sum(), H)
    torch.testing.assert_close(parts, whole)
