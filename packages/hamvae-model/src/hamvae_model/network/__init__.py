"""The network: tensors in, tensors out. Read this folder to know the model.

`protocol` says what any model offers, `registry` which there are, `hamvae` is the paper's.
Names load on first use, so that the table of models can be read without torch.
"""

from typing import TYPE_CHECKING

from .._lazy import lazily
from .registry import MODELS as MODELS
from .registry import ModelEntry as ModelEntry
from .registry import new_network as new_network

if TYPE_CHECKING:
    from .hamvae import HamVAE as HamVAE
    from .history import lookback as lookback
    from .motion import Motion as Motion
    from .motion import OperatorSummary as OperatorSummary
    from .protocol import Network as Network
    from .views import Explanation as Explanation
    from .views import Noise as Noise
    from .views import Views as Views

_HOMES = {
    "Explanation": "views",
    "HamVAE": "hamvae",
    "Motion": "motion",
    "Network": "protocol",
    "Noise": "views",
    "OperatorSummary": "motion",
    "Views": "views",
    "lookback": "history",
}

__all__ = ["MODELS", "ModelEntry", "new_network", *_HOMES]


__getattr__ = lazily(__name__, _HOMES)
