"""Fuzzes targets through worker processes that it watches: one that hangs or grows is ended, and the rest goes on."""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 10.0  # seconds of the processor an input may take
BUSY = 6  # times as long by the clock, for it may wait for the processor
STARTING = 300.0  # seconds a worker may take to load everything, on a busy machine
MOST = 1024.0  # MiB an input may take over what the worker has before it
LOOK_EVERY = 0.05  # seconds


@dataclass
class Tally:
    """How the inputs of one target went.

    Args:
        refused, accepted: how many, of those that went right.
        slowest: seconds of the processor.
        peak: MiB over what the process had before.
        wrong: what each of the others did, by number; its input is kept in the folder named there.
        said: sentences of refusal.
    """

    refused: int = 0
    accepted: int = 0
    slowest: float = 0.0
    peak: float = 0.0
    wrong: dict[int, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        return self.refused + self.accepted + len(self.wrong)


def fuzz(plan: Sequence[tuple[str, int]], seeds: Path, folder: Path, *, patience: float = PATIENCE) -> dict[str, Tally]:
    """Take inputs to their doors, each known by its target and its number.

    Args:
        seeds: what `make_seeds` made.
        folder: to work in; inputs that went wrong are kept below it.
        patience: seconds of the processor an input may take.

    Returns: how it went, by target.
    """
    tallies = {target: Tally() for target, _ in plan}
    rest = list(plan)
    while rest:
        rest = rest[_until_it_ends(rest, seeds, folder, tallies, patience) :]
    return tallies


def _until_it_ends(
    plan: Sequence[tuple[str, int]], seeds: Path, folder: Path, tallies: dict[str, Tally], patience: float
) -> int:
    """Run one worker; returns how many inputs are behind it."""
    work = folder / "work"
    paths = os.pathsep.join(str(path) for path in sorted(ROOT.glob("packages/*/src")))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"}
    complaints = folder / "standard-error.txt"
    (folder / "plan.json").write_text(json.dumps(plan))
    with complaints.open("w") as errors, (folder / "plan.json").open() as planned:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.fuzzing.worker", str(seeds), str(work)],
            cwd=ROOT,
            env=environment,
            stdin=planned,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda: [lines.put(line) for line in worker.stdout or ()], daemon=True)
    reader.start()
    done, at, before, ended = 0, None, 0.0, ""
    deadline = time.monotonic() + STARTING
    try:
        while not ended:
            try:
                facts = json.loads(lines.get(timeout=LOOK_EVERY))
            except queue.Empty:
                if worker.poll() is not None and not reader.is_alive() and lines.empty():
                    break
                if time.monotonic() > deadline:
                    ended = f"it hung: no end after {BUSY * patience:g} s"
                elif before and _resident(worker.pid) - before > 2 * MOST:
                    ended = f"it took more than {2 * MOST:g} MiB"
                continue
            if "begun" in facts:
                at, before, deadline = facts["begun"], _resident(worker.pid), time.monotonic() + BUSY * patience
            elif "done" in facts:
                _count(tallies, facts, folder)
                done, at, before, deadline = done + 1, None, 0.0, time.monotonic() + STARTING
    finally:
        worker.kill()
        worker.wait()
        if worker.stdout:
            worker.stdout.close()
    if at is not None:
        what = ended or f"it ended the process ({worker.returncode}): {complaints.read_text()[-3000:]}"
        (folder / "wrong").mkdir(exist_ok=True)
        shutil.rmtree(kept := folder / "wrong" / f"{at[0].replace(' ', '-')}-{at[1]}", ignore_errors=True)
        (work / "inside").rename(kept)
        facts = {"done": at, "outcome": "wrong", "wrong": what, "words": "", "seconds": 0.0, "peak": 0.0}
        _count(tallies, facts, folder)
        done += 1
    elif done < len(plan):
        raise AssertionError(f"The worker stopped before input {plan[done]}: {ended} {complaints.read_text()}")
    return done


def _count(tallies: dict[str, Tally], facts: dict[str, Any], folder: Path) -> None:
    (target, number), wrong = facts["done"], facts["wrong"]
    tally = tallies[target]
    tally.slowest, tally.peak = max(tally.slowest, facts["seconds"]), max(tally.peak, facts["peak"])
    if wrong:
        tally.wrong[number] = f"{target}, input {number} (kept in {folder / 'wrong'}): {wrong}"
    elif facts["outcome"] == "refused":
        tally.refused += 1
        tally.said.append(facts["words"])
    else:
        tally.accepted += 1


def _resident(pid: int) -> float:
    """MiB that a process has in memory; 0 where this cannot be seen."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError, ValueError):
        return 0.0
