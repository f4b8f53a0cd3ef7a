"""Content–motion disentanglement of image sequences with Hamiltonian dynamics.

A run is trained by iterating over its reports; two steps teach nothing, but show every verb:

    >>> import tempfile
    >>> import hamvae_model as hv
    >>> source = hv.open_source("builtin")
    >>> run = tempfile.mkdtemp() + "/first"
    >>> *_, report = hv.fit(hv.build("demo", source=source, steps=2), run, source=source)
    >>> report.step
    2
    >>> model = hv.load(run)
    >>> content, motion = hv.open_clip("builtin:test/3/walk-left"), hv.open_clip("builtin:test/8/slash-front")
    >>> model.swap(content, motion).label
    'slash-front'
    >>> model.reconstruct(content).frames.shape
    torch.Size([8, 3, 64, 64])
    >>> model.generate(content, "slash-front", times=[0, 0.5, 100.25]).times
    tensor([  0.0000,   0.5000, 100.2500])
    >>> len(model.sample("wave-left", count=2))
    2

Names load on first use, so that asking for help or a preset does not wait for torch.
"""

from typing import TYPE_CHECKING, Any

from ._lazy import lazily
from .errors import HamvaeError as HamvaeError
from .errors import UsageError as UsageError

if TYPE_CHECKING:
    from .animate import Latents as Latents
    from .animate import Model as Model
    from .clips.clip import Batch as Batch
    from .clips.clip import Clip as Clip
    from .config.run import Config as Config
    from .data import Source as Source
    from .data import open_clip as open_clip
    from .data import open_source as open_source
    from .media import read as read
    from .media import write as write
    from .network import Network as Network
    from .presets import PRESETS as PRESETS
    from .presets import build as build
    from .runs import load as load
    from .training import Report as Report
    from .training import fit as fit

_HOMES = {
    "Batch": "clips.clip",
    "Clip": "clips.clip",
    "Config": "config.run",
    "Latents": "animate",
    "Model": "animate",
    "Network": "network",
    "PRESETS": "presets",
    "Report": "training",
    "Source": "data",
    "build": "presets",
    "fit": "training",
    "load": "runs",
    "open_clip": "data",
    "open_source": "data",
    "read": "media",
    "write": "media",
}

__all__ = ["HamvaeError", "UsageError", *_HOMES]


def __dir__() -> list[str]:
    return sorted(__all__)


_named = lazily(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("hamvae-model")
    return _named(name)
