"""A disk that refuses: one sentence, nothing of what was saved is lost, and the run goes on when there is room."""

import errno
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import STEPS
from .figures import record
from .lives import FAILING, End, Fault, Lives
from .runs import differences, problems

SEED = 5
REFUSALS = {  # a disk stays full, a quota is full for a while, a bad block is bad once
    "the disk is full from then on": ((errno.ENOSPC,), True),
    "one call is over a quota, or fails": ((errno.EDQUOT, errno.EIO), False),
}
LIMITS = [0, 1, 100, 700, *range(1000, 320_000, 16_000)]  # bytes a file may have; those of a run have up to 309 000
SIZES = range(64, 1344, 64)  # KiB of a disk; a run has some 1200


class Patients:
    """Runs whose disk refuses, and which then go on; `times` counts, `lost` lists what was lost or badly said."""

    def __init__(self, nursery: Lives, undisturbed: Path, folder: Path) -> None:
        self.nursery, self.undisturbed, self.folder = nursery, undisturbed, folder
        self.times, self.refused = 0, 0
        self.lost: list[str] = []

    def suffer(self, fault: Fault, copied: Path | None = None) -> None:
        """Begin a run, or go on with a copy of one, while the disk refuses; then finish it."""
        run = self.folder / "run"
        if copied:
            shutil.copytree(copied, run)
        self.look(run, self.nursery.live(run, STEPS, fault), str(fault))
        self.finish(run, str(fault))

    def look(self, run: Path, end: End, how: str) -> None:
        self.times += 1
        self.refused += end.said != "finished"
        self.lost += [f"{how}: {problem}" for problem in problems(run, end.saved)]
        if end.said != "finished" and ("\n" in end.said or not end.said.endswith((".", f"--resume {run}"))):
            self.lost.append(f"{how}: this is not one sentence: {end.said}")

    def finish(self, run: Path, how: str) -> None:
        end = self.nursery.live(run, STEPS)
        if end.said != "finished":
            self.lost.append(f"{how}: it could not go on: {end.said}")
        self.lost += [f"{how}: {name} differs" for name in differences(run, self.undisturbed)]
        shutil.rmtree(run)


@pytest.fixture
def patients(nursery: Lives, undisturbed: tuple[Path, End], tmp_path: Path) -> Patients:
    return Patients(nursery, undisturbed[0], tmp_path)


def refusable(end: End) -> int:
    """How many calls of a life a full disk would refuse."""
    return sum(name in FAILING for name in end.calls)


def test_a_run_whose_disk_refuses_says_so_and_goes_on_when_there_is_room(
    patients: Patients, undisturbed: tuple[Path, End]
) -> None:
    draw = random.Random(SEED)
    for errors, lasting in REFUSALS.values():
        number = draw.randint(1, refusable(undisturbed[1]))
        patients.suffer(Fault(fail_at=number, error=draw.choice(errors), lasting=lasting))
    patients.suffer(Fault(largest=draw.choice(LIMITS)))
    assert patients.refused >= 2 and not patients.lost


@pytest.mark.long
def test_a_disk_that_refuses_any_call_costs_nothing_that_was_saved(
    patients: Patients, nursery: Lives, undisturbed: tuple[Path, End], half_done: Path
) -> None:
    began = time.perf_counter()
    counts = {}
    resumed = shutil.copytree(half_done, patients.folder / "resumed")
    ways = {
        "begun": (None, refusable(undisturbed[1])),
        "resumed": (half_done, refusable(nursery.live(resumed, STEPS))),
    }
    for words, (errors, lasting) in REFUSALS.items():
        for how, (copied, calls) in ways.items():
            for number in range(1, calls + 1):
                error = errors[number % len(errors)]
                patients.suffer(Fault(fail_at=number, error=error, lasting=lasting), copied)
            counts[f"{words}: at each of its calls in turn, {how}"] = calls
    for limit in LIMITS:
        patients.suffer(Fault(largest=limit), half_done)
    counts["files may not be longer than some bytes"] = len(LIMITS)
    before = patients.times
    small = fill_small_disks(patients)
    counts["small disks"] = patients.times - before
    record(
        "full-disk",
        {
            "tried": "a disk that refuses: every call to it in turn, longer files, and small disks; then resumed with "
            "room to its end and compared with a run that was not disturbed",
            "times": patients.times,
            "lost": len(patients.lost),
            "refused in one sentence": patients.refused,
            "counts": counts,
            "small_disks": small,
            "minutes": round((time.perf_counter() - began) / 60, 1),
        },
    )
    assert not patients.lost


def fill_small_disks(patients: Patients) -> str:
    """Begin a run on real disks that are too small for it, and go on where there is room; what came of mounting."""
    disk = patients.folder / "disk"
    disk.mkdir()
    for size in SIZES:
        try:
            with mounted(disk, size):
                end = patients.nursery.live(disk / "run", STEPS)
                patients.look(disk / "run", end, f"a disk of {size} KiB")
                shutil.copytree(disk / "run", patients.folder / "run")
        except (OSError, subprocess.CalledProcessError) as error:
            return f"not mounted: {getattr(error, 'stderr', error)}"
        patients.finish(patients.folder / "run", f"a disk of {size} KiB")
    return f"{len(SIZES)} mounted, of {SIZES[0]} to {SIZES[-1]} KiB"


@contextmanager
def mounted(folder: Path, size: int) -> Iterator[None]:
    """An empty disk of `size` KiB in memory; making one takes the rights of root."""

    def call(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)

    call("mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder))
    try:
        yield
    finally:
        call("umount", str(folder))
