"""What a backend offers, and what it is told."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor

from .schedule import Tape


class Options(NamedTuple):
    """How to exponentiate; see `expm` for the arguments of the same name.

    Args:
        gradient: a gradient may be asked for.
        keep: keep the intermediate matrices for it. Only plain torch does; kernels compute them again where they are
            needed, in the cache or in registers.
        norm_bound: None to measure.
        backend: "auto", or the name of the only one to use.
        check: called with A, exp(A) and the largest ‖A‖₁ if it was measured; raises what is to be refused.
        complex_form: take A for the nearest matrix [[P, Q], [−Q, P]]. Only for a backend with `complex_form`.
    """

    gradient: bool = False
    keep: bool = False
    norm_bound: float | None = None
    backend: str = "auto"
    check: Callable[[Tensor, Tensor, float | None], None] | None = None
    complex_form: bool = False


class Run(NamedTuple):
    """The times start, start + step, start + 2 step, ..., `length` of them."""

    start: float
    step: float
    length: int


class Backend(Protocol):
    """Computes exponentials and recurrences of batches of matrices, in working dtypes; nothing given is written to.

    Attributes:
        name: what `expm` calls it.
        complex_form: whether it can take A for the nearest matrix [[P, Q], [−Q, P]]; see `Options`.
    """

    name: str
    complex_form: bool = False

    def why_not(self, A: Tensor, E: Tensor | None = None, states: Tensor | None = None) -> list[str]:
        """Why it cannot take a problem: clauses that complete "it cannot, because"; none if it can.

        Asked before every call, so it must be fast where the answer is none. What takes long to find out is asked last,
        and only where all else fits.

        Args:
            A: matrices (B, n, n) to exponentiate, or to move states by.
            E: directions of a derivative.
            states: (b, k, n) or (b, t, k, n), to be moved by A (k, n, n).
        """
        ...

    def exponential(self, A: Tensor, options: Options) -> tuple[Tensor, float | None, Tape | None]:
        """exp(A) of A (B, n, n); the largest ‖A‖₁ if it was measured; what a derivative needs, if kept.

        NaN and overflow go through.
        """
        ...

    def derivative(self, A: Tensor, E: Tensor, options: Options, *, adjoint: bool) -> Tensor:
        """L(A, E), or L(Aᴴ, E) if `adjoint`, of A and E (B, n, n)."""
        ...

    def repeatable_derivative(
        self, A: Tensor, E: Tensor, squarings: Tensor | None, options: Options
    ) -> tuple[Tensor, Tensor]:
        """L(A, E) of A and E (B, n, n) at degree 18, and the squarings, int64 (B,): the given ones, if any."""
        ...

    def recurrence(self, P: Tensor, u: Tensor, length: int, backward: bool) -> Tensor:
        """y_t = P y_{t−1} + u_t for `length` times, from the last to the first if `backward`: (b, length, k, n).

        Args:
            P: (k, n, n), in the dtype of the arithmetic.
            u: (b, length, k, n), or (b, 1, k, n) where nothing is added after the start; of the dtype of P or a shorter
                one, to which every state is rounded as it leaves.
        """
        ...

    def orbits(
        self, H: Tensor, states: Tensor, runs: Sequence[tuple[Run, bool]], *, wide: bool, complex_form: bool
    ) -> tuple[Tensor, bool] | None:
        """A whole flow at evenly spaced times, where no derivative is asked for.

        Args:
            H: generators (k, n, n).
            states: at time zero, (b, k, n), of the dtype of H.
            runs: of times, each with whether its states are to stand from its last time to its first.
            wide: move in double precision; then states are rounded, but not what moves on.
            complex_form: see `Options`.

        Returns:
            The states of all runs, one behind the other, (b, t, k, n), and whether they are known to be finite. None
            from a backend that has no faster way than an exponential and a recurrence.
        """
        return None
