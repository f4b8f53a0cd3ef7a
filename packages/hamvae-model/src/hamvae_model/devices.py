"""Where to compute. torch loads when a device is chosen, so that the command line can list their names at once."""

from .errors import UsageError
from .words import nearest

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> str:
    """The device of that name; ``auto`` is an NVIDIA or AMD GPU (cuda), else Apple's (mps), else the CPU.

    Raises: UsageError: an unknown name, or a device that this machine does not have.
    """
    import torch

    if name not in DEVICES:
        raise UsageError(f"There is no device '{name}'{nearest(name, DEVICES)}")
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return next(device for device, there in present.items() if there)
    if not present[name]:
        raise UsageError(f"PyTorch finds no {name} device on this machine; use --device auto or --device cpu.")
    return name
