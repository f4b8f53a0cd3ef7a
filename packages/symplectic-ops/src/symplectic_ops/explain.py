"""Saying which backend `expm` uses for given matrices, and why not the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from . import backends
from ._dtypes import WORKING_DTYPES
from .backends.protocol import Backend
from .expm import Structure, check_arguments
from .expm.complex_form import has_complex_form


@dataclass(frozen=True)
class Explanation:
    """Which backend is used, and why not the others.

    Attributes:
        backend: "cpu", "gpu" or "torch".
        reasons: for each of the other backends, why it is not used: at least one clause each.
        complex_form: whether it computes with complex matrices of half the size, as "skew-symmetric" allows.
    """

    backend: str
    reasons: Mapping[str, tuple[str, ...]]
    complex_form: bool = False

    def __str__(self) -> str:
        lines = [f"{name}: {reason}" for name, reasons in self.reasons.items() for reason in reasons]
        form = ", in complex matrices of half the size" if self.complex_form else ""
        return "\n".join([f"{self.backend} is used{form}", *lines])


def explain(A: Tensor, *, structure: Structure | None = None) -> Explanation:
    """Which backend `expm(A, structure=structure)` uses, and why not the others. Nothing is exponentiated.

    The first call may take seconds: what has to be compiled is tried. Inside torch.func, torch.compile and torch.export
    the choice is made only where plain tensors arrive at the operation, and may be another one.

    Args:
        A: (..., n, n), real or complex floating point.
        structure: what is known of A; see `expm`.

    Returns:
        A value whose `str` has one line for the backend used and one for each reason against another.

    Raises:
        StructureError: A is not square.
        TypeError: A is not floating point.
        ValueError: an unknown structure.

    Example:
        >>> print(explain(torch.zeros(3, 40, 40, dtype=torch.complex64)))
        torch is used
        cpu: the matrices are complex; its kernels compute with real numbers
        gpu: the matrices are not on a CUDA GPU
    """
    check_arguments(A, structure=structure)
    if not A.numel() or A.shape[-1] == 1:
        reason = "the matrices are single numbers, left to torch" if A.numel() else "there are no matrices"
        return _explanation(backends.TORCH, lambda _: [reason])
    work = A.to(WORKING_DTYPES[A.dtype]).reshape(-1, *A.shape[-2:])
    used = backends.choose("auto", work)
    earlier = f"{used.name} can take the matrices, and comes first"
    in_form = structure == "skew-symmetric" and has_complex_form(work)
    return _explanation(used, lambda other: other.why_not(work) or [earlier], in_form)


def _explanation(used: Backend, why_not: Callable[[Backend], list[str]], complex_form: bool = False) -> Explanation:
    others = (backend for backend in backends.TABLE if backend is not used)
    return Explanation(used.name, {other.name: tuple(why_not(other)) for other in others}, complex_form)
