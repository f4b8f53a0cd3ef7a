"""The derivative of the exponential as a function of its own."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from symplectic_ops import StructureError, expm, expm_frechet

pytestmark = [
    pytest.mark.usefixtures("either_way"),
    # The first use of forward mode makes torch load a module of its own that still calls torch.jit.script.
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
]


def matrices(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_it_is_the_derivative_along_a_direction() -> None:
    A, E = matrices(3, 4, 4), matrices(3, 4, 4, seed=1)
    torch.testing.assert_close(expm_frechet(A, E), torch.func.jvp(expm, (A,), (E,))[1])


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("differentiable", [(True, True), (True, False), (False, True)], ids=["both", "A", "E"])
def test_it_can_be_differentiated_again_in_what_asks_for_it(
    differentiable: tuple[bool, bool], dtype: torch.dtype
) -> None:
    A, E = (matrices(2, 3, 3, dtype=dtype, seed=i).requires_grad_(wanted) for i, wanted in enumerate(differentiable))
    assert gradcheck(expm_frechet, (A, E), check_forward_ad=True, fast_mode=True)
    assert gradgradcheck(expm_frechet, (A, E), fast_mode=True)


def test_batches_broadcast() -> None:
    A, E = matrices(2, 1, 3, 3), matrices(4, 3, 3, seed=1)
    expected = torch.stack([expm_frechet(a.expand(4, 3, 3), E) for a in A])
    torch.testing.assert_close(expm_frechet(A, E), expected)


def test_it_is_linear_in_the_direction_whatever_its_size() -> None:
    A, E = matrices(4, 4), matrices(4, 4, seed=1)
    torch.testing.assert_close(expm_frechet(A, 1e12 * E), 1e12 * expm_frechet(A, E), rtol=1e-13, atol=0)


def test_a_known_bound_changes_nothing() -> None:
    A, E = matrices(2, 4, 4) / 4, matrices(2, 4, 4, seed=1)
    torch.testing.assert_close(expm_frechet(A, E, norm_bound=5.0), expm_frechet(A, E))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("n", [1, 3])
def test_half_precision_is_rounded_once(n: int, dtype: torch.dtype) -> None:
    A, E = matrices(2, n, n).to(dtype), matrices(2, n, n, seed=1).to(dtype)
    assert torch.equal(expm_frechet(A, E), expm_frechet(A.float(), E.float()).to(dtype))


def test_of_numbers_it_is_the_exponential_times_the_direction() -> None:
    A, E = matrices(3, 1, 1), matrices(3, 1, 1, seed=1)
    torch.testing.assert_close(expm_frechet(A, E), A.exp() * E)


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 0)])
def test_of_nothing_it_is_nothing_and_still_differentiable(shape: tuple[int, ...]) -> None:
    L = expm_frechet(torch.zeros(shape), torch.zeros(shape, requires_grad=True))
    assert L.shape == shape and L.requires_grad


def test_nan_goes_through_and_leaves_its_neighbours_alone() -> None:
    A, E = matrices(3, 4, 4), matrices(3, 4, 4, seed=1)
    broken = A.clone()
    broken[1, 0, 0] = torch.nan
    found = expm_frechet(broken, E)
    assert found[1].isnan().any()
    torch.testing.assert_close(found[[0, 2]], expm_frechet(A, E)[[0, 2]])


@pytest.mark.parametrize(
    ("E", "error", "sentence"),
    [
        (torch.zeros(4, 4), StructureError, r"`E` must be directions .* for `A` \(2, 3, 3\); got \(4, 4\)"),
        (torch.zeros(5, 3, 3), StructureError, r"batches of `A` \(2, 3, 3\) and `E` \(5, 3, 3\) do not broadcast"),
        (torch.zeros(3, 3, dtype=torch.float64), TypeError, "must have one dtype; got torch.float32 and torch.float64"),
    ],
)
def test_a_direction_that_does_not_fit_is_refused(E: Tensor, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        expm_frechet(torch.zeros(2, 3, 3), E)
