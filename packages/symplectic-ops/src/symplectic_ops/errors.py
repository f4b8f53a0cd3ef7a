"""What can be wrong with a matrix: its structure, or its numbers."""

from torch import Tensor


class StructureError(ValueError):
    """A matrix has the wrong shape, or does not belong to the space it was offered to."""


class NonFiniteError(ArithmeticError):
    """A matrix holds NaN or infinity, or its exponential overflows its dtype."""


def first_of(bad: Tensor) -> str:
    """Where the first true entry of a batch stands, as in "[1, 2]"; nothing to say where there is no batch."""
    return f"[{', '.join(map(str, bad.nonzero()[0].tolist()))}]" if bad.ndim else ""
