"""What can be wrong with a matrix: its structure, or its numbers."""

from torch import Tensor

from ._torch import readable


class StructureError(ValueError):
    """A matrix has the wrong shape, or does not belong to the space it was offered to."""


class NonFiniteError(ArithmeticError):
    """A matrix holds NaN or infinity, or its exponential overflows its dtype."""


def check_finite(x: Tensor, name: str) -> None:
    """Refuse NaN and infinity in matrices x (..., n, n), unless x stands for other numbers.

    Raises:
        NonFiniteError: naming the first such matrix.
    """
    if not readable(x):
        return
    bad = ~x.isfinite().all(-1).all(-1)
    if bool(bad.any()):
        raise NonFiniteError(
            f"`{name}{first_of(bad)}` contains NaN or infinity. Look for a division by zero or a diverged step before "
            "this call."
        )


def first_of(bad: Tensor) -> str:
    """Where the first true entry of a batch stands, as in "[1, 2]"; nothing to say where there is no batch."""
    return f"[{', '.join(map(str, bad.nonzero()[0].tolist()))}]" if bad.ndim else ""
