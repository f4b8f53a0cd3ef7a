"""The network compiled for this machine, where that can be done."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn
from torch._dynamo.exc import TorchDynamoException

from ..errors import HamvaeError


def compiled(network: nn.Module) -> nn.Module:
    """The network as it is compiled at its first call; it shares its weights with `network`, which stays as it is."""
    return cast(nn.Module, torch.compile(network, dynamic=False))  # a batch has one size, its parts two at most


@contextmanager
def compiling() -> Generator[None, None, None]:
    """Raises: HamvaeError: in place of what torch raises within the block where compilation failed."""
    try:
        yield
    except TorchDynamoException as error:
        reason = str(error).strip().splitlines()[0]
        raise HamvaeError(
            f"The network cannot be compiled here ({reason}); train without --compile, or install a C++ compiler."
        ) from None
