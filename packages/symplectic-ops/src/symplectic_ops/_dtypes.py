"""Which dtype the arithmetic is done in, whatever the dtype of the input."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

# Half precision is for storing: the work is done in float32 and rounded once.
WORKING_DTYPES = {
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.float32: torch.float32,
    torch.float64: torch.float64,
    torch.complex64: torch.complex64,
    torch.complex128: torch.complex128,
}


# The spacing of numbers near one; asking torch takes longer than a small part of a flow.
EPSILON = {dtype: torch.finfo(dtype).eps for dtype in WORKING_DTYPES}


def has_double(device: torch.device) -> bool:
    """Whether the device computes in double precision; Apple's GPUs (mps) do not."""
    return device.type != "mps"


def double(x: Tensor) -> Tensor:
    """x in double precision, on the CPU where its own device has none."""
    return x.to(x.device if has_double(x.device) else torch.device("cpu"), torch.float64)


def in_double(x: Tensor) -> tuple[torch.device, torch.dtype]:
    """Where and as what to compute with x in double precision: on the CPU if its own device has none."""
    home = x.device if has_double(x.device) else torch.device("cpu")
    return home, torch.complex128 if x.is_complex() else torch.float64


def check_double(dtype: torch.dtype | None, device: torch.device | str | None) -> None:
    """Refuse to make double precision numbers where the device has none.

    Raises:
        TypeError: what to do instead.
    """
    home = torch.get_default_device() if device is None else torch.device(device)
    if (dtype or torch.get_default_dtype()) is torch.float64 and not has_double(home):
        raise TypeError(
            f"`{home.type}` has no float64. Ask for float32, or keep these matrices on the CPU; `flow` computes its "
            "propagators in double precision all the same."
        )


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """A context in which autocasting does not round products to half precision."""
    if torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
