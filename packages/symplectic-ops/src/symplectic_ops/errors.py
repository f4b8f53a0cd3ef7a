"""What can be wrong with a matrix: its structure, or its numbers."""


class StructureError(ValueError):
    """A matrix has the wrong shape, or does not belong to the space it was offered to."""


class NonFiniteError(ArithmeticError):
    """A matrix holds NaN or infinity, or its exponential overflows its dtype."""
