"""Judges: classifiers that say what a clip shows, so that a model's clips can be scored. Names load on first use."""

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .augment import augmented as augmented
    from .config import ACTION as ACTION
    from .config import JUDGES as JUDGES
    from .config import JudgeConfig as JudgeConfig
    from .config import default_path as default_path
    from .network import REQUIRED as REQUIRED
    from .network import Judge as Judge
    from .storage import load_judge as load_judge
    from .storage import save_judge as save_judge
    from .training import measure as measure
    from .training import measured_on as measured_on
    from .training import train_judge as train_judge
    from .training import truth as truth
    from .training import verdicts as verdicts

_HOMES = {
    "ACTION": "config",
    "JUDGES": "config",
    "Judge": "network",
    "JudgeConfig": "config",
    "REQUIRED": "network",
    "augmented": "augment",
    "default_path": "config",
    "load_judge": "storage",
    "measure": "training",
    "measured_on": "training",
    "save_judge": "storage",
    "train_judge": "training",
    "truth": "training",
    "verdicts": "training",
}

__all__ = [*_HOMES]


__getattr__ = lazily(__name__, _HOMES)
