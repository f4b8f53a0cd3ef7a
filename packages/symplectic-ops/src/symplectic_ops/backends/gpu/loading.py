"""Loading what Triton compiles, when a matrix is first on a GPU, and saying why it cannot be had."""

import re
import warnings
from typing import Any

import torch

from .. import thresholds
from . import launches

_FOUND: dict[torch.device, tuple[Any, str]] = {}  # the kernels for each device, or None and why there are none


def kernels(device: torch.device) -> Any:
    """Those for exponentials; only where nothing is `missing`."""
    return _found(device)[0]


def missing(device: torch.device) -> str:
    """Why no kernel runs on this device now; empty if they do. The first call takes seconds."""
    return _found(device)[1]


def triton_is_here() -> bool:
    """Whether Triton is installed, new enough to multiply matrices of 8 rows."""
    try:
        import triton
    except ImportError:
        return False
    numbers = re.match(r"(\d+)\.(\d+)", triton.__version__)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= (3, 8)


def _found(device: torch.device) -> tuple[Any, str]:
    """One small launch decides for a device once and for all.

    But not while a graph is recorded, which a first launch would break, and not where memory is short, which says
    nothing about Triton.
    """
    if device in _FOUND:
        return _FOUND[device]
    if device.type == "cuda" and torch.cuda.is_current_stream_capturing():
        return None, "a graph of CUDA kernels is being recorded, and its own have never run before"
    try:
        _FOUND[device] = _tried(device)
    except torch.OutOfMemoryError:
        return None, "there is no memory left to try its kernels in"
    return _FOUND[device]


def _tried(device: torch.device) -> tuple[Any, str]:
    try:
        if not triton_is_here():
            return None, "Triton 3.8 or newer is not installed; the extra `gpu` of symplectic-ops brings it"
        from . import expm

        A, X = torch.zeros(2, 1, 2, 2, device=device)
        launches.launch(expm, "exponentials", (A,), X, thresholds.VALUE)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever a compiler or a driver raises that was never tested with this
        reason = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"Triton cannot run the matrix exponential on {device} ({reason}); plain torch operations take its place. "
            "Another version of Triton may help.",
            RuntimeWarning,
            stacklevel=2,
        )
        return None, f"Triton cannot run its kernels on {device} ({reason})"
    return expm, ""
