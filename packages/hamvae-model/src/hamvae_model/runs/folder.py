"""A run folder: made, filled, swept, and compared with the data it was begun with."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from ..config import Config
from ..errors import DiskError, HamvaeError, UsageError
from ..files.atomic import sweep, write_bytes
from ..files.bounded import read_bytes, read_json
from ..limits import INDEX_LIMIT
from .inventory import differences
from .paths import BEST, CONFIG, ENVIRONMENT, INVENTORY, LOG, SAMPLES, STATES, WEIGHTS, kept_states


def make_folder(run: Path) -> None:
    """Make a folder for a new run.

    Raises: UsageError: it holds a run already, or other files that a run would replace, or cannot be made.
    """
    _refuse_a_run(run)
    try:
        (run / STATES).mkdir(parents=True, exist_ok=True)
        (run / SAMPLES).mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"The run folder '{run}' cannot be made ({error.strerror}); choose another --run.") from None


def create_run(run: Path, config: Config, inventory: Mapping[str, str]) -> None:
    """Fill the folder with its configuration and the inventory of its data.

    Raises: UsageError: it holds a run by now, or cannot be written to.
    """
    _refuse_a_run(run)
    for leftover in _replaced(run):
        leftover.unlink(missing_ok=True)  # of a run that ended before it was saved
    write_config(run, config)
    if inventory:
        write_bytes(run / INVENTORY, json.dumps(inventory, indent=0).encode())


def _refuse_a_run(run: Path) -> None:
    if kept_states(run) or (run / WEIGHTS).exists():
        raise UsageError(
            f"'{run}' already holds a run; continue it with `hamvae train --resume {shlex.quote(str(run))}`, or choose "
            "another folder."
        )
    found = [str(path.relative_to(run)) for path in _replaced(run) if path.exists()]
    if found and not _is_config(run / CONFIG):
        raise UsageError(f"'{run}' holds {', '.join(found)}, which a run would replace; choose another folder.")


def _replaced(run: Path) -> list[Path]:
    """The files that a new run puts others in the place of, beside weights and states."""
    return [run / name for name in (CONFIG, LOG, BEST, INVENTORY, ENVIRONMENT)] + sorted(
        (run / SAMPLES).glob("step-*.png")
    )


def _is_config(path: Path) -> bool:
    """Whether a run was begun there, for which it is written first."""
    try:
        Config.from_json(read_bytes(path, INDEX_LIMIT).decode())
    except (OSError, ValueError, HamvaeError):
        return False
    return True


def sweep_run(run: Path) -> None:
    """Remove what a process that was killed while it wrote left in a run folder that nobody else trains in.

    Raises: UsageError: a part of the run is a link, behind which anything could be removed or replaced.
    """
    for folder in (run, run / STATES, run / SAMPLES):
        if folder != run and folder.is_symlink():
            raise UsageError(
                f"'{folder}' is a link, and a run keeps to its own folder; put what it leads to in its place."
            )
        if folder.is_dir():
            sweep(folder)


def write_config(run: Path, config: Config) -> None:
    """Write the copy of the configuration that people read.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`.
    """
    write_bytes(run / CONFIG, config.to_json().encode())


def check_inventory(run: Path, inventory: Mapping[str, str]) -> None:
    """Compare the data with those the run was begun with.

    Raises: UsageError: clips were added, removed or changed, or moved from one side of the split to the other.
    """
    if not (run / INVENTORY).exists():
        return
    if told := differences(_inventory(run / INVENTORY), inventory):
        raise UsageError(
            f"The clips are not those that '{run}' was begun with: {told}. Put them back as they were, or "
            "begin a new run."
        )


def _inventory(path: Path) -> dict[str, str]:
    try:
        values = read_json(path)
        return {name: str(value) for name, value in values.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise HamvaeError(f"'{path}' is damaged and cannot be read ({error}); use another copy of the run.") from None


def sheet_path(run: Path, step: int) -> Path:
    """Where the sample sheet of a step goes, in a folder that may have been tidied away meanwhile.

    Raises: DiskError: the folder cannot be made.
    """
    folder = run / SAMPLES
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DiskError(f"'{folder}' cannot be made ({error.strerror}).") from None
    return folder / f"step-{step:06d}.png"
