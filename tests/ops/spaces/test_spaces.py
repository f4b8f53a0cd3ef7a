"""The four spaces: what their matrices are, how many numbers describe one, and the way back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from symplectic_ops import (
    EllipticHamiltonian,
    Hamiltonian,
    NonFiniteError,
    SkewHamiltonian,
    SkewSymmetricHamiltonian,
    StructureError,
    apply_form,
    elliptic_hamiltonian_matrix,
    expm,
    form,
    hamiltonian_matrix,
    skew_hamiltonian_matrix,
    skew_symmetric_hamiltonian_matrix,
)
from symplectic_ops.spaces import Space
from symplectic_ops.testing import (
    assert_elliptic_hamiltonian,
    assert_hamiltonian,
    assert_skew_hamiltonian,
    assert_skew_symmetric_hamiltonian,
)

ALL = [Hamiltonian, EllipticHamiltonian, SkewSymmetricHamiltonian, SkewHamiltonian]
LINEAR = [Hamiltonian, SkewSymmetricHamiltonian, SkewHamiltonian]
every_space = pytest.mark.parametrize("space", ALL)
every_linear_space = pytest.mark.parametrize("space", LINEAR)
FUNCTIONS = dict(
    zip(
        ALL,
        (
            hamiltonian_matrix,
            elliptic_hamiltonian_matrix,
            skew_symmetric_hamiltonian_matrix,
            skew_hamiltonian_matrix,
        ),
        strict=True,
    )
)
sizes = pytest.mark.parametrize("d", [1, 2, 5])


def coordinates(space: Space, *batch: int, seed: int = 0) -> Tensor:
    return torch.randn(*batch, space.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def anything(d: int, *batch: int, seed: int = 0) -> Tensor:
    return torch.randn(*batch, 2 * d, 2 * d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@sizes
def test_a_hamiltonian_matrix_has_2dd_plus_d_numbers(d: int) -> None:
    assert Hamiltonian(d).dim == EllipticHamiltonian(d).dim == 2 * d * d + d


@sizes
def test_a_skew_symmetric_hamiltonian_matrix_has_dd_numbers(d: int) -> None:
    assert SkewSymmetricHamiltonian(d).dim == d * d


@sizes
def test_a_skew_hamiltonian_matrix_has_2dd_minus_d_numbers(d: int) -> None:
    assert SkewHamiltonian(d).dim == 2 * d * d - d


@sizes
@every_linear_space
def test_the_matrices_of_a_linear_space_span_exactly_dim_dimensions(space: type[Space], d: int) -> None:
    parameterisation = space(d)
    basis = parameterisation(torch.eye(parameterisation.dim, dtype=torch.float64))
    assert torch.linalg.matrix_rank(basis.flatten(1)) == parameterisation.dim


@sizes
def test_a_hamiltonian_matrix_is_j_times_a_symmetric_one(d: int) -> None:
    M = -apply_form(Hamiltonian(d)(coordinates(Hamiltonian(d), 3)))
    assert torch.equal(M, M.mT)


def test_the_coordinates_of_a_hamiltonian_matrix_are_the_upper_triangle_of_m() -> None:
    params = torch.arange(1.0, 11.0)
    M = -apply_form(Hamiltonian(2)(params))
    row, column = torch.triu_indices(4, 4)
    assert torch.equal(M[row, column], params)


@sizes
def test_an_elliptic_hamiltonian_matrix_has_curvature_of_at_least_epsilon(d: int) -> None:
    space = EllipticHamiltonian(d, epsilon=0.25)
    H = space(coordinates(space, 20))
    assert_hamiltonian(H)
    assert_elliptic_hamiltonian(H, epsilon=0.25)
    assert torch.linalg.eigvalsh(-apply_form(H)).min() >= 0.25


@sizes
def test_a_skew_symmetric_hamiltonian_matrix_is_both(d: int) -> None:
    H = SkewSymmetricHamiltonian(d)(coordinates(SkewSymmetricHamiltonian(d), 3))
    assert torch.equal(H, -H.mT)
    assert_hamiltonian(H, tolerance=0)
    assert_skew_symmetric_hamiltonian(H, tolerance=0)


@sizes
def test_a_skew_hamiltonian_matrix_is_one(d: int) -> None:
    assert_skew_hamiltonian(SkewHamiltonian(d)(coordinates(SkewHamiltonian(d), 3)), tolerance=0)


def test_the_square_of_a_hamiltonian_matrix_is_skew_hamiltonian() -> None:
    H = Hamiltonian(3)(coordinates(Hamiltonian(3), 5))
    assert_skew_hamiltonian(H @ H)


@every_linear_space
@given(d=st.integers(1, 4), seed=st.integers(0, 1000))
def test_coordinates_survive_the_round_trip_to_the_last_bit(space: type[Space], d: int, seed: int) -> None:
    parameterisation = space(d)
    params = coordinates(parameterisation, 2, seed=seed)
    assert torch.equal(parameterisation.right_inverse(parameterisation(params)), params)


@given(d=st.integers(1, 4), seed=st.integers(0, 1000))
def test_coordinates_of_an_elliptic_matrix_survive_the_round_trip(d: int, seed: int) -> None:
    space = EllipticHamiltonian(d)
    params = coordinates(space, seed=seed)
    torch.testing.assert_close(space.right_inverse(space(params)), params, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@every_space
@given(d=st.integers(1, 4), seed=st.integers(0, 1000))
def test_projected_matrices_survive_the_round_trip(space: type[Space], dtype: torch.dtype, d: int, seed: int) -> None:
    """An elliptic one lies on the boundary of its space, where its parameters are at their least exact."""
    parameterisation = space(d)
    H = parameterisation.project(anything(d, seed=seed).to(dtype))
    rounding = 100 * torch.finfo(dtype).eps
    torch.testing.assert_close(parameterisation(parameterisation.right_inverse(H)), H, rtol=0, atol=rounding)


@every_space
@sizes
def test_projecting_twice_is_projecting_once(space: type[Space], d: int) -> None:
    parameterisation = space(d)
    once = parameterisation.project(anything(d, 3))
    torch.testing.assert_close(parameterisation.project(once), once, rtol=0, atol=1e-14)


@every_space
@given(d=st.integers(1, 3), seed=st.integers(0, 1000))
def test_no_member_is_nearer_than_the_projection(space: type[Space], d: int, seed: int) -> None:
    """The members of each space form a convex set P; then ⟨A − PA, X − PA⟩ ≤ 0 for every member X."""
    parameterisation = space(d)
    A = anything(d, seed=seed)
    nearest = parameterisation.project(A)
    members = parameterisation(coordinates(parameterisation, 20, seed=seed + 1))
    assert ((A - nearest) * (members - nearest)).sum((-2, -1)).max() <= 1e-12


@every_space
def test_every_shape_of_batch_is_carried_along(space: type[Space]) -> None:
    parameterisation = space(2)
    params = coordinates(parameterisation, 3, 4)
    H = parameterisation(params)
    assert H.shape == (3, 4, 4, 4)
    assert parameterisation.right_inverse(H).shape == params.shape
    torch.testing.assert_close(H[1, 2], parameterisation(params[1, 2]))


@every_space
def test_gradients_reach_every_coordinate(space: type[Space]) -> None:
    parameterisation = space(2)
    params = coordinates(parameterisation, 2).requires_grad_()
    assert torch.autograd.gradcheck(parameterisation, (params,))
    (gradient,) = torch.autograd.grad(parameterisation(params).square().sum(), params)
    assert (gradient != 0).all()


def test_an_elliptic_matrix_stays_elliptic_under_autocasting() -> None:
    space = EllipticHamiltonian(3)
    with torch.autocast("cpu", torch.bfloat16):
        made = space(torch.randn(20, space.dim)), space.project(torch.randn(20, 6, 6)), space.random(20)
    for H in made:
        assert H.dtype == torch.float32
        assert_elliptic_hamiltonian(H)


def test_an_elliptic_matrix_has_no_point_where_learning_stops() -> None:
    space = EllipticHamiltonian(3)
    for start in (torch.zeros(space.dim), space.right_inverse(space.project(-form(3)))):
        params = start.requires_grad_()
        (gradient,) = torch.autograd.grad((space(params) * form(3)).sum(), params)
        assert (gradient[space.row == space.column] != 0).all()


@every_space
def test_a_space_has_no_weights_of_its_own_and_keeps_every_dtype(space: type[Space]) -> None:
    parameterisation = space(2)
    assert not parameterisation.state_dict()
    assert parameterisation.double()(torch.zeros(parameterisation.dim)).dtype == torch.float32


@every_space
def test_a_wrong_number_of_coordinates_is_refused_with_the_right_one(space: type[Space]) -> None:
    parameterisation = space(2)
    with pytest.raises(StructureError, match=rf"takes parameters \(\.\.\., {parameterisation.dim}\); got \(3, 99\)\."):
        parameterisation(torch.zeros(3, 99))


@every_space
def test_a_matrix_of_another_size_is_refused_with_the_right_space(space: type[Space]) -> None:
    with pytest.raises(StructureError, match=rf"got \(4, 4\)\. Build {space.__name__}\(2\)"):
        space(3).right_inverse(torch.zeros(4, 4))


@every_space
def test_a_matrix_outside_the_space_is_refused_with_the_projection(space: type[Space]) -> None:
    with pytest.raises(StructureError, match=r"`H` must be .*Assign `project\(H\)`"):
        space(2).right_inverse(anything(2))


@every_space
def test_a_matrix_with_nan_is_refused(space: type[Space]) -> None:
    with pytest.raises(NonFiniteError, match="`H` contains NaN or infinity"):
        space(2).right_inverse(torch.full((4, 4), torch.nan))


def test_no_elliptic_matrix_is_nearest_to_nan() -> None:
    with pytest.raises(NonFiniteError, match=r"`A\[1\]` contains NaN or infinity"):
        EllipticHamiltonian(2).project(torch.stack([form(2), torch.full((4, 4), torch.nan)]))


def test_whole_numbers_have_no_nearest_elliptic_matrix() -> None:
    with pytest.raises(TypeError, match=r"`A` must be real floating point; got torch\.int64"):
        EllipticHamiltonian(1).project(torch.eye(2, dtype=torch.int64))


def test_elliptic_curvature_must_be_positive() -> None:
    with pytest.raises(StructureError, match=r"`epsilon` must be positive.*got 0\.0\. Use `Hamiltonian`"):
        EllipticHamiltonian(2, epsilon=0.0)


@every_space
@sizes
def test_the_plain_function_is_the_module_of_the_size_that_fits(space: type[Space], d: int) -> None:
    params = coordinates(space(d), 3, 4)
    assert torch.equal(FUNCTIONS[space](params), space(d)(params))


def test_the_plain_function_of_elliptic_matrices_takes_their_epsilon() -> None:
    params = coordinates(EllipticHamiltonian(2))
    assert torch.equal(elliptic_hamiltonian_matrix(params, epsilon=0.5), EllipticHamiltonian(2, epsilon=0.5)(params))


@every_space
def test_the_plain_function_is_transformed_as_any_other(space: type[Space]) -> None:
    params = coordinates(space(2), 3)
    torch.testing.assert_close(torch.func.vmap(FUNCTIONS[space])(params), space(2)(params))
    assert torch.func.jacrev(FUNCTIONS[space])(params[0]).shape == (4, 4, space(2).dim)


@pytest.mark.parametrize(
    ("space", "nearest"),
    [
        (Hamiltonian, r"3 \(d = 1\) or 10 \(d = 2\)"),
        (EllipticHamiltonian, r"3 \(d = 1\) or 10 \(d = 2\)"),
        (SkewSymmetricHamiltonian, r"4 \(d = 2\) or 9 \(d = 3\)"),
        (SkewHamiltonian, r"1 \(d = 1\) or 6 \(d = 2\)"),
    ],
)
def test_a_number_of_parameters_that_no_size_has_is_refused_with_the_nearest(space: type[Space], nearest: str) -> None:
    with pytest.raises(StructureError, match=rf"one {space.__name__}, such as {nearest}; got \(7, 5\)\."):
        FUNCTIONS[space](torch.zeros(7, 5))


@every_space
def test_no_parameters_at_all_are_refused(space: type[Space]) -> None:
    for params in (torch.tensor(1.0), torch.zeros(3, 0)):
        with pytest.raises(StructureError, match=r"such as 1 |such as 3 "):
            FUNCTIONS[space](params)


@every_space
@pytest.mark.parametrize("d", [1, 4])
def test_random_matrices_have_the_scale_asked_for_and_lie_in_their_space(space: type[Space], d: int) -> None:
    """E‖H‖² = 2d scale², here as the mean of two thousand."""
    H = space(d).random(40, 50, scale=3.0, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert H.shape == (40, 50, 2 * d, 2 * d)
    assert (H.square().sum((-2, -1)).mean() / (2 * d * 9.0) - 1).abs() < 0.05
    torch.testing.assert_close(space(d).project(H), H, rtol=0, atol=1e-12)


@every_space
def test_random_matrices_prefer_no_direction_of_phase_space(space: type[Space]) -> None:
    """Their second moments are those of the same matrices in coordinates turned by an orthogonal symplectic matrix."""
    H = space(2).random(20_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    Q = expm(SkewSymmetricHamiltonian(2)(coordinates(SkewSymmetricHamiltonian(2))))
    turned = (Q @ H @ Q.mT).flatten(1)
    torch.testing.assert_close(turned.T @ turned / 20_000, H.flatten(1).T @ H.flatten(1) / 20_000, rtol=0, atol=0.05)


@every_space
def test_random_matrices_come_from_the_generator_in_the_dtype_asked_for(space: type[Space]) -> None:
    one, same, other = (
        space(2).random(dtype=torch.float32, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert one.dtype == torch.float32 and torch.equal(one, same) and not torch.equal(one, other)


@every_space
def test_a_scale_below_zero_is_refused(space: type[Space]) -> None:
    with pytest.raises(StructureError, match=r"`scale` must be a number ≥ 0; got -1\.0"):
        space(1).random(scale=-1.0)


def test_an_elliptic_matrix_cannot_be_smaller_than_its_epsilon() -> None:
    with pytest.raises(StructureError, match=r"`scale` must be at least the `epsilon` of the space, 0\.5"):
        EllipticHamiltonian(2, epsilon=0.5).random(scale=0.4)
    least = EllipticHamiltonian(2, epsilon=0.5).random(scale=0.5)
    torch.testing.assert_close(least, 0.5 * form(2))


@every_space
@pytest.mark.parametrize("d", [0, -1, 1.5])
def test_a_space_without_whole_pairs_is_refused(space: type[Space], d: int) -> None:
    with pytest.raises(StructureError, match=r"`d` must be a number of position-momentum pairs, a whole one from 1 on"):
        space(d)


@every_space
@pytest.mark.parametrize(("shape", "sentence"), [((3, 3), "Pad the state"), ((2, 4), "even square"), ((6, 6), "Build")])
def test_only_matrices_of_its_size_are_projected(space: type[Space], shape: tuple[int, int], sentence: str) -> None:
    with pytest.raises(StructureError, match=sentence):
        space(2).project(torch.zeros(shape))


@every_space
def test_double_precision_is_refused_on_a_device_without_it(space: type[Space]) -> None:
    with pytest.raises(TypeError, match=r"`mps` has no float64\. Ask for float32, or keep these matrices on the CPU"):
        space(2).random(dtype=torch.float64, device="mps")


def test_the_form_in_double_precision_is_refused_on_a_device_without_it() -> None:
    with pytest.raises(TypeError, match=r"`mps` has no float64"):
        form(2, dtype=torch.float64, device="mps")
