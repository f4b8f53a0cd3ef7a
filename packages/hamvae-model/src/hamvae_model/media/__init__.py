"""Pictures on disk: read a clip, write frames, lay clips out on a contact sheet."""

from .colour import read_colour as read_colour
from .contact import sheet as sheet
from .facts import Facts as Facts
from .gif import check_duration as check_duration
from .pictures import read_rgba as read_rgba
from .reading import probe as probe
from .reading import read as read
from .reading import read_sheet as read_sheet
from .reading import stream as stream
from .writing import picture_of as picture_of
from .writing import write as write
from .writing import write_sheet as write_sheet

__all__ = [
    "Facts",
    "check_duration",
    "picture_of",
    "probe",
    "read",
    "read_colour",
    "read_rgba",
    "read_sheet",
    "sheet",
    "stream",
    "write",
    "write_sheet",
]
