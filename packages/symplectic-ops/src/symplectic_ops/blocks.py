"""Block-diagonal matrices kept as stacks (..., K, n, n) of their blocks."""

import torch
from torch import Tensor

from .errors import StructureError


def to_dense(blocks: Tensor) -> Tensor:
    """The matrix (..., Kn, Kn) whose diagonal blocks are `blocks` (..., K, n, n).

    >>> to_dense(torch.tensor([[[1.0]], [[2.0]]]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    K, n = blocks.shape[-3], blocks.shape[-1]
    places = torch.eye(K, dtype=blocks.dtype, device=blocks.device)
    return torch.einsum("...kij,kl->...kilj", blocks, places).reshape(*blocks.shape[:-3], K * n, K * n)


def from_dense(A: Tensor, K: int) -> Tensor:
    """The K diagonal blocks (..., K, n, n) of A (..., Kn, Kn).

    Raises:
        StructureError: A is not square, K does not divide its size, or something stands outside the blocks.
    """
    if A.ndim < 2 or A.shape[-1] != A.shape[-2] or K < 1 or A.shape[-1] % K:
        raise StructureError(f"`A` must be (..., Kn, Kn) with K = {K} blocks; got {tuple(A.shape)}.")
    n = A.shape[-1] // K
    blocks = A.reshape(*A.shape[:-2], K, n, K, n).diagonal(dim1=-4, dim2=-2).movedim(-1, -3)
    if not torch.equal(to_dense(blocks), A):
        raise StructureError(
            f"`A` must be zero outside its {K} diagonal blocks of size {n}. Choose another K, or keep A whole."
        )
    return blocks


def apply(blocks: Tensor, s: Tensor) -> Tensor:
    """Each block (..., K, n, n) times its part of the state s (..., K, n): (..., K, n).

    >>> apply(torch.tensor([[[2.0]], [[3.0]]]), torch.tensor([[1.0], [1.0]]))
    tensor([[2.],
            [3.]])
    """
    return (blocks @ s.unsqueeze(-1)).squeeze(-1)


def compose(second: Tensor, first: Tensor) -> Tensor:
    """The blocks (..., K, n, n) of doing `first` and then `second`.

    >>> double, triple = torch.tensor([[[2.0]]]), torch.tensor([[[3.0]]])
    >>> compose(double, triple)
    tensor([[[6.]]])
    """
    return second @ first
