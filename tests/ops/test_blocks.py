"""Block-diagonal matrices as stacks of their blocks: the same algebra, without the zeros."""

import pytest
import torch
from torch import Tensor

from symplectic_ops import StructureError, blocks, expm


@pytest.fixture
def stack() -> Tensor:
    return torch.randn(5, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_a_stack_becomes_the_matrix_with_these_diagonal_blocks(stack: Tensor) -> None:
    dense = blocks.to_dense(stack)
    assert dense.shape == (5, 12, 12)
    assert torch.equal(dense[2], torch.block_diag(*stack[2]))


def test_there_and_back_again(stack: Tensor) -> None:
    assert torch.equal(blocks.from_dense(blocks.to_dense(stack), 3), stack)


def test_applying_blocks_is_applying_the_matrix(stack: Tensor) -> None:
    s = torch.randn(5, 3, 4, dtype=torch.float64)
    whole = (blocks.to_dense(stack) @ s.flatten(1).unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(blocks.apply(stack, s).flatten(1), whole)


def test_composing_blocks_is_multiplying_the_matrices_second_times_first(stack: Tensor) -> None:
    first = stack.flip(0)
    torch.testing.assert_close(
        blocks.to_dense(blocks.compose(stack, first)), blocks.to_dense(stack) @ blocks.to_dense(first)
    )


def test_exponentiating_blocks_is_exponentiating_the_matrix(stack: Tensor) -> None:
    torch.testing.assert_close(blocks.to_dense(expm(stack)), expm(blocks.to_dense(stack)), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("shape", "K"), [((12, 10), 2), ((12, 12), 5), ((12,), 1), ((12, 12), 0)])
def test_a_matrix_that_does_not_divide_is_refused(shape: tuple[int, ...], K: int) -> None:
    with pytest.raises(StructureError, match=rf"`A` must be \(\.\.\., Kn, Kn\) with K = {K} blocks; got "):
        blocks.from_dense(torch.zeros(shape), K)


def test_a_matrix_with_something_outside_its_blocks_is_refused() -> None:
    with pytest.raises(StructureError, match="must be zero outside its 2 diagonal blocks of size 2"):
        blocks.from_dense(torch.ones(4, 4), 2)
