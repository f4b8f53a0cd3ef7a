"""The matrix exponential: one door, whatever computes it."""

import math
from typing import Literal, cast, get_args

import torch
from torch import Tensor

from .._precision import WORKING_DTYPES
from .._transforms import transformed
from ..errors import StructureError
from . import compiled
from .autograd import Expm
from .evaluation import Options, exponential
from .finite import FiniteCheck

Structure = Literal["hamiltonian", "elliptic", "skew-symmetric", "skew-hamiltonian"]


def expm(
    A: Tensor,
    *,
    structure: Structure | None = None,
    norm_bound: float | None = None,
    memory: Literal["save", "recompute"] = "save",
    backend: Literal["auto", "torch"] = "auto",
    check_finite: bool = True,
) -> Tensor:
    r"""The exponential :math:`e^A = \sum_k A^k / k!` of each matrix of a batch.

    A Taylor polynomial of degree at most 18 with scaling and squaring; the backward error is about one rounding of
    the dtype. Derivatives of every order and both modes exist, and cost about two exponentials for the first. In
    float16 and bfloat16 the work is done in float32 and rounded once. Autocasting has no effect.

    Args:
        A: (..., n, n), real or complex floating point.
        structure: what is known of A ("hamiltonian", "elliptic", "skew-symmetric", "skew-hamiltonian"). A hint for
            faster ways, and not checked; every structure takes the same way at present.
        norm_bound: a number no ‖A‖₁ in the batch exceeds. Spares reading the norms (on a GPU, waiting for them).
            Too small a bound costs accuracy without notice; too large a one costs time and some digits.
        memory: "save" keeps the intermediate matrices for the gradient; "recompute" keeps A alone and computes
            them again when the gradient is asked for.
        backend: what computes; "torch" is what "auto" chooses at present.
        check_finite: refuse NaN and infinity, in A and in the result. Reads both, so pass False where waiting for
            the device matters; NaN then goes through. Off inside torch.vmap and the like.

    Returns:
        (..., n, n), dtype and device of A.

    Raises:
        StructureError: A is not square.
        TypeError: A is not floating point.
        NonFiniteError: A is not finite, or its exponential overflows the dtype.
        ValueError: an unknown structure, memory or backend, or a `norm_bound` that is no number ≥ 0.

    References:
        P. Bader, S. Blanes, F. Casas, "Computing the Matrix Exponential with an Optimized Taylor Polynomial
        Approximation", Mathematics 7(12), 1174, 2019.

    Example:
        >>> expm(torch.tensor([[0.0, 2.0], [0.0, 0.0]]))  # a shear
        tensor([[1., 2.],
                [0., 1.]])
    """
    _check_arguments(A, structure, norm_bound, memory, backend)
    if not A.numel():
        return A.clone()
    work = A.to(WORKING_DTYPES[A.dtype]).reshape(-1, *A.shape[-2:])
    gradient = torch.is_grad_enabled() and A.requires_grad
    options = Options(
        gradient=gradient,
        keep=gradient and memory == "save",
        norm_bound=norm_bound,
        compiled=backend == "auto",
        check=FiniteCheck(tuple(A.shape[:-2]), A.dtype) if check_finite else None,
    )
    if gradient or transformed():
        X, _ = Expm.apply(work, options)
    else:
        X, _ = exponential(work, options)
    return cast(Tensor, X).reshape(A.shape).to(A.dtype)


def _check_arguments(A: Tensor, structure: str | None, norm_bound: float | None, memory: str, backend: str) -> None:
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise StructureError(f"`A` must be square matrices (..., n, n); got {tuple(A.shape)}.")
    if A.dtype not in WORKING_DTYPES:
        raise TypeError(
            f"`A` must be real or complex floating point; got {A.dtype}. Convert it first, for example `A.float()`."
        )
    if norm_bound is not None and not 0 <= norm_bound < math.inf:
        raise ValueError(f"`norm_bound` must be a finite number ≥ 0; got {norm_bound}. Pass None to measure the norm.")
    for name, value, known in (
        ("structure", structure, (None, *get_args(Structure))),
        ("memory", memory, ("save", "recompute")),
        ("backend", backend, ("auto", "torch")),
    ):
        if value not in known:
            raise ValueError(f"`{name}` must be one of {', '.join(map(repr, known))}; got {value!r}.")
