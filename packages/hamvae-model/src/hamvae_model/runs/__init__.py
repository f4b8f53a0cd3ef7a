"""Run folders: what is written, how it is written whole, and how it is read back. Names load on first use."""

from typing import TYPE_CHECKING

from .._lazy import lazily
from .paths import BEST as BEST
from .paths import CONFIG as CONFIG
from .paths import WEIGHTS as WEIGHTS
from .paths import check_there as check_there
from .paths import kept_states as kept_states
from .paths import steps_done as steps_done

if TYPE_CHECKING:
    from .environment import provenance as provenance
    from .final import earlier_finals as earlier_finals
    from .final import record_final as record_final
    from .inventory import differences as differences
    from .states import State as State
    from .states import load_config as load_config
    from .states import read_state as read_state
    from .weights import load as load
    from .weights import save_weights as save_weights
    from .weights import stored_format as stored_format

_HOMES = {
    "State": "states",
    "differences": "inventory",
    "earlier_finals": "final",
    "load": "weights",
    "load_config": "states",
    "provenance": "environment",
    "read_state": "states",
    "record_final": "final",
    "save_weights": "weights",
    "stored_format": "weights",
}

__all__ = ["BEST", "CONFIG", "WEIGHTS", "check_there", "kept_states", "steps_done", *_HOMES]


__getattr__ = lazily(__name__, _HOMES)
