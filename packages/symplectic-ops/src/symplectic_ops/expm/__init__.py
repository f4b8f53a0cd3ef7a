"""The matrix exponential: one function, whatever computes it."""

import math
from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from .._dtypes import WORKING_DTYPES, without_autocast
from .._torch import forward_mode, functorch_active, readable, watched
from ..backends import NAMES, choose
from ..backends.protocol import Options
from ..errors import StructureError
from .autograd import EagerExpm, Expm, frechet
from .complex_form import has_complex_form, to_complex, to_real
from .dispatch import derivative, exponential
from .finite import FiniteCheck
from .operator import derivative_operator, expm_operator, refuse_to_trace_forward_mode

Structure = Literal["hamiltonian", "elliptic", "skew-symmetric", "skew-hamiltonian"]
STRUCTURES = (None, *get_args(Structure))
MEMORIES = ("save", "recompute")


def expm(
    A: Tensor,
    *,
    structure: Structure | None = None,
    norm_bound: float | None = None,
    memory: Literal["save", "recompute"] = "save",
    backend: str = "auto",
    check_finite: bool = True,
) -> Tensor:
    r"""The exponential :math:`e^A = \sum_k A^k / k!` of each matrix of a batch.

    A Taylor polynomial of degree at most 18 with scaling and squaring, cut where that is a backward error of at most
    one rounding of the dtype. Its own roundings show where ‖exp(A)‖ is much smaller than exp(‖A‖), above all in
    float32; docs/maths.md says how far. Derivatives of every order and both modes exist, and cost about two
    exponentials for the first. In float16 and bfloat16 the work is done in float32 and rounded once. Autocasting has
    no effect.

    One of three backends computes it: "cpu", kernels for real matrices on the CPU (extra `cpu`, numba), several times
    as fast as "torch", plain operations for everything; and "gpu", one kernel for the value and one for the gradient
    of real matrices up to 32 × 32 on a GPU (Triton). `explain` says which one, and why not the others. The first use
    of kernels on a machine compiles for some seconds. Inside torch.compile and torch.export the whole is one operator
    with a first derivative by torch.autograd; other derivatives raise there. A graph of CUDA kernels can record "gpu",
    once it was used alike, and "torch" where `norm_bound` is given.

    Args:
        A: (..., n, n), real or complex floating point. Any strides; it is not written to.
        structure: what is known of A ("hamiltonian", "elliptic", "skew-symmetric", "skew-hamiltonian"), which is not
            checked. "skew-symmetric" is worth giving beyond 32 × 32: the exponential is then that of the nearest
            matrix [[P, Q], [−Q, P]], in half the products. The others take the way of all matrices.
        norm_bound: a number no ‖A‖₁ in the batch exceeds. Spares reading the norms (on a GPU, waiting for them).
            Too small a bound costs accuracy without notice; too large a one costs time, and one bit for each factor
            of two. "cpu" and "gpu" measure in any case, which costs them nothing.
        memory: "save" keeps the intermediate matrices for the gradient, up to some twenty times the size of A;
            "recompute" keeps A alone and computes them again when the gradient is asked for, a hundredth of the batch
            at a time, but never less than 65 536 numbers. "cpu" and "gpu" always recompute.
        backend: "auto" takes the first of "cpu", "gpu" and "torch" that can take A. A name takes that one or refuses;
            derivatives that it has no kernel for are still computed, by plain operations.
        check_finite: refuse NaN and infinity, in A and in the result. Reads both, so pass False where waiting for
            the device matters; NaN then goes through. Off, because nothing can be read there, inside the transforms
            of torch.func (vmap, grad, jvp, ...), torch.compile, torch.export and while CUDA kernels are recorded.

    Returns:
        (..., n, n), dtype and device of A.

    Raises:
        StructureError: A is not square.
        TypeError: A is not floating point.
        NonFiniteError: A is not finite, or its exponential, or its cube, overflows the dtype.
        ValueError: an unknown structure, memory or backend, a backend that cannot take A (the message lists the
            reasons), or a `norm_bound` that is not a number ≥ 0.

    References:
        P. Bader, S. Blanes, F. Casas, "Computing the Matrix Exponential with an Optimized Taylor Polynomial
        Approximation", Mathematics 7(12), 1174, 2019.

    Example:
        >>> expm(torch.tensor([[0.0, 2.0], [0.0, 0.0]]))  # a shear
        tensor([[1., 2.],
                [0., 1.]])

        A layer whose weight stays symplectic while it learns:

        >>> from symplectic_ops import hamiltonian, is_symplectic
        >>> class Exponential(torch.nn.Module):
        ...     def forward(self, H):
        ...         return expm(H)
        >>> layer = hamiltonian(torch.nn.Linear(4, 4, bias=False), "weight")
        >>> _ = torch.nn.utils.parametrize.register_parametrization(layer, "weight", Exponential())
        >>> bool(is_symplectic(layer.weight))
        True
    """
    check_arguments(A, structure, norm_bound, memory, backend)
    if not A.numel():
        return A.clone()
    if A.shape[-1] == 1:
        return _of_numbers(A, check_finite)
    dtype = WORKING_DTYPES[A.dtype]
    work = A if A.dtype is dtype else A.to(dtype)
    work = work if A.ndim == 3 else work.reshape(-1, *A.shape[-2:])
    gradient = A.requires_grad and torch.is_grad_enabled()
    check = FiniteCheck(tuple(A.shape[:-2]), A.dtype).refuse if check_finite and readable(A) else None
    options = Options(gradient, gradient and memory == "save", norm_bound, backend, check)
    in_form = structure == "skew-symmetric" and has_complex_form(work)
    if in_form and (watched(work) or not choose(backend, work).complex_form):
        Z = to_complex(work)
        X = to_real(_exponential(Z, options)) if backend in ("auto", "torch") else _exponential(to_real(Z), options)
    else:
        X = _exponential(work, options._replace(complex_form=True) if in_form else options)
    X = X if A.ndim == 3 else X.reshape(A.shape)
    return X if A.dtype is dtype else X.to(A.dtype)


