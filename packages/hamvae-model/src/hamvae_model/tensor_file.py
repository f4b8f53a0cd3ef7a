"""Tensors in one safetensors file with words in its header: written whole, and read back strictly."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn

from .atomic import write_bytes
from .errors import HamvaeError, UsageError

Network = TypeVar("Network", bound=nn.Module)
UNFIT = "The weights in '{path}' do not fit the configuration stored with them."


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: dict[str, str]) -> None:
    """Write them from wherever they are, whole or not at all.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`.
    """
    portable = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, to_safetensors(portable, metadata=header))


def read_tensors(path: Path, *, missing: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the header; `missing` is the sentence for a file that is not there.

    Raises:
        UsageError: no such file, or none that can be opened.
        HamvaeError: it is damaged.
    """
    try:
        data = path.read_bytes()
        tensors = parse_safetensors(data)
    except FileNotFoundError:
        raise UsageError(missing) from None
    except IsADirectoryError:
        raise UsageError(f"'{path}' is a folder; name a file.") from None
    except (SafetensorError, ValueError) as error:
        raise HamvaeError(f"'{path}' is damaged and cannot be read ({error}); use another copy.") from None
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read ({error.strerror}).") from None
    length = int.from_bytes(data[:8], "little")
    return tensors, json.loads(data[8 : 8 + length]).get("__metadata__", {})


def rebuilt(make: Callable[[], Network], tensors: Mapping[str, Tensor], path: Path) -> Network:
    """The network that `make` makes, holding the tensors read from `path`.

    Raises: HamvaeError: they are not that network's; asked before it takes memory, as a header may lie about sizes.
    """
    with torch.device("meta"):
        expected = {name: tensor.shape for name, tensor in make().state_dict().items()}
    if expected != {name: tensor.shape for name, tensor in tensors.items()}:
        raise HamvaeError(UNFIT.format(path=path))
    network = make()
    fill(network, tensors, path)
    return network


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put the tensors read from `path` into the network.

    Raises: HamvaeError: they are not that network's.
    """
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError:
        raise HamvaeError(UNFIT.format(path=path)) from None
