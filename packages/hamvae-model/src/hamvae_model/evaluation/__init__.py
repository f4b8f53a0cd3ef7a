"""What a model is worth on clips it was not trained on: protocols, each in a file, and the tables they make.

Names load on first use: the command line asks for tables before it needs torch.
"""

from typing import TYPE_CHECKING

from .._lazy import lazily
from ..config.choices import TABLES as TABLES

if TYPE_CHECKING:
    from .figures import write_figures as write_figures
    from .held_out import HeldOut as HeldOut
    from .held_out import check_split as check_split
    from .literature import ALIKE as ALIKE
    from .literature import Published as Published
    from .literature import published as published
    from .protocols import PROTOCOLS as PROTOCOLS
    from .protocols import copy_floor as copy_floor
    from .protocols import disentanglement as disentanglement
    from .protocols import generation as generation
    from .protocols import identity as identity
    from .protocols import roll as roll
    from .protocols import static_floor as static_floor
    from .protocols import swap as swap
    from .tables import DRAWN as DRAWN
    from .tables import JUDGED as JUDGED
    from .tables import evaluate as evaluate
    from .tables import pooled as pooled

_HOMES = {
    "ALIKE": "literature",
    "DRAWN": "tables",
    "HeldOut": "held_out",
    "JUDGED": "tables",
    "PROTOCOLS": "protocols",
    "Published": "literature",
    "check_split": "held_out",
    "copy_floor": "protocols",
    "disentanglement": "protocols",
    "evaluate": "tables",
    "generation": "protocols",
    "identity": "protocols",
    "pooled": "tables",
    "published": "literature",
    "roll": "protocols",
    "static_floor": "protocols",
    "swap": "protocols",
    "write_figures": "figures",
}

__all__ = ["TABLES", *_HOMES]


__getattr__ = lazily(__name__, _HOMES)
