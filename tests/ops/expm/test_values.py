"""exp(A): closed forms that fix every sign, and every dtype and shape."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from symplectic_ops import SkewSymmetricHamiltonian, expm

pytestmark = pytest.mark.usefixtures("either_way")

Reference = Callable[[Tensor], Tensor]

KNOWN: dict[str, tuple[list[list[float]], Callable[[float], list[list[float]]]]] = {
    "oscillator": (
        [[0, 1], [-1, 0]],
        lambda t: [[math.cos(t), math.sin(t)], [-math.sin(t), math.cos(t)]],
    ),
    "shear": ([[0, 1], [0, 0]], lambda t: [[1, t], [0, 1]]),
    "saddle": ([[0, 1], [1, 0]], lambda t: [[math.cosh(t), math.sinh(t)], [math.sinh(t), math.cosh(t)]]),
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("t", [0.0, 1e-9, 1e-3, 0.1, -0.7, 2.0, -9.0])
def test_the_closed_forms(name: str, t: float) -> None:
    A, exact = KNOWN[name]
    found = expm(t * torch.tensor(A, dtype=torch.float64))
    torch.testing.assert_close(found, torch.tensor(exact(t), dtype=torch.float64), rtol=1e-14, atol=1e-15)


def test_a_huge_nilpotent_matrix_is_exact() -> None:
    assert expm(torch.tensor([[0.0, 1e30], [0.0, 0.0]])).tolist() == [[1.0, float(torch.tensor(1e30))], [0.0, 1.0]]


def test_the_zero_matrix_gives_the_identity_whatever_stands_beside_it() -> None:
    batch = torch.stack([torch.zeros(4, 4), torch.randn(4, 4), 50 * torch.randn(4, 4), torch.zeros(4, 4)])
    found = expm(batch)
    assert torch.equal(found[0], torch.eye(4)) and torch.equal(found[3], torch.eye(4))


def test_zeros_of_triangular_and_block_diagonal_matrices_stay_exact() -> None:
    A = torch.triu(torch.randn(5, 6, 6)) * 4
    A[:, :2, 2:] = 0
    found = expm(A)
    assert not found[A.expand_as(found) == 0].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128])
@pytest.mark.parametrize("norm", [1e-8, 1e-4, 0.03, 0.2, 0.8, 1.3, 2.7, 20.0])
def test_random_matrices_of_every_norm_to_the_precision_of_the_dtype(
    norm: float, dtype: torch.dtype, reference_expm: Reference
) -> None:
    A = torch.randn(2, 6, 6, dtype=dtype, generator=torch.Generator().manual_seed(0))
    A = A * norm / A.abs().sum(-2).amax(-1)[:, None, None]
    exact = reference_expm(A)
    error = torch.linalg.matrix_norm(expm(A) - exact) / torch.linalg.matrix_norm(exact)
    assert error.max() <= 4 * torch.finfo(dtype).eps * max(1.0, norm)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_once(dtype: torch.dtype) -> None:
    A = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0)).to(dtype)
    assert torch.equal(expm(A), expm(A.float()).to(dtype))


def test_a_mixed_batch_gives_what_each_matrix_gives_alone() -> None:
    norms = torch.logspace(-3, 2, 12, dtype=torch.float64).flip(0)[torch.randperm(12)]
    A = torch.randn(12, 5, 5, dtype=torch.float64)
    A = A * (norms / A.abs().sum(-2).amax(-1))[:, None, None]
    together, alone = expm(A), torch.stack([expm(matrix) for matrix in A])
    size = torch.linalg.matrix_norm(alone)
    # The degrees differ, so the last bits may; the squarings must not.
    assert (torch.linalg.matrix_norm(together - alone) <= 4e-16 * norms.clamp(min=1) * 5 * size).all()


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (1, 4, 4), (2, 3, 4, 4), (2, 1, 3, 1, 1)])
def test_every_shape_of_batch_is_kept(shape: tuple[int, ...]) -> None:
    A = torch.randn(shape, dtype=torch.float64)
    found = expm(A)
    assert found.shape == shape
    first = (0,) * (len(shape) - 2)
    torch.testing.assert_close(found[first], expm(A[first]), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("shape", [(0, 0), (3, 0, 0), (0, 4, 4), (2, 0, 4, 4)])
def test_nothing_gives_nothing(shape: tuple[int, ...]) -> None:
    A = torch.zeros(shape, requires_grad=True)
    found = expm(A)
    assert found.shape == shape
    found.sum().backward()
    assert A.grad is not None and A.grad.shape == shape


def test_any_layout_in_memory_will_do() -> None:
    A = torch.randn(4, 4, 3, dtype=torch.float64).movedim(-1, 0)
    torch.testing.assert_close(expm(A), expm(A.contiguous()))
    torch.testing.assert_close(expm(A[:1].expand(2, 4, 4)), expm(A[:1]).repeat(2, 1, 1))


def test_what_was_given_is_not_written_to() -> None:
    A = 5 * torch.randn(3, 4, 4)
    before = A.clone()
    expm(A)
    assert torch.equal(A, before)


@pytest.mark.parametrize("norm", [1e-3, 0.4, 8.0])
def test_a_known_bound_spares_the_norm_and_changes_nothing(norm: float) -> None:
    A = torch.randn(3, 4, 4, dtype=torch.float64)
    A = A * norm / A.abs().sum(-2).amax(-1)[:, None, None]
    torch.testing.assert_close(expm(A, norm_bound=norm), expm(A), rtol=1e-14, atol=1e-14)


def test_a_loose_bound_still_gives_the_exponential() -> None:
    A = torch.randn(3, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(expm(A, norm_bound=500.0), expm(A), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("structure", [None, "hamiltonian", "elliptic", "skew-symmetric", "skew-hamiltonian"])
@pytest.mark.parametrize("backend", ["auto", "torch"])
@pytest.mark.parametrize("memory", ["save", "recompute"])
def test_hints_do_not_change_the_result(structure: str, backend: str, memory: str) -> None:
    H = SkewSymmetricHamiltonian(2)(torch.tensor([0.3, 1.0, -0.2, 0.7]))
    assert torch.equal(expm(H, structure=structure, backend=backend, memory=memory), expm(H, backend=backend))


def test_autocasting_does_not_round() -> None:
    A = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (plain,) = torch.autograd.grad(expm(A).sum(), A)
    (again,) = torch.autograd.grad(expm(A).sum(), A, create_graph=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(expm(A), expm(A.detach().requires_grad_()))
        (under_autocast,) = torch.autograd.grad(expm(A).sum(), A)
        (again_under_autocast,) = torch.autograd.grad(expm(A).sum(), A, create_graph=True)
    assert torch.equal(under_autocast, plain)
    assert torch.equal(again_under_autocast, again)
