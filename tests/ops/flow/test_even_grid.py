"""Flows at evenly spaced times: recognised as such, stepped through, and exact all the same."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from symplectic_ops import Hamiltonian, NonFiniteError, SkewSymmetricHamiltonian, energy, flow, symplectic_residual
from symplectic_ops.expm import Structure
from symplectic_ops.flow import tables
from symplectic_ops.flow.even_grid import EvenGrid, Run, even_grid

pytestmark = [
    pytest.mark.usefixtures("either_way"),
    # The first use of forward mode makes torch load a module of its own that still calls torch.jit.script.
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
]

GRIDS = {
    "quarters from zero": torch.arange(40) / 4.0,
    "quarters, offset": torch.arange(40) / 4.0 + 3.125,
    "through zero": torch.arange(-9, 12) / 2.0,
    "past zero": torch.arange(-9, 12) / 2.0 + 0.125,
    "before zero": torch.arange(-20, -3) * 1.0,
    "falling": torch.arange(12, -7, -1) / 2.0,
    "one time": torch.tensor([2.5]),
    "one time again and again": torch.full((5,), -1.5),
}
every_grid = pytest.mark.parametrize("times", GRIDS.values(), ids=GRIDS)


def generators(n: int, *blocks: int, dtype: torch.dtype = torch.float64) -> Tensor:
    space = SkewSymmetricHamiltonian(n // 2)
    params = torch.randn(*blocks, space.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return (space(params) / (2 * n**0.5)).to(dtype)


def exact(H: Tensor, s0: Tensor, times: Tensor) -> Tensor:
    """(b, t, k, n) from one exponential in double precision for each time."""
    propagators = torch.linalg.matrix_exp(times.double()[:, None, None, None] * H.double())
    return torch.einsum("tkij,bkj->btki", propagators, s0.double())


@every_grid
@pytest.mark.parametrize("n", [2, 8, 10, 24])
def test_every_even_grid_is_stepped_through_to_the_right_states(times: Tensor, n: int) -> None:
    H, s0 = generators(n, 3), torch.randn(5, 3, n, dtype=torch.float64)
    torch.testing.assert_close(flow(H, s0, times), exact(H, s0, times), rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [2, 8, 24])
@pytest.mark.parametrize("precise", [False, True])
def test_many_steps_in_single_precision(n: int, precise: bool) -> None:
    H, s0, times = generators(n, 3, dtype=torch.float32), torch.randn(40, 3, n), torch.arange(300.0)
    error = (flow(H, s0, times, precise=precise) - exact(H, s0, times)).norm(dim=-1) / s0.norm(dim=-1)[:, None]
    assert error.max() <= (4e-7 if precise or n <= 8 else 1e-4)


@every_grid
@pytest.mark.parametrize("precise", [False, True])
@pytest.mark.parametrize(("n", "structure"), [(2, None), (8, None), (10, None), (34, "skew-symmetric")])
def test_states_are_the_same_whether_or_not_a_derivative_may_be_asked_for(
    times: Tensor, precise: bool, n: int, structure: Structure | None
) -> None:
    for dtype, allowed in ((torch.float32, 1e-7 if precise or n <= 8 else 1e-5), (torch.float64, 1e-13)):
        H, s0 = generators(n, 3, dtype=dtype), torch.randn(5, 3, n, dtype=dtype)
        found, other = (
            flow(x, s0, times, structure=structure, precise=precise) for x in (H, H.clone().requires_grad_())
        )
        assert ((found - other).norm(dim=-1) <= allowed * s0.norm(dim=-1)[:, None]).all()


def test_a_few_short_steps_are_off_by_roundings_and_a_few_long_ones_by_no_more() -> None:
    H, s0, times = generators(16, 16, dtype=torch.float32), torch.randn(40, 16, 16), torch.arange(16.0)
    for factor in (1.0, 8.0, 64.0):
        error = (flow(factor * H, s0, times) - exact(factor * H, s0, times)).norm(dim=-1)
        assert (error <= 2e-6 * s0.norm(dim=-1)[:, None]).all()


@pytest.mark.parametrize("n", [3, 8, 10])
@pytest.mark.parametrize("times", [[0.0], [0.0, 1.0, 2.0], [1.5, 2.5], [-2.5]])
def test_one_number_that_is_not_finite_is_found_wherever_it_stands(n: int, times: list[float]) -> None:
    H, at = torch.zeros(2, n, n), torch.tensor(times)
    for place in range(n):
        for value in (torch.nan, torch.inf, -torch.inf):
            s0 = torch.ones(7, 2, n)
            s0[-1, -1, place] = value
            with pytest.raises(NonFiniteError, match=rf"`s0\[6, 1, {place}\]`"):
                flow(H, s0, at)


def test_an_orbit_that_grows_is_followed_away_from_zero_and_not_through_it() -> None:
    """From −20 to 20 in steps forward, the rounding of the first state would outgrow all others."""
    saddle, s0 = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64), torch.tensor([1.0, 0.0]).double()
    times = torch.arange(-20, 21).double()
    expected = torch.stack([times.cosh(), times.sinh()], dim=-1)
    torch.testing.assert_close(flow(saddle, s0, times), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("n", [4, 10])
@every_grid
def test_gradients_reach_generators_and_states(times: Tensor, n: int) -> None:
    H = generators(n, 2).requires_grad_()
    s0 = torch.randn(3, 2, n, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda H, s0: flow(H, s0, times[::4]), (H, s0), check_batched_grad=True, fast_mode=True)


def test_second_derivatives_and_forward_mode() -> None:
    H, s0 = generators(4, 2).requires_grad_(), torch.randn(3, 2, 4, dtype=torch.float64, requires_grad=True)
    times = torch.arange(-3, 10) / 2.0
    assert gradgradcheck(lambda H, s0: flow(H, s0, times), (H, s0), check_fwd_over_rev=True, fast_mode=True)
    assert gradcheck(lambda H, s0: flow(H, s0, times), (H, s0), check_forward_ad=True, fast_mode=True)


def test_times_of_an_even_grid_have_gradients_to_second_order() -> None:
    H, s0 = generators(4, 2).requires_grad_(), torch.randn(3, 2, 4, dtype=torch.float64)
    times = (torch.arange(-2.0, 3.0, dtype=torch.float64) / 4).requires_grad_()
    assert gradcheck(lambda H, t: flow(H, s0, t), (H, times), fast_mode=True)
    assert gradgradcheck(lambda H, t: flow(H, s0, t), (H, times), fast_mode=True)


def test_a_gradient_of_one_input_alone() -> None:
    H, s0, times = generators(8, 2), torch.randn(3, 2, 8, dtype=torch.float64), torch.arange(6.0)
    both = [x.clone().requires_grad_() for x in (H, s0)]
    expected = torch.autograd.grad(flow(*both, times).square().sum(), both)
    for i in range(2):
        inputs = [x.clone().requires_grad_(i == j) for j, x in enumerate((H, s0))]
        (found,) = torch.autograd.grad(flow(*inputs, times).square().sum(), inputs[i])
        torch.testing.assert_close(found, expected[i])


def test_times_copied_for_each_state_are_stepped_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("tables")

    monkeypatch.setattr(tables, "propagators", refuse)
    flow(generators(4, 2), torch.randn(3, 2, 4, dtype=torch.float64), (torch.arange(7) / 4.0).repeat(3, 1))


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.5, 1.0], [0.0, 0.1, 1.0]])
@pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0, 0)])
def test_no_blocks_or_blocks_of_no_rows_have_no_states(shape: tuple[int, int, int], times: list[float]) -> None:
    at = torch.tensor(times)
    assert flow(torch.zeros(shape), torch.zeros(2, *shape[:2]), at).shape == (2, len(times), *shape[:2])
    assert flow(torch.zeros(shape), torch.zeros(shape[:2]), at).shape == (len(times), *shape[:2])


def test_times_with_gradients_are_moved_precisely_too() -> None:
    H, s0, times = generators(16, 2, dtype=torch.float32), torch.randn(3, 2, 16), torch.tensor([0.3, 200.5, 7.0])
    found = flow(H, s0, times.clone().requires_grad_(), precise=True)
    assert torch.equal(found, exact(H, s0, times).float())


def test_times_repeated_for_each_state_are_one_grid() -> None:
    H, s0, times = generators(4, 2), torch.randn(3, 2, 4, dtype=torch.float64), torch.arange(7) / 4.0
    assert torch.equal(flow(H, s0, times.expand(3, -1)), flow(H, s0, times))
    assert torch.equal(flow(H, s0, times.repeat(3, 1)), flow(H, s0, times))
    assert torch.equal(flow(H, s0[0], times.expand(3, -1)), flow(H, s0[:1], times).expand(3, -1, -1, -1))


def test_a_state_too_long_on_the_way_is_refused_though_the_last_is_not() -> None:
    """A transient of 1e40 in a flow that is back to nothing at the end."""
    H = torch.tensor([[-1.0, 1e20], [0.0, -1.0]])
    with pytest.raises(ArithmeticError, match="left the range of float32"):
        flow(H, torch.tensor([0.0, 1e20]), torch.arange(200.0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_thousands_of_steps_keep_energy_and_symplecticity(dtype: torch.dtype) -> None:
    H = generators(6, dtype=dtype)
    basis, times = torch.eye(6, dtype=dtype), torch.arange(20000.0, dtype=torch.float64)
    states = flow(H, basis, times, precise=True)[:, -1].double()
    allowed = 1e-7 if dtype is torch.float32 else 1e-11
    before = energy(H.double(), basis.double())
    assert ((energy(H.double(), states) - before).abs() <= 2 * allowed * before.abs().max()).all()
    assert symplectic_residual(states.mT) <= allowed


def test_what_is_an_even_grid() -> None:
    assert even_grid(torch.tensor([0.0, 0.5, 1.0]), 1e-7) == EvenGrid(None, Run(0.0, 0.5, 3), falling=False)
    assert even_grid(torch.tensor([2, 1, 0, -1]), 1e-7) == EvenGrid(Run(-1, -1.0, 1), Run(0, 1.0, 3), falling=True)
    assert even_grid(torch.tensor([-3.0, -2.0]), 1e-7) == EvenGrid(Run(-2.0, -1.0, 2), None, falling=False)


@pytest.mark.parametrize("times", [[0.0, 1.0, 3.0], [0.0, 0.5, 1.001], [0.0, torch.nan, 2.0], [0.0, torch.inf], []])
def test_what_is_none(times: list[float]) -> None:
    assert even_grid(torch.tensor(times), 1e-7) is None


def test_times_rounded_to_single_precision_are_even_in_single_precision_alone() -> None:
    times = torch.arange(1000) * 0.1
    assert even_grid(times, torch.finfo(torch.float32).eps) is not None
    assert even_grid(times, torch.finfo(torch.float64).eps) is None


@pytest.mark.parametrize(
    "times", [[1e6, 1e6 + 0.1, 1e6 + 0.25], [1e8, 1e8, 1e8 + 5], [1e8, 1e8 + 1, 1e8], [0, 1.1, 2, 3]]
)
def test_times_that_are_not_even_are_not_taken_as_even(times: list[float]) -> None:
    at, H, s0 = torch.tensor(times, dtype=torch.float64), generators(4, 2, dtype=torch.float32), torch.randn(3, 2, 4)
    assert even_grid(at, torch.finfo(at.dtype).eps) is None
    turns = flow(H.double(), s0.double(), at)
    assert (flow(H, s0, at) - turns).abs().max() <= 1e-6
    far = torch.arange(100001.0, dtype=torch.float64)
    far[1] = 1.1
    assert even_grid(far, torch.finfo(torch.float64).eps) is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_linspaces_are_even(dtype: torch.dtype) -> None:
    for first, last in ((-3.3, 7.7), (0.1, 0.9), (-1.0, 0.3), (0.0, 100.0)):
        assert even_grid(torch.linspace(first, last, 24, dtype=dtype), torch.finfo(dtype).eps) is not None


@pytest.mark.parametrize("times", [[200.5], [200.5, 201.5]])
def test_few_far_times_keep_their_digits_in_large_blocks(times: list[float]) -> None:
    H, s0, at = generators(16, 2, dtype=torch.float32), torch.randn(3, 2, 16), torch.tensor(times)
    error = (flow(H, s0, at) - exact(H, s0, at)).norm(dim=-1) / s0.norm(dim=-1)[:, None]
    assert error.max() <= 1e-6


def test_a_misspelt_structure_is_refused_at_time_zero_too() -> None:
    with pytest.raises(ValueError, match="`structure` must be one of"):
        flow(generators(4), torch.zeros(4, dtype=torch.float64), torch.zeros(1), structure="skew")  # type: ignore[arg-type]


def test_a_first_state_away_from_zero_is_not_rounded_on_the_way() -> None:
    H, s0, at = generators(16, 2, dtype=torch.float32), torch.randn(3, 2, 16), torch.arange(20) + 3.5
    assert torch.equal(flow(H, s0, at, precise=True), flow(H.double(), s0.double(), at).float())


def test_time_zero_alone_has_gradients() -> None:
    H, s0 = generators(4, 2).requires_grad_(), torch.randn(3, 2, 4, dtype=torch.float64)
    (found,) = torch.autograd.grad(flow(H, s0, torch.tensor([0.0])).sum(), H)
    assert not found.any()
    assert torch.equal(flow(H, s0, torch.tensor([0.0]))[:, 0], s0)


def test_states_of_several_grids_share_no_memory() -> None:
    H, s0 = generators(4, 2), torch.randn(2, 4, dtype=torch.float64)
    found = flow(H, s0, torch.arange(3.0).expand(2, -1))
    found[0] = 0
    assert found[1].any()


@pytest.mark.parametrize("times", [[0.0, 1.0, 1e19], [0.0, 1.0, 1e300], [0.0, 1.0, -1e19, 5e18]])
def test_whole_times_beyond_whole_numbers(times: list[float]) -> None:
    rest = torch.zeros(2, 2, dtype=torch.float64)
    found = flow(rest, torch.ones(2, dtype=torch.float64), torch.tensor(times, dtype=torch.float64))
    assert torch.equal(found, torch.ones(len(times), 2, dtype=torch.float64))


def test_hamiltonian_flows_of_large_blocks_are_as_good_as_steps() -> None:
    H = Hamiltonian(8)(torch.randn(136, dtype=torch.float64) / 64)
    s0, times = torch.randn(64, 16, dtype=torch.float64), torch.arange(30.0)
    torch.testing.assert_close(flow(H, s0, times), exact(H[None], s0[:, None], times)[:, :, 0], rtol=0, atol=1e-10)