def expm_frechet(A: Tensor, E: Tensor, *, norm_bound: float | None = None) -> Tensor:
    r"""The derivative of the exponential at A in direction E: :math:`L(A, E) = \frac{d}{dε} e^{A + εE}` at ε = 0.

    Its adjoint in the sense of ⟨X, Y⟩ = tr(Xᴴ Y) is L(Aᴴ, ·), the gradient of `expm`. Costs about three exponentials
    and never forms the matrix of twice the size.

    Args:
        A: (..., n, n), real or complex floating point.
        E: (..., n, n), of the dtype of A; their batches broadcast. Linear in E whatever its size.
        norm_bound: see `expm`.

    Returns:
        (..., n, n), dtype and device of A. Differentiable in A and E to any order, but not inside torch.compile and
        torch.export. NaN and overflow go through.

    Raises:
        StructureError: A or E is not square, or they do not fit together.
        TypeError: A is not floating point, or E has another dtype.

    References:
        A. H. Al-Mohy, N. J. Higham, "Computing the Fréchet Derivative of the Matrix Exponential", SIAM J. Matrix
        Anal. Appl. 30, 1639, 2009.

    Example:
        >>> shear, turn = torch.tensor([[0.0, 1.0], [0.0, 0.0]]), torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
        >>> expm_frechet(shear, turn).round(decimals=4)
        tensor([[-0.5000,  0.8333],
                [-1.0000, -0.5000]])
    """
    check_arguments(A, norm_bound=norm_bound)
    if E.shape[-2:] != A.shape[-2:]:
        raise StructureError(f"`E` must be directions (..., n, n) for `A` {tuple(A.shape)}; got {tuple(E.shape)}.")
    if E.dtype != A.dtype:
        raise TypeError(f"`A` and `E` must have one dtype; got {A.dtype} and {E.dtype}. Convert one of them.")
    try:
        A, E = torch.broadcast_tensors(A, E)  # type: ignore[no-untyped-call]
    except RuntimeError:
        raise StructureError(
            f"the batches of `A` {tuple(A.shape)} and `E` {tuple(E.shape)} do not broadcast; make them alike."
        ) from None
    L: Tensor
    dtype, shape = WORKING_DTYPES[A.dtype], A.shape
    if not A.numel():
        return A * E
    if A.shape[-1] == 1:
        with without_autocast(A.device):
            return (E.to(dtype) * A.to(dtype).exp()).to(A.dtype)
    work, direction = (x.to(dtype).reshape(-1, *shape[-2:]) for x in (A, E))
    differentiable = torch.is_grad_enabled() and (A.requires_grad or E.requires_grad)
    if torch.compiler.is_compiling():
        refuse_to_trace_forward_mode()
        L = derivative_operator(work, direction, False, norm_bound, "auto")
    elif differentiable or functorch_active() or forward_mode():
        L = _uncompiled(frechet, work, direction, Options(norm_bound=norm_bound))
    else:
        L = derivative(work, direction, Options(norm_bound=norm_bound))
    return L.reshape(shape).to(A.dtype)


