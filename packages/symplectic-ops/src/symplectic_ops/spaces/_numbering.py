"""Symmetric and skew-symmetric matrices of parameter numbers, from which templates are put together."""

import torch
from torch import Tensor


def symmetric(size: int, start: int = 1) -> Tensor:
    """Numbers start, start + 1, ... along the upper triangle, mirrored below: size (size + 1) / 2 of them."""
    upper = _upper(size, start, offset=0)
    return upper + upper.triu(1).mT


def skew(size: int, start: int = 1) -> Tensor:
    """Numbers along the strict upper triangle, mirrored with a minus sign: size (size − 1) / 2 of them."""
    upper = _upper(size, start, offset=1)
    return upper - upper.mT


def _upper(size: int, start: int, offset: int) -> Tensor:
    numbers = torch.zeros(size, size, dtype=torch.int64)
    rows, columns = torch.triu_indices(size, size, offset)
    numbers[rows, columns] = torch.arange(start, start + len(rows))
    return numbers
