"""The MUG facial expressions (Aifanti et al., 2010) in the layout their owners distribute, prepared as in the paper.

    DIR/<subject>/<expression>/<take>/<frame>.jpg

Every second frame is kept and the face cut out; `framing` then makes it 64×64, and training looks through random
windows of 8. Landmarks, where a take has any, say where the face is: a text file named after its frame with a point
``x y`` a line (.pts or .txt). Without them the middle of the picture is taken. The split is by subject, after MoCoGAN
(Tulyakov et al., 2018): nobody is in both, and a quarter of the subjects is held out.
"""

import functools
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from ... import media
from ...clips.clip import Clip
from ...config import DataConfig
from ...errors import HamvaeError, UsageError
from ...files.bounded import read_bytes
from ...limits import LAYOUT_LIMIT
from ...media.pictures import STILLS
from ...words import printable
from .recording import Listing, Recording, dead_end, visible

EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
STRIDE = 2  # frames of a take to one of a clip
HELD_OUT = 0.25  # of the subjects
LANDMARKS = (".pts", ".txt")
FAR = 10**6  # pixels: no landmark is further from the corner
MARGIN = 0.25  # of the landmarks' extent, around them: they reach from the brows to the chin, a face is more

Box = tuple[int, int, int, int]  # left, top, right, bottom


def find_mug(root: Path, data: DataConfig, device: object) -> Listing:
    """As `list_mug`."""
    return list_mug(root)


def list_mug(root: Path) -> Listing:
    """The takes under `root`, or under the only folder in it; no frame is decoded.

    Raises: UsageError: no such folder, or no takes in this layout.
    """
    if not root.is_dir():
        raise UsageError(f"There is no folder of MUG '{root}'; check --root.")
    recordings: list[Recording] = []
    problems: dict[str, HamvaeError] = {}
    ignored: list[str] = []
    subjects = [path for path in visible(root) if path.is_dir() and not dead_end(path)]
    if len(subjects) == 1 and not _expressions(subjects[0]):  # the archive's own folder, such as subjects3
        subjects = [path for path in visible(subjects[0]) if path.is_dir() and not dead_end(path)]
    held_out = _held_out([subject.name for subject in subjects])
    for subject in subjects:
        expressions = _expressions(subject)
        ignored += [
            printable(path.relative_to(root).as_posix()) for path in visible(subject) if path not in expressions
        ]
        for take in (path for expression in expressions for path in visible(expression) if path.is_dir()):
            name = printable(take.relative_to(root).as_posix())
            try:
                if why := dead_end(take):
                    raise UsageError(f"{take} {why}")
                recordings.append(_recording(name, take, "test" if subject.name in held_out else "train"))
            except HamvaeError as error:
                problems[name] = error
    if not recordings and not problems:
        raise UsageError(
            f"'{root}' does not hold MUG, which is subject/expression/take/frames with the expressions "
            f"{', '.join(EXPRESSIONS)}; name the folder of the subjects with --root."
        )
    return Listing(
        root=root,
        recordings=tuple(recordings),
        problems=problems,
        ignored=tuple(ignored),
        recipe=f"faces-every-{STRIDE}",
    )


def _recording(name: str, take: Path, split: str) -> Recording:
    """Raises: HamvaeError: no frames, or landmarks that cannot be read."""
    pictures = [path for path in visible(take) if path.suffix.lower() in STILLS]
    if not pictures:
        raise UsageError(f"{take} holds no frames; fetch the take again, or remove it.")
    stems = {path.stem for path in pictures}
    marks = [path for path in visible(take) if path.suffix.lower() in LANDMARKS and path.stem in stems]
    box = _around(marks)
    return Recording(
        name=name,
        label=take.parent.name.lower(),
        files=(*pictures, *marks),
        decode=functools.partial(_faces, take, box),
        identity=take.parent.parent.name,
        split=split,
        note="cropped to its landmarks" if box else "cropped to its centre",
    )


def _expressions(subject: Path) -> list[Path]:
    return [path for path in visible(subject) if path.is_dir() and path.name.lower() in EXPRESSIONS]


def _held_out(subjects: Sequence[str]) -> set[str]:
    """A quarter of the subjects, at least one, in an order that nobody chose."""
    order = sorted(subjects, key=lambda subject: hashlib.blake2b(os.fsencode(subject), digest_size=8).digest())
    return set(order[: max(1, round(HELD_OUT * len(order)))])


def _around(marks: Sequence[Path]) -> Box | None:
    """A square around the landmarks of a whole take, so that the face moves in it and not the picture."""
    points = [point for path in marks for point in _points(path)]
    if not points:
        return None
    across, down = ([point[axis] for point in points] for axis in (0, 1))
    side = (1 + 2 * MARGIN) * max(max(across) - min(across), max(down) - min(down), 1.0)
    left, top = (max(across) + min(across) - side) / 2, (max(down) + min(down) - side) / 2
    return round(left), round(top), round(left + side), round(top + side)


def _points(path: Path) -> Iterator[tuple[float, float]]:
    """The lines of two numbers; a .pts file has others around them.

    Raises: HamvaeError: it cannot be read, or has no such line.
    """
    try:
        lines = read_bytes(path, LAYOUT_LIMIT).decode().replace(",", " ").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HamvaeError(f"{path} cannot be read as landmarks ({error}); correct or remove it.") from None
    found = 0
    for line in lines:
        try:
            x, y = map(float, line.split())
        except ValueError:
            continue
        if not (abs(x) < FAR and abs(y) < FAR):
            raise HamvaeError(f"{path} has a landmark at {x:g} {y:g}, which is in no picture; correct or remove it.")
        found += 1
        yield x, y
    if not found:
        raise HamvaeError(f"{path} holds no landmarks, a point 'x y' a line; correct or remove it.")


def _faces(take: Path, box: Box | None) -> Iterator[Clip]:
    """Every `STRIDE`-th frame of a take, cut to the face, in units of the frames that are kept."""
    number = 0
    for piece in media.stream(take):
        kept = slice((-number) % STRIDE, None, STRIDE)
        number += len(piece)
        if len(piece.times[kept]):
            yield replace(piece, frames=_cut(piece, box)[kept], times=piece.times[kept] / STRIDE, alpha=None)


def _cut(piece: Clip, box: Box | None) -> Tensor:
    """The frames inside a box, which is moved into the picture where it reaches over an edge."""
    height, width = piece.frames.shape[-2:]
    if box is None:
        side = min(height, width)
        box = ((width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2)
    left, top, right, bottom = box
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise HamvaeError(f"{piece.source}: its landmarks lie outside of its {width}×{height} pixels; correct them.")
    across, down = min(right - left, width), min(bottom - top, height)
    left, top = min(max(left, 0), width - across), min(max(top, 0), height - down)
    return piece.frames[..., top : top + down, left : left + across]
