"""s(t) = exp(tH) s₀: the laws of a Hamiltonian flow, real times in any number, and states 200 frames away."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck

from symplectic_ops import (
    EllipticHamiltonian,
    Flow,
    Hamiltonian,
    NonFiniteError,
    SkewSymmetricHamiltonian,
    StructureError,
    energy,
    flow,
    form,
    is_hamiltonian,
)
from symplectic_ops.expm import Structure
from symplectic_ops.spaces import Space
from symplectic_ops.testing import generators, states_like

Reference = Callable[[Tensor], Tensor]

# The first use of forward mode makes torch load a module of its own that still calls torch.jit.script.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")

seeds = st.integers(0, 2**32 - 1)

# Every way times can come: the last decides how propagators are put together, and none may change what they are.
TIMES = {
    "few whole frames": torch.arange(8.0),
    "whole frames, both ways": torch.arange(-15.0, 16.0),
    "many whole frames, far": torch.arange(-200.0, 201.0),
    "one far frame": torch.tensor([137.0]),
    "few, very far apart": torch.tensor([-1000.0, 3.0, 999.0]),
    "real": torch.linspace(-3.3, 7.7, 23),
    "whole and real": torch.tensor([0.0, 1.0, 1.5, 2.0]),
    "repeated": torch.tensor([2.0, -1.0, 2.0, 2.0, 0.0, 2.0]),
    "integers": torch.tensor([0, 3, -2]),
    "only zero": torch.zeros(3),
}
every_grid = pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)


def rotations(*blocks: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    space = SkewSymmetricHamiltonian(2)
    generator = torch.Generator().manual_seed(seed)
    H: Tensor = space(0.5 * torch.randn(*blocks, space.dim, dtype=torch.float64, generator=generator))
    return H.to(dtype)


def exact(H: Tensor, s0: Tensor, times: Tensor, reference_expm: Reference) -> Tensor:
    """(b, t, *k, n) from one exponential with 50 digits per block and time."""
    propagators = reference_expm(times.double()[..., *([None] * H.ndim)] * H.double())
    lead = "t" if times.ndim == 1 else "bt"
    return torch.einsum(f"{lead}...ij,b...j->bt...i", propagators, s0.double())


@every_grid
def test_the_flow_is_the_exponential_at_every_time(times: Tensor, reference_expm: Reference) -> None:
    times = times[:: max(1, len(times) // 12)] if len(times) > 40 else times
    H, s0 = rotations(2), torch.randn(3, 2, 4, dtype=torch.float64)
    torch.testing.assert_close(flow(H, s0, times), exact(H, s0, times, reference_expm), rtol=0, atol=1e-12)


def test_a_state_200_frames_away_is_as_accurate_as_the_next_in_single_precision(reference_expm: Reference) -> None:
    H = rotations(2, dtype=torch.float32)
    s0, times = torch.randn(3, 2, 4), torch.arange(-200.0, 201.0)
    sample = [0, 13, 100, 199, 201, 255, 399, 400]
    error = (flow(H, s0, times)[:, sample] - exact(H, s0, times[sample], reference_expm)).norm(dim=-1)
    assert (error <= 6e-7 * s0.norm(dim=-1)[:, None]).all()
    error = (flow(H, s0, times, precise=True)[:, sample] - exact(H, s0, times[sample], reference_expm)).norm(dim=-1)
    assert (error <= 1.2e-7 * s0.norm(dim=-1)[:, None]).all()


# Norms ‖hH‖₁ on both sides of every bound that decides how a step is made, up to the edge of what is made in float32.
NORMS = torch.tensor([0.1, 0.5, 1.0, 1.19, 1.2, 1.46, 1.75, 2.3, 2.4, 3.0, 3.5, 4.1, 4.5, 4.78, 4.79, 5.0, 6.0, 8.0])


def oscillators(n: int) -> Tensor:
    """Uncoupled, so that the norm is a frequency, and the powers of the matrix are as large as they can be."""
    return form(n // 2, dtype=torch.float64) * torch.linspace(0.5, 1, n // 2).repeat(2)


def saddles(n: int) -> Tensor:
    return oscillators(n).abs()


def shears(n: int) -> Tensor:
    return torch.randn(n, n, dtype=torch.float64).triu(1)


def decay(n: int) -> Tensor:
    return -torch.eye(n, dtype=torch.float64)


def drawn(space: type[Space]) -> Callable[[int], Tensor]:
    return lambda n: space(n // 2)(torch.randn(space(n // 2).dim, dtype=torch.float64))


skew_symmetric = drawn(SkewSymmetricHamiltonian)


@pytest.mark.parametrize("h", [1.0, 0.7, -1.3])
@pytest.mark.parametrize("steps", [2, 15, 16])
@pytest.mark.parametrize(
    ("matrix", "sizes", "roundings"),
    [
        (drawn(EllipticHamiltonian), (10, 16, 64), 2),
        (skew_symmetric, (10, 16, 64), 2),
        (drawn(Hamiltonian), (10, 16, 64), 2),
        (oscillators, (10, 16, 64), 2),
        (saddles, (10, 16, 64), 2),
        (shears, (9, 16, 33), 2),
        (decay, (9, 16, 33), 4),  # exp(hH) is small, and its roundings are those of larger numbers
    ],
    ids=["elliptic", "skew-symmetric", "Hamiltonian", "oscillators", "saddles", "shears", "decay"],
)
def test_a_step_in_single_precision_adds_a_product_and_some_roundings_of_the_generator(
    matrix: Callable[[int], Tensor], sizes: tuple[int, ...], roundings: int, steps: int, h: float
) -> None:
    """After N steps ‖error‖ ≤ N (√n + c ‖hH‖₁) u ‖exp(NhH)‖ ‖s₀‖: √n for the product that moves the state."""
    norms = NORMS if matrix is oscillators else NORMS[NORMS <= 5]  # what grows or decays, within the range of float32
    times = h * torch.arange(steps + 1, dtype=torch.float64)
    for n in sizes:
        shape = matrix(n)
        H = (norms[:, None, None] / abs(h) * shape / torch.linalg.matrix_norm(shape, 1)).float()
        s0, exact = torch.randn(8, len(norms), n), torch.linalg.matrix_exp(times[:, None, None, None] * H.double())
        structure: Structure | None = "skew-symmetric" if matrix is skew_symmetric else None
        error = flow(H, s0, times, structure=structure) - torch.einsum("tkij,bkj->btki", exact, s0.double())
        largest = torch.linalg.matrix_norm(exact, 2) * s0.double().norm(dim=-1)[:, None]
        allowed = torch.arange(steps + 1)[:, None] * (n**0.5 + roundings * norms) * 2.0**-24
        assert (error.norm(dim=-1) <= allowed * largest).all()


def test_the_digits_of_a_block_do_not_depend_on_its_neighbours() -> None:
    """Though large norms take more precision than small ones."""
    H, s0 = NORMS[:, None, None] * oscillators(10).float(), torch.randn(3, len(NORMS), 10)
    alone = [flow(H[i : i + 1], s0[:, i : i + 1], torch.arange(9)) for i in range(len(NORMS))]
    assert torch.equal(flow(H, s0, torch.arange(9)), torch.cat(alone, dim=2))


@every_grid
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_at_time_zero_the_state_is_the_same_to_the_last_bit(times: Tensor, dtype: torch.dtype) -> None:
    s0 = torch.randn(5, 3, 4, dtype=dtype)
    at_zero = flow(rotations(3, dtype=dtype), s0, times)[:, times == 0]
    assert torch.equal(at_zero, s0[:, None].expand_as(at_zero))


@every_grid
def test_a_block_at_rest_stays_exactly_at_rest(times: Tensor) -> None:
    s0 = torch.randn(5, 3, 4)
    s0[:, 1] = 0
    found = flow(Hamiltonian(2)(0.1 * torch.randn(3, 10)), s0, times.clamp(-50, 50))
    assert not found[:, :, 1].any()


def test_positive_momentum_moves_position_forward() -> None:
    q, p = flow(form(1), torch.tensor([0.0, 1.0]), torch.tensor([0.1]))[0]
    assert q > 0 and 0 < p < 1


def test_a_free_particle_moves_in_a_straight_line() -> None:
    free = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    assert flow(free, torch.tensor([1.0, 0.5]), torch.tensor([0.0, 2.0, -4.0])).tolist() == [
        [1.0, 0.5],
        [2.0, 0.5],
        [-1.0, 0.5],
    ]


@given(generators(norms=(1e-3, 1.0)), seeds)
def test_the_area_between_two_orbits_is_conserved(H: Tensor, seed: int) -> None:
    """The symplectic form of two states, s₁ᵀ J s₂."""
    J = form(H.shape[-1] // 2, dtype=H.dtype)
    a0, b0 = states_like(H, seed), states_like(H, seed + 1)
    a, b = (flow(H, s0, torch.linspace(-2, 2, 9)) for s0 in (a0, b0))
    area = (a * (b @ J.mT)).sum(-1)
    assert ((area - a0 @ J @ b0).abs() <= 1e-13 * a.norm(dim=-1) * b.norm(dim=-1)).all()


@given(generators(SkewSymmetricHamiltonian), seeds)
def test_a_skew_symmetric_generator_keeps_the_length_of_the_state(H: Tensor, seed: int) -> None:
    s0 = states_like(H, seed)
    lengths = flow(H, s0, torch.arange(-20, 21)).norm(dim=-1)
    torch.testing.assert_close(lengths, s0.norm().expand_as(lengths), rtol=1e-12, atol=0)


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 5e-6), (torch.float64, 5e-13)])
@pytest.mark.parametrize("space", [EllipticHamiltonian, SkewSymmetricHamiltonian])
def test_orbits_of_bounded_classes_stay_bounded_for_200_frames(
    space: type[Space], dtype: torch.dtype, allowed: float
) -> None:
    parameterisation = space(4)
    params = torch.randn(9, parameterisation.dim, generator=torch.Generator().manual_seed(0))
    H = parameterisation(0.5 * params).to(dtype)
    s0 = torch.randn(16, 9, 8, generator=torch.Generator().manual_seed(1)).to(dtype)
    s = flow(H, s0, torch.arange(201))
    kept = energy(H.double(), s.double()) if space is EllipticHamiltonian else s.double().square().sum(-1)
    drift = (kept / kept[:, :1] - 1).abs().amax((0, 2))
    assert drift.max() <= allowed
    if space is EllipticHamiltonian:  # ε‖s‖² ≤ 2 energy
        assert (parameterisation.epsilon * s.square().sum(-1) <= 2.001 * kept[:, :1]).all()


def test_a_shared_grid_is_the_same_grid_for_every_state() -> None:
    H, s0, times = rotations(3), torch.randn(5, 3, 4, dtype=torch.float64), torch.tensor([0.0, 1.5, -2.0])
    torch.testing.assert_close(flow(H, s0, times), flow(H, s0, times.expand(5, 3)), rtol=0, atol=1e-14)


def test_every_state_may_have_its_own_times(reference_expm: Reference) -> None:
    H, s0 = rotations(3), torch.randn(2, 3, 4, dtype=torch.float64)
    times = torch.tensor([[0.0, 1.0, 40.0], [0.5, -3.0, 7.0]])
    torch.testing.assert_close(flow(H, s0, times), exact(H, s0, times, reference_expm), rtol=0, atol=1e-13)


def test_one_crowded_time_among_many_lonely_ones_changes_nothing() -> None:
    H, s0 = rotations(3), torch.randn(64, 3, 4, dtype=torch.float64)
    times = torch.zeros(64, 4, dtype=torch.float64)
    times[0] = torch.tensor([0.1, 0.2, 0.3, 0.4])
    times[1] = torch.tensor([1.1, 1.2, 1.3, 1.4])
    found = flow(H, s0, times)
    assert torch.equal(found[2:], s0[2:, None].expand_as(found[2:]))
    torch.testing.assert_close(found[0], flow(H, s0[0], times[0]), rtol=0, atol=1e-14)


SHAPES = [
    # H, s0, times, result
    ((4, 4), (4,), (3,), (3, 4)),
    ((4, 4), (5, 4), (3,), (5, 3, 4)),
    ((4, 4), (5, 4), (5, 3), (5, 3, 4)),
    ((4, 4), (4,), (5, 3), (5, 3, 4)),
    ((9, 4, 4), (9, 4), (3,), (3, 9, 4)),
    ((9, 4, 4), (5, 9, 4), (5, 3), (5, 3, 9, 4)),
    ((2, 9, 4, 4), (5, 2, 9, 4), (3,), (5, 3, 2, 9, 4)),
    ((9, 4, 4), (5, 9, 4), (0,), (5, 0, 9, 4)),
    ((9, 4, 4), (0, 9, 4), (0, 3), (0, 3, 9, 4)),
    ((9, 4, 4), (0, 9, 4), (3,), (0, 3, 9, 4)),
]


@pytest.mark.parametrize(("H", "s0", "times", "result"), SHAPES)
def test_shapes(H: tuple[int, ...], s0: tuple[int, ...], times: tuple[int, ...], result: tuple[int, ...]) -> None:
    assert flow(torch.zeros(H), torch.ones(s0), torch.ones(times)).shape == result


@pytest.mark.parametrize(
    ("H", "s0", "times", "sentence"),
    [
        ((4, 5), (4,), (3,), r"`H` must be square generators \(\*k, n, n\); got \(4, 5\)"),
        ((9, 4, 4), (5, 8, 4), (3,), r"`s0` must be one state \(9, 4\) or a batch \(b, 9, 4\).*got \(5, 8, 4\)"),
        ((9, 4, 4), (4,), (3,), r"`s0` must be one state \(9, 4\).*got \(4,\)"),
        ((4, 4), (5, 4), (6, 3), r"`times` must be \(t,\) or \(b, t\).*got \(6, 3\)"),
        ((4, 4), (5, 4), (), r"`times` must be \(t,\) or \(b, t\).*got \(\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    H: tuple[int, ...], s0: tuple[int, ...], times: tuple[int, ...], sentence: str
) -> None:
    with pytest.raises(StructureError, match=sentence):
        flow(torch.zeros(H), torch.ones(s0), torch.ones(times))


def test_two_dtypes_are_refused() -> None:
    with pytest.raises(TypeError, match=r"got torch\.float64 and torch\.float32\. Convert one of them"):
        flow(torch.zeros(4, 4, dtype=torch.float64), torch.ones(4), torch.ones(3))


def test_complex_times_are_refused() -> None:
    with pytest.raises(TypeError, match=r"`times` must be real; got torch\.complex64"):
        flow(torch.zeros(4, 4), torch.ones(4), torch.ones(3, dtype=torch.complex64))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(("name", "index"), [("H", (1, 0, 2)), ("s0", (2, 1, 3)), ("times", (1,))])
def test_what_is_not_finite_is_named(name: str, index: tuple[int, ...], value: float) -> None:
    inputs = {"H": torch.zeros(2, 4, 4), "s0": torch.ones(3, 2, 4), "times": torch.arange(3.0)}
    inputs[name][index] = value
    with pytest.raises(NonFiniteError, match=rf"`{name}\[{', '.join(map(str, index))}\]` is NaN or infinite"):
        flow(**inputs)


@pytest.mark.parametrize("needs_derivative", [False, True])
@pytest.mark.parametrize("n", [4, 10])
@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("times", [[0.0], [0.0, 0.0], [[0.0], [0.0]], [-1.0, 0.0], [0.0, 1.0, 3.0]])
def test_a_generator_that_is_not_finite_is_refused_at_every_time(
    times: list[float] | list[list[float]], value: float, n: int, needs_derivative: bool
) -> None:
    """Also at time zero, where every flow is the identity."""
    H = torch.zeros(2, n, n)
    H[1, 0, 2] = value
    s0 = torch.ones(2, 2, n, requires_grad=needs_derivative)
    with pytest.raises(NonFiniteError, match=r"`H\[1, 0, 2\]` is NaN or infinite"):
        flow(H, s0, torch.tensor(times))


@pytest.mark.parametrize("times", [[200.0], [200.5], [2000.0]])
def test_an_orbit_that_outgrows_the_dtype_is_refused_with_a_way_out(times: list[float]) -> None:
    saddle = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(NonFiniteError, match=r"the flow left the range of float32.*elliptic or skew-symmetric"):
        flow(saddle, torch.tensor([1.0, 1.0]), torch.tensor(times))


@every_grid
def test_gradients_reach_generators_and_states(times: Tensor) -> None:
    times = times[::40] if len(times) > 40 else times.clamp(-300, 300)
    H, s0 = (0.1 * rotations(2)).requires_grad_(), torch.randn(2, 2, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda H, s0: flow(H, s0, times), (H, s0), fast_mode=True)


def test_gradients_of_gradients_reach_generators_and_states() -> None:
    H, s0 = rotations(2).requires_grad_(), torch.randn(2, 2, 4, dtype=torch.float64, requires_grad=True)
    for times in (torch.tensor([0.0, 1.0, -2.0]), torch.tensor([[0.0, 0.7], [1.0, 30.0]])):
        assert gradgradcheck(lambda H, s0, t=times: flow(H, s0, t), (H, s0), check_fwd_over_rev=True, fast_mode=True)


def test_the_derivative_with_respect_to_time_is_h_times_the_state() -> None:
    H, s0 = rotations(2), torch.randn(3, 2, 4, dtype=torch.float64)
    times = torch.tensor([0.0, 1.0, -2.5], dtype=torch.float64)
    _, velocity = torch.func.jvp(lambda t: flow(H, s0, t), (times,), (torch.ones_like(times),))
    expected = torch.einsum("kij,btkj->btki", H, flow(H, s0, times))
    torch.testing.assert_close(velocity, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_gradients_reach_times_to_second_order(shape: tuple[int, ...]) -> None:
    H, s0 = rotations(2), torch.randn(2, 2, 4, dtype=torch.float64)
    times = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert gradcheck(lambda t: flow(H, s0, t), (times,), check_forward_ad=True, fast_mode=True)
    assert gradgradcheck(lambda t: flow(H, s0, t), (times,), fast_mode=True)


def test_times_that_need_gradients_give_the_same_states() -> None:
    H, s0, times = rotations(2), torch.randn(3, 2, 4, dtype=torch.float64), torch.tensor([0.0, 1.0, -2.5])
    torch.testing.assert_close(flow(H, s0, times.requires_grad_()), flow(H, s0, times.detach()), rtol=0, atol=1e-14)


def test_a_gradient_through_200_frames_keeps_its_digits_in_single_precision() -> None:
    s0, times = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0)), torch.arange(0.0, 201.0, 8.0)

    def gradient(dtype: torch.dtype) -> Tensor:
        H = rotations(2, dtype=torch.float32).to(dtype).requires_grad_()
        (found,) = torch.autograd.grad(flow(H, s0.to(dtype), times).square().cumsum(1)[..., 0].sum(), H)
        return found.double()

    precise = gradient(torch.float64)
    error = torch.linalg.matrix_norm(gradient(torch.float32) - precise) / torch.linalg.matrix_norm(precise)
    assert error.max() <= 2e-6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_states_are_rounded_once(dtype: torch.dtype) -> None:
    H, s0 = rotations(2).to(dtype), torch.randn(3, 2, 4).to(dtype)
    assert torch.equal(flow(H, s0, torch.arange(100)), flow(H.float(), s0.float(), torch.arange(100)).to(dtype))


def test_complex_generators_and_states_flow_too() -> None:
    H = torch.tensor([[1j]], dtype=torch.complex64)  # i times the number: once round the unit circle in 2π
    found = flow(H, torch.ones(1, dtype=torch.complex64), torch.tensor([0.0, math.pi / 2]))
    torch.testing.assert_close(found, torch.tensor([[1.0 + 0j], [1j]], dtype=torch.complex64))


def test_autocasting_does_not_round_the_states() -> None:
    H, s0 = rotations(2, dtype=torch.float32), torch.randn(3, 2, 4)
    plain = flow(H, s0, torch.arange(8))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(flow(H, s0, torch.arange(8)), plain)


def test_a_learnable_flow_finds_a_rotation() -> None:
    """A quarter turn per unit of time, from eight frames of it."""
    torch.manual_seed(0)
    target = flow(math.pi / 2 * form(1), torch.tensor([1.0, 0.0]), torch.arange(8))
    learner = Flow(SkewSymmetricHamiltonian(1))
    learner.generator = 1.3 * form(1)
    optimiser = torch.optim.Adam(learner.parameters(), lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(learner(torch.tensor([1.0, 0.0]), torch.arange(8)), target)
        loss.backward()
        optimiser.step()
    torch.testing.assert_close(learner.generator.detach(), math.pi / 2 * form(1), rtol=0, atol=0.02)


@pytest.mark.parametrize("space", [Hamiltonian, EllipticHamiltonian, SkewSymmetricHamiltonian])
def test_a_learnable_flow_starts_with_a_member_of_its_space(space: type[Space]) -> None:
    learner = Flow(space(3), 9)
    assert learner.generator.shape == (9, 6, 6)
    assert is_hamiltonian(learner.generator).all()
    assert [parameter.shape for parameter in learner.parameters()] == [(9, space(3).dim)]


def test_a_learnable_flow_is_saved_and_loaded() -> None:
    one, other = Flow(Hamiltonian(2), 3), Flow(Hamiltonian(2), 3)
    other.load_state_dict(one.state_dict())
    s0, times = torch.randn(5, 3, 4), torch.tensor([0.0, 2.0])
    assert torch.equal(one(s0, times), other(s0, times))


def test_states_of_many_megabytes_are_those_of_a_few_and_can_be_kept_like_any(tmp_path: Path) -> None:
    H, s0 = SkewSymmetricHamiltonian(4).random(2), torch.randn(64, 2, 8)
    many = flow(H, s0, torch.arange(1100.0))  # 4.5 million bytes
    assert many[:, :40].equal(flow(H, s0, torch.arange(40.0)))
    torch.save(many, tmp_path / "states.pt")
    assert torch.load(tmp_path / "states.pt").equal(many)


def test_a_large_batch_moves_as_its_parts_do() -> None:
    H = EllipticHamiltonian(4)(torch.randn(3, 36, dtype=torch.float64) / 8)
    states, times = torch.randn(64, 3, 8, dtype=torch.float64), torch.arange(40.0)
    whole = flow(H, states, times)
    parts = [flow(H, part, times) for part in states.split(4)]
    torch.testing.assert_close(whole, torch.cat(parts), rtol=0, atol=1e-10)
