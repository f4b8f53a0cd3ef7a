"""Loading what numba compiles, when it is first needed, and saying why it cannot be had."""

import functools
import warnings
from typing import Any

import torch


@functools.cache
def missing() -> str:
    """Why nothing can be compiled here; empty if it can. The first call takes seconds."""
    return _loaded()[1]


@functools.cache
def batch() -> Any:
    """The entry points for exponentials; only where nothing is `missing`."""
    return _loaded()[0]


@functools.cache
def recurrence() -> Any:
    """Those for recurrences."""
    from . import recurrence

    return recurrence


@functools.cache
def _loaded() -> tuple[Any, str]:
    """The module of entry points, or None and the reason."""
    try:
        import numba

        from . import batch
    except ImportError:
        return None, "numba is not installed; the extra `cpu` of symplectic-ops brings it"
    except OSError as error:  # where there is no room to load LLVM
        return None, f"numba cannot be loaded ({_first_line(error)})"
    if numba.config.DISABLE_JIT:
        return None, "numba is told not to compile, by NUMBA_DISABLE_JIT"
    try:
        A, X = torch.ones(2, 1, dtype=torch.float64, device="cpu")
        batch.exponentials(batch.ZEROS[A.dtype], 1, 1, 1, A.data_ptr(), X.data_ptr(), False)
    except Exception as error:  # whatever a compiler raises that was never tested with this
        reason = _first_line(error)
        warnings.warn(
            f"numba cannot compile the matrix exponential here ({reason}); plain torch operations take its place. "
            "Another version of numba may help.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None, f"numba cannot compile its kernels here ({reason})"
    return batch, ""


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
