"""The exponential of a batch and its derivatives as plain functions, by the backend that can take them."""

from torch import Tensor

from ..backends import choose, refusal
from ..backends.protocol import Options
from ..backends.schedule import Tape
from .complex_form import to_complex, to_real


def exponential(A: Tensor, options: Options) -> tuple[Tensor, Tape | None]:
    """exp(A) of A (B, n, n), and what its derivative needs, if that was to be kept.

    Raises:
        ValueError: `options` name a backend that cannot take A.
        NonFiniteError: what `options.check` refuses; without it NaN goes through.
    """
    backend = choose(options.backend, A)
    if options.backend not in ("auto", backend.name):
        raise refusal(options.backend, A)
    X, norm, tape = backend.exponential(A, options)
    if options.check:
        options.check(A, X, norm)
    return X, tape


def derivative(A: Tensor, E: Tensor, options: Options, *, adjoint: bool = False) -> Tensor:
    """L(A, E), or L(Aᴴ, E) if `adjoint`, of A and E (B, n, n)."""
    backend = choose(options.backend, A, E)
    if options.complex_form and not backend.complex_form:
        options = options._replace(complex_form=False)
        return to_real(derivative(to_complex(A), to_complex(E), options, adjoint=adjoint))
    return backend.derivative(A, E, options, adjoint=adjoint)


def repeatable_derivative(A: Tensor, E: Tensor, squarings: Tensor | None, options: Options) -> tuple[Tensor, Tensor]:
    """L(A, E) of A and E (B, n, n) at degree 18, and the squarings it used, int64 (B,): the given ones, if any."""
    return choose(options.backend, A, E).repeatable_derivative(A, E, squarings, options)
