"""One line that constrains the weight of an existing layer."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from symplectic_ops import (
    StructureError,
    elliptic_hamiltonian,
    form,
    hamiltonian,
    is_elliptic_hamiltonian,
    is_hamiltonian,
    is_skew_hamiltonian,
    is_skew_symmetric_hamiltonian,
    skew_hamiltonian,
    skew_symmetric_hamiltonian,
)

Door = Callable[..., nn.Linear]


DOORS = [
    (hamiltonian, is_hamiltonian),
    (elliptic_hamiltonian, is_elliptic_hamiltonian),
    (skew_symmetric_hamiltonian, is_skew_symmetric_hamiltonian),
    (skew_hamiltonian, is_skew_hamiltonian),
]
every_door = pytest.mark.parametrize(("door", "belongs"), DOORS, ids=[door.__name__ for door, _ in DOORS])


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(6, 6, bias=False)


@every_door
def test_a_door_constrains_a_layer_and_returns_it(
    door: Door, belongs: Callable[[Tensor], Tensor], layer: nn.Linear
) -> None:
    assert door(layer) is layer
    assert belongs(layer.weight)


@every_door
def test_a_constrained_weight_starts_at_its_nearest_point(
    door: Door, belongs: Callable[[Tensor], Tensor], layer: nn.Linear
) -> None:
    before = layer.weight.detach().clone()
    door(layer)
    nearest = layer.parametrizations.weight[0].project(before)
    torch.testing.assert_close(layer.weight.detach(), nearest, rtol=0, atol=1e-5)


@every_door
def test_a_constrained_weight_stays_in_its_space_for_a_thousand_steps(
    door: Door, belongs: Callable[[Tensor], Tensor], layer: nn.Linear
) -> None:
    door(layer)
    before, target = layer.weight.detach().clone(), torch.randn(6, 6)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.01)
    for _ in range(1000):
        optimiser.zero_grad()
        (layer.weight - target).square().sum().backward()
        optimiser.step()
    assert layer.weight.dtype == torch.float32 and torch.dist(layer.weight, before) > 1
    assert belongs(layer.weight)


@every_door
def test_half_precision_layers_can_be_constrained(
    door: Door, belongs: Callable[[Tensor], Tensor], layer: nn.Linear
) -> None:
    before = layer.bfloat16().weight.detach().clone()
    weight = door(layer).weight
    nearest = layer.parametrizations.weight[0].project(before)
    assert belongs(weight)
    assert torch.dist(weight.float(), nearest.float()) < 0.01 * nearest.float().norm()


def test_a_member_of_the_space_can_be_assigned(layer: nn.Linear) -> None:
    hamiltonian(layer)
    layer.weight = 0.5 * form(3)
    assert torch.equal(layer.weight, 0.5 * form(3))


def test_an_elliptic_member_can_be_assigned(layer: nn.Linear) -> None:
    elliptic_hamiltonian(layer, epsilon=0.1)
    layer.weight = 0.5 * form(3)
    torch.testing.assert_close(layer.weight, 0.5 * form(3))


def test_a_matrix_outside_the_space_cannot_be_assigned(layer: nn.Linear) -> None:
    hamiltonian(layer)
    with pytest.raises(StructureError, match=r"off by 1\.0e\+00 of its norm\. Assign `project\(H\)`"):
        layer.weight = torch.eye(6)


def test_any_parameter_can_be_constrained_blocks_and_all() -> None:
    module = nn.Module()
    module.generators = nn.Parameter(torch.randn(9, 4, 4))
    skew_symmetric_hamiltonian(module, "generators")
    assert module.generators.shape == (9, 4, 4)
    assert is_hamiltonian(module.generators).all()


def test_what_was_learned_is_saved_and_loaded(layer: nn.Linear) -> None:
    hamiltonian(layer)
    other = hamiltonian(nn.Linear(6, 6, bias=False))
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other.weight, layer.weight)


def test_a_second_door_is_refused_with_a_way_out(layer: nn.Linear) -> None:
    with pytest.raises(StructureError, match=r"`weight` is constrained already\. Free it first: .*remove_param"):
        elliptic_hamiltonian(hamiltonian(layer))


@every_door
def test_an_odd_weight_is_refused_by_name(door: Door, belongs: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(StructureError, match=r"`weight` must end in an even square .* got \(3, 3\)\. Pad the state"):
        door(nn.Linear(3, 3))
