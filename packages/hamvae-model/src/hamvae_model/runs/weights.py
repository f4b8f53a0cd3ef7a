"""The weights of a run in one file, with the configuration in its header, which wins over the copy beside it."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ..animate import Model
from ..config import Config
from ..errors import DamagedError, HamvaeError
from ..files.tensors import bytes_of, check_fit, read_header, shapes_of, stored, write_tensors
from ..files.versions import RUN
from ..network import Network, new_network
from .paths import WEIGHTS, missing, written_again

MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # that Adam keeps of a parameter


def save_weights(path: Path, network: Network) -> None:
    """Write the weights with the configuration, whole or not at all.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`.
    """
    write_tensors(path, network.state_dict(), {"config": network.config.to_json()}, kind=RUN)


def load(run: str | Path, device: torch.device | str = "cpu") -> Model:
    """The trained model of a run folder, or of one weights file, ready to use.

    Raises:
        UsageError: nothing there.
        HamvaeError: the file is damaged, or of another version of the format.
    """
    path = Path(run)
    path = path / WEIGHTS if path.is_dir() else path
    try:
        found = read(path)
    except DamagedError as error:
        if way_back := written_again(path):
            raise DamagedError(f"{error} Or {way_back}.") from None
        raise
    check_fit(found.expected, found.tensors, path)
    network = new_network(found.config)
    network.load_state_dict(found.tensors)
    return Model(network.to(device).to(memory_format=torch.channels_last).eval())


class Contents(NamedTuple):
    """Of a file of weights or of a state: the shapes that its configuration leads to, and what it holds."""

    config: Config
    expected: dict[str, Tensor]
    tensors: dict[str, Tensor]
    words: dict[str, str]


def read(path: Path) -> Contents:
    """Weights or a state.

    The header is read first: no tensor is, of a file that is larger than a state of its configuration.

    Raises: UsageError, HamvaeError: as `load`.
    """
    with stored(path, kind=RUN, missing=missing(path)) as file:
        try:
            config = Config.from_json(file.words.get("config", "{}"))
        except HamvaeError as error:
            raise HamvaeError(f"'{path}' cannot be used. {error}") from None
        expected = shapes_of(lambda: new_network(config))
        tensors, words = file.read((1 + len(MOMENTS)) * bytes_of(expected))
    return Contents(config, expected, tensors, words)


def holds(weights: Path, network: Network) -> bool:
    """Whether a file is whole and holds the network's weights and configuration."""
    try:
        found = read(weights)
        check_fit(network.state_dict(), found.tensors, weights)
    except HamvaeError:
        return False
    return found.config == network.config and all(
        tensor.cpu().equal(found.tensors[name]) for name, tensor in network.state_dict().items()
    )


def stored_format(run: Path) -> str:
    """The version in which the weights of a run folder, or of one weights file, are stored.

    Raises: UsageError, HamvaeError: as `load`.
    """
    path = run / WEIGHTS if run.is_dir() else run
    return read_header(path, kind=RUN, missing=missing(path))["format"]
