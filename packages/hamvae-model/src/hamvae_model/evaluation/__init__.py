"""What a model is worth on clips it has never seen: protocols, each in a file, and judges to ask.

The names of the tables load on first use: training needs the metrics alone, and a judge needs training.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..config.choices import TABLES as TABLES

if TYPE_CHECKING:
    from .tables import evaluate as evaluate
    from .tables import pooled as pooled

__all__ = ["TABLES", "evaluate", "pooled"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".tables", __name__), name)
