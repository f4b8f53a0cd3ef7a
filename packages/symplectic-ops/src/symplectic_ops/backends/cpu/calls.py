"""Calling what was compiled, for a batch at a time: addresses of matrices, and threads where they are worth while."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from . import loading

_WORTH_A_THREAD = 2**22  # multiplications: with fewer, starting a thread takes longer than it saves


def exponential(A: Tensor, *, gradient: bool, complex_form: bool) -> tuple[Tensor, float]:
    """exp(A) of A (B, n, n), as accurate as a gradient needs it if `gradient`; and the largest ‖A‖₁, NaN if one is.

    With `complex_form` A is taken for the nearest matrix [[P, Q], [−Q, P]].
    """
    A = dense(A)
    X = torch.empty_like(A)
    matrices = A.data_ptr(), X.data_ptr()
    norms = for_all(A, loading.batch().exponentials, matrices, gradient, form=(rows(A, complex_form),))
    return X, math.nan if any(norm != norm for norm in norms) else max(norms)


def rounded_exponential(A: Tensor, time: float, *, single: float, complex_form: bool) -> Tensor:
    """exp(tA) of A (B, n, n) in float32, made in double precision and rounded.

    Matrices with ‖tA‖₁ ≤ `single` are made in float32, as accurate as a gradient needs them. `complex_form` as for
    `exponential`.
    """
    A = dense(A)
    X = torch.empty_like(A)
    entry, matrices = loading.batch().rounded_exponentials, (A.data_ptr(), X.data_ptr())
    for_all(A, entry, matrices, time, single, form=(rows(A, complex_form),))
    return X


def derivative(A: Tensor, E: Tensor, *, adjoint: bool, complex_form: bool) -> Tensor:
    """L(A, E), or L(Aᵀ, E) if `adjoint`, of A and E (B, n, n); with `complex_form` of the nearest to both."""
    A, E = dense(A), dense(E)
    L = torch.empty_like(A)
    matrices = A.data_ptr(), E.data_ptr(), L.data_ptr()
    for_all(A, loading.batch().derivatives, matrices, adjoint, form=(rows(A, complex_form),))
    return L


def repeatable_derivative(A: Tensor, E: Tensor, squarings: Tensor | None) -> tuple[Tensor, Tensor]:
    """L(A, E) of A and E (B, n, n) at degree 18, and the squarings, int64 (B,): the given ones, if any."""
    A, E = dense(A), dense(E)
    L = torch.empty_like(A)
    given = squarings is not None
    used = torch.empty(len(A), dtype=torch.int64, device=A.device) if squarings is None else squarings.contiguous()
    matrices = A.data_ptr(), E.data_ptr(), L.data_ptr()
    for_all(A, loading.batch().repeatable_derivatives, matrices, given, places=used.data_ptr())
    return L, used


def rows(A: Tensor, complex_form: bool) -> int:
    """How many rows of each product are computed."""
    return A.shape[-1] // (2 if complex_form else 1)


def for_all(
    A: Tensor,
    entry: Any,
    matrices: tuple[int, ...],
    *options: float,
    form: tuple[int, ...] = (),
    places: int | None = None,
) -> list[float]:
    """Call an entry for all matrices of A (B, n, n), in threads where that is worth while: what each call returned.

    Args:
        matrices: addresses of batches like A.
        options: passed on as they are.
        form: passed on behind n.
        places: address of int64 (B,), passed on last.
    """
    count, n, _ = A.shape
    zero = loading.batch().ZEROS[A.dtype]

    def part(first: int, last: int) -> float:
        skipped = first * n * n * A.element_size()
        moved = () if places is None else (places + 8 * first,)
        addresses = [start + skipped for start in matrices]
        found: float = entry(zero, last - first, n, *form, *addresses, *options, *moved)
        return found

    return in_threads(count, count * n**3, part)


def in_threads(count: int, work: int, part: Callable[[int, int], float]) -> list[float]:
    """Do the parts that `count` can be taken into, side by side where `work` multiplications are worth it."""
    if work < 2 * _WORTH_A_THREAD:
        return [part(0, count)]
    threads = min(count, torch.get_num_threads(), work // _WORTH_A_THREAD)
    ends = [count * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(max(1, threads - 1)) as pool:
        others = [pool.submit(part, *ends[i : i + 2]) for i in range(1, threads)]
        return [part(*ends[:2]), *(other.result() for other in others)]


def dense(A: Tensor) -> Tensor:
    """The same numbers one behind the other."""
    return A.resolve_neg().contiguous()
