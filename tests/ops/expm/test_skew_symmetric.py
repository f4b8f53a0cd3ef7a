"""exp(A) where A is known to be skew-symmetric Hamiltonian: half the products, and nothing else changes."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from symplectic_ops import NonFiniteError, SkewSymmetricHamiltonian, expm, form, is_orthogonal, is_symplectic

pytestmark = [
    pytest.mark.usefixtures("either_way"),
    # The first use of forward mode makes torch load a module of its own that still calls torch.jit.script.
    pytest.mark.filterwarnings("ignore:`torch.jit.script", "ignore::DeprecationWarning"),
]


def turns(d: int, *batch: int, norm: float = 2.0, dtype: torch.dtype = torch.float64) -> Tensor:
    space = SkewSymmetricHamiltonian(d)
    A: Tensor = space(torch.randn(*batch, space.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    return (A * norm / A.abs().sum(-2).amax(-1)[..., None, None]).to(dtype)


def known(A: Tensor) -> Tensor:
    return expm(A, structure="skew-symmetric")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("d", [1, 16, 17, 20, 36])
def test_what_is_known_changes_neither_value_nor_gradient(d: int, dtype: torch.dtype) -> None:
    A = torch.stack([turns(d, norm=norm, dtype=dtype) for norm in (0.0, 1e-7, 1e-3, 0.03, 0.2, 0.8, 2.0, 30.0)])
    space, G = SkewSymmetricHamiltonian(d), torch.randn(A.shape, dtype=dtype)
    results = []
    for function in (known, expm):
        params = space.right_inverse(A).requires_grad_()
        X = function(space(params))
        results.append((X.detach(), torch.autograd.grad(X, params, G)[0][..., None]))
    for found, expected in zip(*results, strict=True):
        error = torch.linalg.matrix_norm(found - expected) / torch.linalg.matrix_norm(expected)
        assert error.max() <= 12 * d * torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_result_is_orthogonal_and_symplectic(dtype: torch.dtype) -> None:
    X = known(turns(20, 3, norm=10.0, dtype=dtype))
    assert is_orthogonal(X).all() and is_symplectic(X).all()


def test_of_a_matrix_that_is_not_the_nearest_one_is_taken_in_every_derivative() -> None:
    A = (0.1 * torch.randn(2, 34, 34, dtype=torch.float64)).requires_grad_()
    J, G, V = form(17, dtype=torch.float64), torch.randn_like(A), torch.randn_like(A)
    results = []
    for X in (known(A), expm((A + J @ A @ J.mT) / 2)):
        (first,) = torch.autograd.grad(X, A, G, create_graph=True)
        (second,) = torch.autograd.grad(first, A, V)
        results.append((X.detach(), first.detach(), second))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    assert gradcheck(known, (A,), check_forward_ad=True, fast_mode=True)
    assert gradgradcheck(known, (A,), check_fwd_over_rev=True, fast_mode=True)


def test_it_takes_transforms_and_one_full_graph() -> None:
    A = turns(17, 3)
    torch.testing.assert_close(torch.func.vmap(known)(A), expm(A))
    torch.testing.assert_close(torch.compile(known, fullgraph=True, backend="aot_eager")(A), expm(A))
    _, found = torch.func.jvp(known, (A,), (A,))
    torch.testing.assert_close(found, A @ expm(A), rtol=0, atol=1e-13)


def test_what_is_not_finite_is_refused() -> None:
    A = turns(17, 3)
    A[1, 0, 2] = torch.nan
    with pytest.raises(NonFiniteError, match=r"`A\[1\]` contains NaN"):
        known(A)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_once(dtype: torch.dtype) -> None:
    A = turns(17, 3).to(dtype)
    assert torch.equal(known(A), known(A.float()).to(dtype))
