"""Clips in memory: their frames, their size, their transparency and their times."""

from .clip import Batch as Batch
from .clip import Clip as Clip
from .clip import as_frames as as_frames
from .clip import as_images as as_images
from .cutout import cut_out as cut_out
from .framing import framed as framed
from .framing import restored as restored
from .framing import straight as straight
from .timing import Timing as Timing
from .timing import in_units as in_units
