"""Content–motion disentanglement of image sequences with Hamiltonian dynamics.

    import hamvae_model as hv

    model = hv.load("runs/demo")
    clip = model.swap(hv.open_clip("builtin:test/3/walk-left"), hv.open_clip("builtin:test/8/slash-front"))

Names load on first use, so that asking for help or a preset does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import HamvaeError as HamvaeError
from .errors import UsageError as UsageError

if TYPE_CHECKING:
    from .checkpoint import load as load
    from .clip import Batch as Batch
    from .clip import Clip as Clip
    from .config import Config as Config
    from .data import Source as Source
    from .data import open_clip as open_clip
    from .data import open_source as open_source
    from .media import read as read
    from .media import write as write
    from .model import HamVAE as HamVAE
    from .presets import PRESETS as PRESETS
    from .presets import build as build
    from .training import Report as Report
    from .training import fit as fit

_HOMES = {
    "Batch": "clip",
    "Clip": "clip",
    "Config": "config",
    "HamVAE": "model",
    "PRESETS": "presets",
    "Report": "training",
    "Source": "data",
    "build": "presets",
    "fit": "training",
    "load": "checkpoint",
    "open_clip": "data",
    "open_source": "data",
    "read": "media",
    "write": "media",
}

__all__ = ["HamvaeError", "UsageError", *_HOMES]  # noqa: PLE0604 - names, gathered from one list


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("hamvae-model")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
