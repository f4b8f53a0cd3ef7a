"""Sources of clips. Names load on first use, so that the table of sources can be read without torch."""

from typing import TYPE_CHECKING

from .._lazy import lazily
from .sources import SOURCES as SOURCES
from .sources import SourceEntry as SourceEntry

if TYPE_CHECKING:
    from .cache.shards import Progress as Progress
    from .cache.source import StoredClips as StoredClips
    from .checkup import Checkup as Checkup
    from .checkup import check as check
    from .composed.characters import Art as Art
    from .composed.characters import Characters as Characters
    from .composed.sprites import ATTRIBUTION as ATTRIBUTION
    from .files.recording import Listing as Listing
    from .files.splits import SPLITS as SPLITS
    from .files.splits import assign as assign
    from .opening import list_clips as list_clips
    from .opening import open_clip as open_clip
    from .opening import open_source as open_source
    from .opening import reopen_source as reopen_source
    from .showcase import clip_rows as clip_rows
    from .showcase import examples as examples
    from .showcase import grid as grid
    from .showcase import in_step as in_step
    from .showcase import side_by_side as side_by_side
    from .showcase import window as window
    from .source import Exact as Exact
    from .source import Source as Source
    from .validation import ENOUGH as ENOUGH
    from .validation import with_validation as with_validation

_HOMES = {
    "ATTRIBUTION": "composed.sprites",
    "Art": "composed.characters",
    "Characters": "composed.characters",
    "Checkup": "checkup",
    "ENOUGH": "validation",
    "Exact": "source",
    "Listing": "files.recording",
    "Progress": "cache.shards",
    "SPLITS": "files.splits",
    "Source": "source",
    "StoredClips": "cache.source",
    "assign": "files.splits",
    "check": "checkup",
    "clip_rows": "showcase",
    "examples": "showcase",
    "grid": "showcase",
    "in_step": "showcase",
    "list_clips": "opening",
    "open_clip": "opening",
    "open_source": "opening",
    "reopen_source": "opening",
    "side_by_side": "showcase",
    "window": "showcase",
    "with_validation": "validation",
}

__all__ = ["SOURCES", "SourceEntry", *_HOMES]


__getattr__ = lazily(__name__, _HOMES)
