"""What computes exponentials and recurrences, and the one place that chooses.

A backend implements `protocol.Backend`, in a file or a folder of its own, and has one line in the table below. What all
share stands beside them: the polynomials (`taylor`), their bounds (`thresholds`), scaling and squaring (`schedule`).
"""

from torch import Tensor

from .cpu import Cpu
from .eager import Eager
from .gpu import Gpu
from .protocol import Backend

# In the order in which they are asked; the last one can always.
TABLE: tuple[Backend, ...] = (
    Cpu(),
    Gpu(),
    Eager(),
)
*_, TORCH = TABLE
NAMES = ("auto", *(backend.name for backend in TABLE))


def choose(wanted: str, A: Tensor, E: Tensor | None = None, states: Tensor | None = None) -> Backend:
    """The first backend that can take a problem; see `Backend.why_not` for what one is.

    With a name for `wanted`, instead of "auto", only that one is asked, and plain torch takes what it cannot.
    """
    for backend in TABLE:
        if (wanted == "auto" or wanted == backend.name) and not backend.why_not(A, E, states):
            return backend
    return TORCH


def refusal(wanted: str, A: Tensor) -> ValueError:
    """What to raise where the one wanted cannot take A (B, n, n)."""
    (backend,) = (backend for backend in TABLE if backend.name == wanted)
    return ValueError(
        f'backend {wanted!r} cannot exponentiate `A`: {", and ".join(backend.why_not(A))}. Pass backend="auto" '
        "for one that can."
    )
