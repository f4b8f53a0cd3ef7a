"""The table of models. Adding one means a module with its `Network` and a line here. There is no torch here."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from ..config import Config
from ..errors import UsageError
from ..words import nearest

if TYPE_CHECKING:
    from .protocol import Network


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """A model by name.

    Args:
        summary: what it is, in half a line.
        home: where its `Network` is defined, ``module:class``; imported when the first one is built.
    """

    summary: str
    home: str


MODELS: dict[str, ModelEntry] = {
    "hamvae": ModelEntry(
        summary="content, and motion moved by one Hamiltonian operator per class (Khan & Storkey, 2021)",
        home="hamvae_model.network.hamvae:HamVAE",
    ),
}


def new_network(config: Config) -> "Network":
    """The untrained network of a run, initialised from torch's global generator.

    Raises: UsageError: `config.model.name` is not in the table.
    """
    name = config.model.name
    if name not in MODELS:
        raise UsageError(f"There is no model '{name}'{nearest(name, MODELS)}")
    module, _, kind = MODELS[name].home.partition(":")
    network: Network = getattr(import_module(module), kind)(config)
    return network
