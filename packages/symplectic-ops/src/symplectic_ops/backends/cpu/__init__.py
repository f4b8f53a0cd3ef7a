"""The compiled way: real matrices on the CPU, where the extra `cpu` (numba) is installed.

One matrix at a time goes through the whole algorithm in the cache, in vector instructions made for this processor.
Large batches are shared between as many threads as torch uses; how many does not change a bit of the result.
"""

import functools
import math
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from ..._torch import unwatched

_DTYPES = (torch.float32, torch.float64)
_LARGE = 2**22  # bytes, from which on NumPy asks for huge pages
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


def exponential(A: Tensor, *, gradient: bool, complex_form: bool = False) -> tuple[Tensor, float]:
    """exp(A) of A (B, n, n), as accurate as a gradient needs it if `gradient`; and the largest ‖A‖₁, NaN if one is.

    With `complex_form` A is taken for the nearest matrix [[P, Q], [−Q, P]].
    """
    A = _plain(A)
    X = torch.empty_like(A)
    matrices = A.data_ptr(), X.data_ptr()
    norms = _share(A, _entries().exponentials, matrices, gradient, form=(_rows(A, complex_form),))
    return X, math.nan if any(norm != norm for norm in norms) else max(norms)


def rounded_exponential(A: Tensor, time: float, *, single: float = 0.0, complex_form: bool = False) -> Tensor:
    """exp(tA) of A (B, n, n) in float32, made in double precision and rounded.

    Matrices with ‖tA‖₁ ≤ `single` are made in float32, as accurate as a gradient needs them. `complex_form` as for
    `exponential`.
    """
    A = _plain(A)
    X = torch.empty_like(A)
    entry, matrices = _entries().rounded_exponentials, (A.data_ptr(), X.data_ptr())
    _share(A, entry, matrices, time, single, form=(_rows(A, complex_form),))
    return X


def derivative(A: Tensor, E: Tensor, *, adjoint: bool = False, complex_form: bool = False) -> Tensor:
    """L(A, E), or L(Aᵀ, E) if `adjoint`, of A and E (B, n, n); with `complex_form` of the nearest to both."""
    A, E = _plain(A), _plain(E)
    L = torch.empty_like(A)
    matrices = A.data_ptr(), E.data_ptr(), L.data_ptr()
    _share(A, _entries().derivatives, matrices, adjoint, form=(_rows(A, complex_form),))
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


def suits_recurrence(R: Tensor, states: Tensor) -> bool:
    """Whether states can be moved by R (k, n, n) this way, in its dtype or rounded to float32."""
    return suits(R) and suits(states) and R.numel() > 0 and R.dtype in (states.dtype, torch.float64)


def steps(R: Tensor, states: Tensor, *, backward: bool = False, addends: Tensor | None = None) -> None:
    """Fill states (k, t, b, n), of which the first are given: each the one before, as rows, times R (k, n, n).

    With `backward` from the last to the first. Addends, like states, are added on the way. States of a narrower dtype
    than R are rounded copies of what moves on.
    """
    R = _plain(R)
    blocks, count, rows, n = states.shape
    size = states.element_size()
    hop, apart = rows * n * size, states.stride(0) * size
    start = (count - 1) * hop if backward else 0
    entries, zero = _recurrences(), _entries().ZEROS[R.dtype]
    narrow = () if R.dtype == states.dtype else (_entries().ZEROS[states.dtype],)
    entry = entries.recurrences_wide if narrow else entries.recurrences

    def part(first: int, last: int) -> float:
        begins = [x.data_ptr() + first * apart + start if x is not None else 0 for x in (states, addends)]
        matrix = R.data_ptr() + first * n * n * R.element_size()
        way = rows, count - 1, matrix, begins[0], apart, -hop if backward else hop, begins[1]
        found: float = entry(zero, *narrow, last - first, n, *way)
        return found

    _in_threads(blocks, blocks * (count - 1) * rows * n * n, part)


