"""The network compiled for this machine, where that can be done."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn

from ..errors import HamvaeError
from ..network import Network


def compiled(model: Network) -> nn.Module:
    """The model as it is compiled at its first call; it shares its weights with `model`, which stays as it is."""
    model.prepare_compilation()
    return cast(nn.Module, torch.compile(model, dynamic=False))  # a batch has one size, its parts two at most


@contextmanager
def compiling() -> Generator[None, None, None]:
    """Raises: HamvaeError: instead of what torch raises within the block where compilation failed."""
    from torch._dynamo.exc import TorchDynamoException  # takes seconds to import, and is needed by nobody else

    try:
        yield
    except TorchDynamoException as error:
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = next((line for line in said if not line.endswith("raised:")), type(error).__name__)
        raise HamvaeError(
            f"The network cannot be compiled here ({reason}); train without --compile, or install a C++ compiler."
        ) from None