def _exponential(A: Tensor, options: Options) -> Tensor:
    """exp(A) of A (B, n, n), as a function that torch can differentiate."""
    X: Tensor
    if torch.compiler.is_compiling():
        refuse_to_trace_forward_mode()
        X = expm_operator(A, options.gradient, options.norm_bound, options.backend)
    elif functorch_active() or forward_mode():
        X = _uncompiled(Expm.apply if functorch_active() else EagerExpm.apply, A, options)
    elif options.gradient:
        X = EagerExpm.apply(A, options)
    else:
        X, _ = exponential(A, options)
    return X


def _uncompiled(function: Callable[..., Tensor], *arguments: object) -> Tensor:
    """Call a function out of reach of torch.compile."""
    from .tracing import uncompiled

    X: Tensor = uncompiled(function, *arguments)
    return X


def _of_numbers(A: Tensor, check_finite: bool) -> Tensor:
    """exp(A) of A (..., 1, 1), which no polynomial gives as well as the exponential of numbers."""
    with without_autocast(A.device):
        X = A.to(WORKING_DTYPES[A.dtype]).exp().to(A.dtype)
    if check_finite and readable(A):
        check = FiniteCheck(tuple(A.shape[:-2]), A.dtype)
        check.refuse(A.detach().reshape(-1, 1, 1), X.detach().reshape(-1, 1, 1), None)
    return X


def check_arguments(
    A: Tensor,
    structure: str | None = None,
    norm_bound: float | None = None,
    memory: str = "save",
    backend: str = "auto",
) -> None:
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise StructureError(f"`A` must be square matrices (..., n, n); got {tuple(A.shape)}.")
    if A.dtype not in WORKING_DTYPES:
        raise TypeError(
            f"`A` must be real or complex floating point; got {A.dtype}. Convert it first, for example `A.float()`."
        )
    if norm_bound is not None and not 0 <= norm_bound < math.inf:
        raise ValueError(f"`norm_bound` must be a finite number ≥ 0; got {norm_bound}. Pass None to measure the norm.")
    if structure not in STRUCTURES:
        raise _misspelt("structure", structure, STRUCTURES)
    if memory not in MEMORIES:
        raise _misspelt("memory", memory, MEMORIES)
    if backend not in NAMES:
        raise _misspelt("backend", backend, NAMES)


def _misspelt(name: str, value: object, known: tuple[object, ...]) -> ValueError:
    return ValueError(f"`{name}` must be one of {', '.join(map(repr, known))}; got {value!r}.")
