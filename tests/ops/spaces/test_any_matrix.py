"""The space without structure."""

import pytest
import torch

from symplectic_ops import AnyMatrix, Flow, StructureError


def test_its_parameters_are_the_entries_and_its_projection_is_nothing() -> None:
    space, A = AnyMatrix(3), torch.randn(2, 6, 6)
    assert space.dim == 36 and space.structure is None
    assert torch.equal(space(space.right_inverse(A)), A) and torch.equal(space.project(A), A)


def test_random_matrices_have_the_scale_asked_for() -> None:
    A = AnyMatrix(4).random(2000, scale=0.5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert float(A.square().sum((-2, -1)).mean()) == pytest.approx(8 * 0.25, rel=0.02)


def test_a_flow_learns_one() -> None:
    motion = Flow(AnyMatrix(2), 3)
    motion(torch.randn(5, 3, 4), torch.arange(4)).sum().backward()
    assert [parameter.shape for parameter in motion.parameters()] == [(3, 16)]
    motion.generator = torch.zeros(3, 4, 4)
    assert torch.equal(motion.generator, torch.zeros(3, 4, 4))


def test_other_sizes_are_refused() -> None:
    with pytest.raises(StructureError, match=r"AnyMatrix\(2\) takes parameters \(\.\.\., 16\); got \(3, 4\)"):
        AnyMatrix(2)(torch.zeros(3, 4))
    with pytest.raises(StructureError, match=r"AnyMatrix\(2\) holds matrices"):
        AnyMatrix(2).right_inverse(torch.zeros(6, 6))