def follow(first: Tensor, start: Tensor | None, P: Tensor | None, states: Tensor, *, backward: bool) -> bool:
    """Fill states (k, t, b, n): start · first, and from there on each P times the one before.

    Args:
        first: (b, k, n), of the dtype of `states`.
        start: (k, n, n) contiguous, in double precision; None where nothing moves before.
        P: (k, n, n) contiguous, in the dtype to move in; None where there is one state alone.
        backward: from the last to the first.

    Returns:
        Whether all states are finite.
    """
    first = _plain(first)
    blocks, count, rows, n = states.shape
    size, apart, zeros = states.element_size(), states.stride(0) * states.element_size(), _entries().ZEROS
    hop = rows * n * size
    begin = states.data_ptr() + ((count - 1) * hop if backward else 0)
    wide, entry = P is not None and P.dtype != states.dtype, _recurrences().follow

    def part(top: int, end: int) -> float:
        given = first.data_ptr() + top * n * size, blocks * n * size
        matrices = (0 if x is None else x.data_ptr() + top * n * n * x.element_size() for x in (start, P))
        to = begin + top * apart, apart, -hop if backward else hop, count
        dtypes = zeros[torch.float64], zeros[states.dtype], wide
        found: float = entry(*dtypes, end - top, n, rows, *given, *matrices, *to)
        return found

    return not any(_in_threads(blocks, blocks * count * rows * n * n, part))


def unfilled(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """A tensor of this shape on the CPU whose numbers are still to be written, by `steps` or `follow`.

    Large memory is NumPy's, which asks the system for huge pages: small ones are handed out one by one as they are
    first touched, which can take longer than computing what is written there.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < _LARGE:
        return torch.empty(shape, dtype=dtype, device="cpu")
    import numpy as np

    return torch.from_numpy(np.empty(size, np.uint8)).view(dtype).view(shape)


def _rows(A: Tensor, complex_form: bool) -> int:
    """How many rows of each product are computed."""
    return A.shape[-1] // (2 if complex_form else 1)


def _share(
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
    zero = _entries().ZEROS[A.dtype]

    def part(first: int, last: int) -> float:
        skipped = first * n * n * A.element_size()
        moved = () if places is None else (places + 8 * first,)
        addresses = [start + skipped for start in matrices]
        found: float = entry(zero, last - first, n, *form, *addresses, *options, *moved)
        return found

    return _in_threads(count, count * n**3, part)


def _in_threads(count: int, work: int, part: Callable[[int, int], float]) -> list[float]:
    """Do the parts that `count` can be taken into, side by side where `work` multiplications are worth it."""
    if work < 2 * _WORTH_A_THREAD:
        return [part(0, count)]
    threads = min(count, torch.get_num_threads(), work // _WORTH_A_THREAD)
    ends = [count * i // threads for i in range(threads + 1)]
    with ThreadPoolExecutor(max(1, threads - 1)) as pool:
        others = [pool.submit(part, *ends[i : i + 2]) for i in range(1, threads)]
        return [part(*ends[:2]), *(other.result() for other in others)]


def _plain(A: Tensor) -> Tensor:
    """The same numbers one behind the other."""
    return A.resolve_neg().contiguous()


@functools.cache
def _recurrences() -> Any:
    """What was compiled for `steps` and `follow`."""
    from . import recurrence

    return recurrence


@functools.cache
def _entries() -> Any:
    """What was compiled, or None where nothing can be."""
    try:
        import numba

        from . import batch
    except (ImportError, OSError):  # the second where there is no room to load LLVM
        return None
    if numba.config.DISABLE_JIT:
        return None
    try:
        A, X = torch.ones(2, 1, dtype=torch.float64, device="cpu")
        batch.exponentials(batch.ZEROS[A.dtype], 1, 1, 1, A.data_ptr(), X.data_ptr(), False)
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
