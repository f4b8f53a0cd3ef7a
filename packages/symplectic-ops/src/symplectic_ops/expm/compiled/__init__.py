"""The compiled way: real matrices on the CPU, where the extra `cpu` (numba) is installed.

One matrix at a time goes through the whole algorithm in the cache, in vector instructions made for this processor.
Large batches are shared between as many threads as torch uses; how many does not change a bit of the result.
"""

import functools
import math
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from ..._transforms import unwatched

_DTYPES = (torch.float32, torch.float64)
_WORTH_A_THREAD = 2**22  # multiplications: with fewer, starting a thread takes longer than it saves


def suits(A: Tensor) -> bool:
    """Whether A (B, n, n) can go this way."""
    return A.is_cpu and A.dtype in _DTYPES and unwatched(A) and available()


def available() -> bool:
    """Whether numba is installed and works here."""
    return _entries() is not None


def suit(A: Tensor, E: Tensor) -> bool:
    """Whether both can, together."""
    return suits(A) and suits(E) and A.shape == E.shape and A.dtype == E.dtype


def exponential(A: Tensor, *, gradient: bool) -> tuple[Tensor, float]:
    """exp(A) of A (B, n, n), as accurate as a gradient needs it if `gradient`; and the largest ‖A‖₁, NaN if one is."""
    A = _plain(A)
    X = torch.empty_like(A)
    norms = _share(A, _entries().exponentials, (A.data_ptr(), X.data_ptr()), gradient)
    return X, math.nan if any(norm != norm for norm in norms) else max(norms)


def derivative(A: Tensor, E: Tensor, *, adjoint: bool = False) -> Tensor:
    """L(A, E), or L(Aᵀ, E) if `adjoint`, of A and E (B, n, n)."""
    A, E = _plain(A), _plain(E)
    L = torch.empty_like(A)
    _share(A, _entries().derivatives, (A.data_ptr(), E.data_ptr(), L.data_ptr()), adjoint)
    return L


def repeatable_derivative(A: Tensor, E: Tensor, squarings: Tensor | None) -> tuple[Tensor, Tensor]:
    """L(A, E) of A and E (B, n, n) at degree 18, and the squarings, int64 (B,): the given ones, if any."""
    A, E = _plain(A), _plain(E)
    L = torch.empty_like(A)
    given = squarings is not None
    used = torch.empty(len(A), dtype=torch.int64, device=A.device) if squarings is None else squarings.contiguous()
    matrices = A.data_ptr(), E.data_ptr(), L.data_ptr()
    _share(A, _entries().repeatable_derivatives, matrices, given, places=used.data_ptr())
    return L, used


def _share(A: Tensor, entry: Any, matrices: tuple[int, ...], *options: int, places: int | None = None) -> list[float]:
    """Call an entry for all matrices of A (B, n, n), in threads where that is worth while: what each call returned.

    Args:
        matrices: addresses of batches like A.
        options: passed on as they are.
        places: address of int64 (B,), passed on last.
    """
    count, n, _ = A.shape
    zero, work = _entries().ZEROS[A.dtype], count * n**3
    if work < 2 * _WORTH_A_THREAD:
        return [entry(zero, count, n, *matrices, *options, *(() if places is None else (places,)))]

    def part(first: int, last: int) -> float:
        skipped = first * n * n * A.element_size()
        moved = () if places is None else (places + 8 * first,)
        found: float = entry(zero, last - first, n, *(start + skipped for start in matrices), *options, *moved)
        return found

    threads = min(count, torch.get_num_threads(), work // _WORTH_A_THREAD)
    ends = [count * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(max(1, threads - 1)) as pool:
        others = [pool.submit(part, *ends[i : i + 2]) for i in range(1, threads)]
        return [part(*ends[:2]), *(other.result() for other in others)]


def _plain(A: Tensor) -> Tensor:
    """The same numbers one behind the other."""
    return A.resolve_neg().contiguous()


@functools.cache
def _entries() -> Any:
    """What was compiled, or None where nothing can be."""
    try:
        import numba

        from . import batch
    except ImportError:
        return None
    if numba.config.DISABLE_JIT:
        return None
    try:
        A, X = torch.ones(2, 1, dtype=torch.float64, device="cpu")
        batch.exponentials(batch.ZEROS[A.dtype], 1, 1, A.data_ptr(), X.data_ptr(), False)
    except Exception as error:  # whatever a compiler raises that was never tested with this
        reason = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"numba cannot compile the matrix exponential here ({reason}); plain torch operations take its place. "
            "Another version of numba may help.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return batch
