"""Which dtype the arithmetic is done in, whatever the dtype at the door."""

from contextlib import AbstractContextManager, nullcontext

import torch

# Half precision is for storing: the work is done in float32 and rounded once.
WORKING_DTYPES = {
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.float32: torch.float32,
    torch.float64: torch.float64,
    torch.complex64: torch.complex64,
    torch.complex128: torch.complex128,
}


def has_double(device: torch.device) -> bool:
    """Whether the device computes in double precision; Apple's GPUs (mps) do not."""
    return device.type != "mps"


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """A context in which autocasting does not round products to half precision."""
    if torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
