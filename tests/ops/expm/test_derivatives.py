"""Every derivative of exp(A), in both modes, to the precision of the dtype and whatever its scale."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad, gradcheck, gradgradcheck

from symplectic_ops import expm
from symplectic_ops.backends import eager

Derivative = Callable[[Tensor, Tensor], Tensor]

# The first use of forward mode makes torch load a module of its own that still calls torch.jit.script.
pytestmark = [
    pytest.mark.usefixtures("either_way"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
]


def matrices(*shape: int, norm: float = 1.0, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    A = torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))
    return A * norm / A.abs().sum(-2).amax(-1)[..., None, None]


def gradient(A: Tensor, G: Tensor, **options: str) -> Tensor:
    A = A.detach().requires_grad_()
    (found,) = torch.autograd.grad(expm(A, **options), A, G)
    return found


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("norm", [0.0, 1e-5, 0.02, 0.1, 0.5, 1.5, 12.0])
@pytest.mark.parametrize("memory", ["save", "recompute"])
def test_first_derivatives_in_both_modes_one_by_one_and_batched(norm: float, dtype: torch.dtype, memory: str) -> None:
    A = matrices(2, 3, 3, norm=norm, dtype=dtype).requires_grad_()
    assert gradcheck(
        lambda A: expm(A, memory=memory),
        (A,),
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=True,
        fast_mode=True,
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("norm", [0.0, 1e-5, 0.02, 0.5, 12.0])
def test_second_derivatives_reverse_over_reverse_and_forward_over_reverse(norm: float, dtype: torch.dtype) -> None:
    A = matrices(2, 3, 3, norm=norm, dtype=dtype).requires_grad_()
    assert gradgradcheck(expm, (A,), check_fwd_over_rev=True, check_rev_over_rev=True, fast_mode=True)


def test_third_derivatives() -> None:
    A = matrices(2, 2, norm=0.7).requires_grad_()
    G = matrices(2, 2, seed=1)

    def directional(A: Tensor) -> Tensor:
        (first,) = torch.autograd.grad(expm(A), A, G, create_graph=True)
        return first

    assert gradgradcheck(directional, (A,), fast_mode=True)


def test_the_second_derivative_at_zero_is_that_of_the_exponential_and_not_of_a_low_degree() -> None:
    """exp(A) = I + A + ½A² + ...: its second derivative at zero is (EF + FE) / 2, though I + A is its value there."""
    zero = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
    hessian = torch.autograd.functional.hessian(lambda A: expm(A)[0, 1], zero)
    expected = torch.zeros(2, 2, 2, 2, dtype=torch.float64)
    expected[0, 0, 0, 1] = expected[0, 1, 0, 0] = expected[0, 1, 1, 1] = expected[1, 1, 0, 1] = 0.5
    torch.testing.assert_close(hessian, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex128])
@pytest.mark.parametrize("norm", [1e-7, 1e-3, 0.03, 0.3, 1.0, 2.5, 15.0])
def test_the_gradient_is_the_derivative_in_the_adjoint_direction(
    norm: float, dtype: torch.dtype, reference_derivative: Derivative
) -> None:
    A, G = matrices(4, 4, norm=norm, dtype=dtype), matrices(4, 4, dtype=dtype, seed=1)
    exact = reference_derivative(A.mH, G)
    error = torch.linalg.matrix_norm(gradient(A, G) - exact) / torch.linalg.matrix_norm(exact)
    assert error <= 8 * torch.finfo(dtype).eps * max(1.0, norm)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("norm", [0.0, 1e-7, 1e-3, 0.03, 0.6, 2.5, 15.0])
def test_derivatives_that_can_be_differentiated_again_are_as_accurate(
    norm: float, dtype: torch.dtype, reference_derivative: Derivative
) -> None:
    A, E = matrices(4, 4, norm=norm, dtype=dtype), matrices(4, 4, dtype=dtype, seed=1)
    allowed = 8 * torch.finfo(dtype).eps * max(1.0, norm)
    leaf = A.clone().requires_grad_()
    (backward,) = torch.autograd.grad(expm(leaf), leaf, E, create_graph=True)
    _, forward = torch.func.jvp(expm, (A,), (E,))
    for found, exact in ((backward, reference_derivative(A.mT, E)), (forward, reference_derivative(A, E))):
        assert torch.linalg.matrix_norm(found - exact) <= allowed * torch.linalg.matrix_norm(exact)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("norm", [0.0, 1e-7, 1e-3, 0.03, 0.6, 2.5, 15.0])
def test_second_derivatives_have_the_digits_of_the_dtype(
    norm: float, dtype: torch.dtype, reference_derivative: Derivative
) -> None:
    """d²/dε dη exp(A + εE + ηF), whose exact value stands in the corner of a nested block matrix."""
    A, E, F = (matrices(3, 3, norm=size, dtype=dtype, seed=i) for i, size in enumerate((norm, 1.0, 1.0)))

    def along_E(A: Tensor) -> Tensor:
        return torch.func.jvp(expm, (A,), (E,))[1]

    _, found = torch.func.jvp(along_E, (A,), (F,))
    zero = torch.zeros_like(A)
    whole = reference_derivative(torch.cat([torch.cat([A, E], 1), torch.cat([zero, A], 1)]), torch.block_diag(F, F))
    exact = whole[:3, 3:]
    allowed = 16 * torch.finfo(dtype).eps * max(1.0, norm)
    assert torch.linalg.matrix_norm(found - exact) <= allowed * torch.linalg.matrix_norm(exact)


@pytest.mark.parametrize("A", [[[1.0, 1e6], [0.0, -1.0]], [[0.0, 1e8], [0.0, 0.0]]], ids=["non-normal", "nilpotent"])
def test_the_gradient_of_an_overscaled_matrix_keeps_its_digits(
    A: list[list[float]], reference_derivative: Derivative
) -> None:
    matrix, G = torch.tensor(A, dtype=torch.float64), matrices(2, 2)
    exact = reference_derivative(matrix.mT, G)
    error = torch.linalg.matrix_norm(gradient(matrix, G) - exact) / torch.linalg.matrix_norm(exact)
    assert error <= 1e-14


def test_the_relative_error_of_a_gradient_does_not_depend_on_its_size(reference_derivative: Derivative) -> None:
    A, G = matrices(8, 8, norm=3.0, dtype=torch.float32), matrices(8, 8, dtype=torch.float32, seed=1)
    exact = reference_derivative(A.mT, G)
    for size in (1e-6, 1e-3, 1.0, 1e3, 1e6):
        error = torch.linalg.matrix_norm(gradient(A, size * G) / size - exact) / torch.linalg.matrix_norm(exact)
        assert error <= 5e-7


def test_scaling_a_gradient_by_a_power_of_two_scales_it_exactly() -> None:
    A, G = matrices(3, 8, 8, norm=3.0, dtype=torch.float32), matrices(3, 8, 8, dtype=torch.float32, seed=1)
    assert torch.equal(gradient(A, 2**20 * G), 2**20 * gradient(A, G))


def test_recomputing_gives_the_same_gradient_to_the_last_bit() -> None:
    A, G = torch.cat([matrices(3, 5, 5, norm=norm) for norm in (0.01, 30.0)]), matrices(6, 5, 5, seed=1)
    assert torch.equal(gradient(A, G, memory="recompute"), gradient(A, G, memory="save"))


@pytest.mark.parametrize(("memory", "kept"), [("recompute", 1), ("save", 12)])
def test_recomputing_keeps_one_matrix_for_the_gradient_and_saving_a_dozen(memory: str, kept: int) -> None:
    A = matrices(3, 5, 5, norm=10.0).requires_grad_()
    saved: list[Tensor] = []

    def keep(x: Tensor) -> Tensor:
        saved.append(x)
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        expm(A, memory=memory, backend="torch")
    assert sum(x.numel() for x in saved if x.ndim == 3) / A.numel() == pytest.approx(kept, abs=2 * (kept > 1))


def test_a_batch_in_many_parts_has_the_gradients_of_its_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eager, "SMALL_PART", 1)
    A = torch.cat([matrices(100, 3, 3, norm=norm, seed=i) for i, norm in enumerate((7.0, 1e-3, 60.0))])
    G = matrices(300, 3, 3, seed=9)
    error = torch.linalg.matrix_norm(gradient(A, G, memory="recompute") - gradient(A, G, memory="save"))
    assert (error <= 1e-13 * torch.linalg.matrix_norm(gradient(A, G))).all()
    torch.testing.assert_close(expm(A.requires_grad_(), memory="recompute"), expm(A), rtol=1e-12, atol=1e-12)


def test_many_gradients_at_once_of_a_mixed_batch() -> None:
    A = torch.cat([matrices(1, 5, 5, norm=norm, seed=i) for i, norm in enumerate((7.0, 1e-3, 60.0, 0.2))])
    A, G = A.requires_grad_(), matrices(3, 4, 5, 5, seed=9)
    X = expm(A)
    (found,) = torch.autograd.grad(X, A, G, is_grads_batched=True, retain_graph=True)
    for one, incoming in zip(found, G, strict=True):
        torch.testing.assert_close(one, torch.autograd.grad(X, A, incoming, retain_graph=True)[0])


def test_a_mixed_batch_has_the_gradients_of_its_matrices() -> None:
    A = torch.cat([matrices(1, 5, 5, norm=norm, seed=i) for i, norm in enumerate((7.0, 1e-3, 60.0, 0.2, 7.0))])
    G = matrices(5, 5, 5, seed=9)
    alone = torch.stack([gradient(a, g) for a, g in zip(A, G, strict=True)])
    error = torch.linalg.matrix_norm(gradient(A, G) - alone) / torch.linalg.matrix_norm(alone)
    assert error.max() <= 1e-13


def test_the_transforms_of_torch_func_compose() -> None:
    A = matrices(3, 4, 4)

    def total(A: Tensor) -> Tensor:
        return expm(A).square().sum()

    A_ = A.detach().requires_grad_()
    (expected,) = torch.autograd.grad(total(A_), A_)
    torch.testing.assert_close(torch.func.grad(total)(A), expected)
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(total))(A), expected)
    torch.testing.assert_close(torch.func.vmap(expm, in_dims=1, out_dims=1)(A.movedim(0, 1)), expm(A).movedim(0, 1))
    torch.testing.assert_close(torch.func.jacfwd(expm)(A[0]), torch.func.jacrev(expm)(A[0]))
    torch.testing.assert_close(
        torch.func.jacfwd(torch.func.jacrev(total))(A[0]), torch.func.jacrev(torch.func.jacfwd(total))(A[0])
    )


def test_a_tangent_passes_through_a_plain_backward() -> None:
    A, E = matrices(3, 3, norm=2.0), matrices(3, 3, seed=1)
    _, expected = torch.autograd.functional.hvp(lambda A: expm(A).square().sum(), A, E)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(A.clone().requires_grad_(), E)
        (found,) = torch.autograd.grad(expm(dual).square().sum(), dual)
        tangent = forward_ad.unpack_dual(found).tangent
    torch.testing.assert_close(tangent, expected)


def test_the_derivative_of_a_huge_direction_keeps_its_digits() -> None:
    A, E, G = matrices(3, 3, norm=2.0), matrices(3, 3, seed=1), matrices(3, 3, seed=2)

    def second(scale: float) -> Tensor:
        return torch.autograd.functional.vhp(lambda A: (expm(A) * G).sum(), A, scale * E)[1] / scale

    torch.testing.assert_close(second(1e12), second(1.0), rtol=1e-13, atol=1e-14)


def test_a_known_bound_serves_derivatives_too() -> None:
    A = matrices(2, 3, 3, norm=4.0).requires_grad_()
    assert gradgradcheck(lambda A: expm(A, norm_bound=4.0), (A,), check_fwd_over_rev=True, fast_mode=True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_gradient_in_half_precision_is_rounded_once(dtype: torch.dtype) -> None:
    A, G = matrices(3, 3, dtype=torch.float32).to(dtype), matrices(3, 3, dtype=torch.float32, seed=1).to(dtype)
    assert torch.equal(gradient(A, G), gradient(A.float(), G.float()).to(dtype))
