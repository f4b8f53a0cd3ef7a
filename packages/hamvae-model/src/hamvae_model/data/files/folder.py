"""A folder of clips: ``DIR/<action>/<clip>``, and what a table `clips.csv` beside the actions says of them."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from ... import media
from ...config import DataConfig
from ...errors import HamvaeError, UsageError
from ...media.layout import described_by
from ...media.pictures import STILLS
from ...media.reading import EXTENSIONS
from ...words import is_plain, printable
from .clips_csv import NAME as TABLE
from .clips_csv import read_clips_csv
from .recording import Listing, Recording, dead_end, visible


def find_folder(root: Path, data: DataConfig, device: object) -> Listing:
    """As `list_folder`."""
    return list_folder(root)


def list_folder(root: Path) -> Listing:
    """What stands under `root`; no clip is decoded.

    An action is a folder, named as people are to call the motion. A clip in it is a picture or video file, or a folder
    of numbered pictures. A sprite sheet may stand anywhere: its layout (`media.layout`) names the actions. Names that
    begin with a dot are not looked at.

    Raises: UsageError: no such folder, one that cannot be read or holds no clips, or a wrong `clips.csv`.
    """
    if not root.is_dir():
        raise UsageError(f"There is no folder of clips '{root}'; check the spelling.")
    found = _Found(root)
    found.look()
    if not found.recordings and not found.problems:
        raise UsageError(f"'{root}' holds no clips; put them into a folder for each action: {root}/walk/hero.gif.")
    recordings = found.recordings
    if (root / TABLE).exists():
        rows = read_clips_csv(root / TABLE, [*(recording.name for recording in recordings), *found.problems])
        recordings = [
            dataclasses.replace(recording, **dataclasses.asdict(rows[recording.name]))
            if recording.name in rows
            else recording
            for recording in recordings
        ]
    return Listing(root=root, recordings=tuple(recordings), problems=found.problems, ignored=tuple(found.ignored))


class _Found:
    """What a walk through a folder comes across."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.recordings: list[Recording] = []
        self.problems: dict[str, HamvaeError] = {}
        self.ignored: list[str] = []

    def look(self) -> None:
        for path in visible(self.root):
            if self._leads_nowhere(path):
                continue
            if path.is_dir() and not is_plain(path.name):
                self._refuse(path, "names a motion with signs in it that cannot be shown; rename it.")
            elif path.is_dir():
                self._guarded(path, self._look_into)
            elif path.name != TABLE:
                self._look_at(path, None)

    def _look_into(self, folder: Path) -> None:
        """One action, or sheets of several."""
        before = len(self.recordings) + len(self.problems)
        for path in visible(folder):
            if self._leads_nowhere(path):
                continue
            if path.is_dir():
                self._guarded(path, lambda frames: self._add_frames(frames, folder.name))
            else:
                self._look_at(path, folder.name)
        if len(self.recordings) + len(self.problems) == before:
            self._refuse(folder, "holds no clips; put some there, or remove it.")

    def _look_at(self, path: Path, label: str | None) -> None:
        """A file: a sheet of several actions, a clip of its folder's, or something else."""
        if path.suffix.lower() not in EXTENSIONS:
            self.ignored += [printable(self._name(path))] if path.suffix != ".toml" else []
            return
        layout = described_by(path) if path.suffix.lower() in STILLS else None
        try:
            actions = media.probe(path).actions if layout else ()
        except HamvaeError as error:
            self.problems[self._name(path)] = error
            return
        files = (path, layout) if layout else (path,)
        for action in actions:
            self._add(path, action, files, part=f"#{action}")
        if not actions and label is None:
            self._refuse(path, "lies outside of the folders that name the actions; move it into one.")
        elif label is not None and not actions:
            self._add(path, label, files)

    def _add_frames(self, folder: Path, label: str) -> None:
        pictures = tuple(path for path in visible(folder) if path.suffix.lower() in EXTENSIONS)
        if dead := next(((path, why) for path in pictures if (why := dead_end(path))), None):
            self.problems[self._name(folder)] = UsageError(f"{dead[0]} {dead[1]}")
        elif pictures:
            self._add(folder, label, pictures)
        else:
            self._refuse(folder, "holds no pictures; a folder inside an action is a clip of numbered frames.")

    def _add(self, path: Path, label: str, files: tuple[Path, ...], part: str = "") -> None:
        # A sheet says whether its actions repeat, which only a whole clip tells; long videos are read in pieces.
        decode = (lambda: [media.read(f"{path}{part}")]) if part else (lambda: media.stream(path))
        self.recordings.append(Recording(name=self._name(path) + part, label=label, files=files, decode=decode))

    def _guarded(self, folder: Path, look: Callable[[Path], None]) -> None:
        try:
            look(folder)
        except PermissionError:
            self._refuse(folder, "may not be read; change its permissions or copy it elsewhere.")

    def _leads_nowhere(self, path: Path) -> bool:
        """Whether something is of no use, which is then noted."""
        if why := dead_end(path):
            self._refuse(path, why)
        return why is not None

    def _refuse(self, path: Path, why: str) -> None:
        self.problems[printable(self._name(path))] = UsageError(f"{path} {why}")

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()
