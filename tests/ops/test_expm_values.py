"""exp(A): closed forms that fix every sign, hard cases by name, and every dtype and shape."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from symplectic_ops import Hamiltonian, SkewHamiltonian, SkewSymmetricHamiltonian, expm, is_symplectic
from symplectic_ops.testing import assert_orthogonal, assert_skew_hamiltonian, assert_symplectic, generators

Reference = Callable[[Tensor], Tensor]

KNOWN: dict[str, tuple[list[list[float]], Callable[[float], list[list[float]]]]] = {
    "oscillator": (
        [[0, 1], [-1, 0]],
        lambda t: [[math.cos(t), math.sin(t)], [-math.sin(t), math.cos(t)]],
    ),
    "shear": ([[0, 1], [0, 0]], lambda t: [[1, t], [0, 1]]),
    "saddle": ([[0, 1], [1, 0]], lambda t: [[math.cosh(t), math.sinh(t)], [math.sinh(t), math.cosh(t)]]),
}

# What each breaks: a scaling by ‖A‖₁ (a small eigenvalue problem under a huge norm), a series that relies on
# diagonalisation, one that relies on distinct eigenvalues, one that overflows halfway, one that cancels.
GALLERY = {
    "far from normal, overscaled by its norm": [[1.0, 1e6], [0.0, -1.0]],
    "nilpotent with a huge entry": [[0.0, 1e10], [0.0, 0.0]],
    "defective": [[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 2.0]],
    "repeated eigenvalues": [[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, -1.0]],
    "nearly equal eigenvalues": [[1.0, 1.0], [0.0, 1.0 + 1e-10]],
    "decay, where a plain series cancels": [[-30.0, 10.0], [5.0, -40.0]],
    "Moler and Van Loan 1978": [[-49.0, 24.0], [-64.0, 31.0]],
    "Ward 1977, stiff": [[-131.0, 19.0, 18.0], [-390.0, 56.0, 54.0], [-387.0, 57.0, 52.0]],
    "one by one": [[1.5]],
    "a long way round": [[0.0, 100.0], [-100.0, 0.0]],
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("t", [0.0, 1e-9, 1e-3, 0.1, -0.7, 2.0, -9.0])
def test_the_closed_forms(name: str, t: float) -> None:
    A, exact = KNOWN[name]
    found = expm(t * torch.tensor(A, dtype=torch.float64))
    torch.testing.assert_close(found, torch.tensor(exact(t), dtype=torch.float64), rtol=1e-14, atol=1e-15)


def test_positive_momentum_moves_position_forward() -> None:
    """No law can see the sign of J; this pins it."""
    q, p = expm(0.1 * Hamiltonian(1)(torch.tensor([1.0, 0.0, 1.0]))) @ torch.tensor([0.0, 1.0])
    assert q > 0
    assert 0 < p < 1


@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery(name: str, reference_expm: Reference) -> None:
    A = torch.tensor(GALLERY[name], dtype=torch.float64)
    exact = reference_expm(A)
    # Rounding A once already moves exp(A) by its condition number, which grows with ‖A‖: more is not asked.
    condition = max(1.0, float(torch.linalg.matrix_norm(A, ord=2)))
    allowed = 50 * 2**-53 * min(condition, 1e4) * torch.linalg.matrix_norm(exact)
    assert torch.linalg.matrix_norm(expm(A) - exact) <= allowed


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
    assert torch.equal(expm(H, structure=structure, backend=backend, memory=memory), expm(H))


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


@given(generators(Hamiltonian))
def test_the_exponential_of_a_hamiltonian_matrix_is_symplectic(H: Tensor) -> None:
    assert_symplectic(expm(H), tolerance=2e-15 * max(1.0, float(H.abs().sum(-2).max())))


@given(generators(SkewSymmetricHamiltonian))
def test_the_exponential_of_a_skew_symmetric_hamiltonian_matrix_is_orthogonal_and_symplectic(H: Tensor) -> None:
    S = expm(H)
    assert_orthogonal(S, tolerance=1e-14)
    assert_symplectic(S, tolerance=1e-14)


@given(generators(SkewHamiltonian, norms=(0.1, 5.0)))
def test_the_exponential_of_a_skew_hamiltonian_matrix_is_skew_hamiltonian_and_not_symplectic(W: Tensor) -> None:
    X = expm(W)
    assert_skew_hamiltonian(X)
    assert not is_symplectic(X)


@given(generators(), st.floats(-3, 3), st.floats(-3, 3))
def test_multiples_of_one_matrix_exponentiate_additively(H: Tensor, s: float, t: float) -> None:
    H = H / max(1.0, float(H.abs().sum(-2).max()))
    torch.testing.assert_close(expm(s * H) @ expm(t * H), expm((s + t) * H), rtol=1e-12, atol=1e-12)
