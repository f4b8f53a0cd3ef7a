"""Runs inputs one after the other in a process of its own and tells its parent, a line of JSON each, how each went.

    python -m tests.faults.fuzzing.worker SEEDS WORK < PLAN

The plan is a list of targets and numbers in JSON. Every input gets an empty folder to work in. Whatever is opened for
writing, removed, renamed or run outside of it is noted by an audit hook, which sees what Python code does, whoever
wrote it.
"""

import functools
import gc
import json
import os
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import torch

from hamvae_model import HamvaeError
from hamvae_model.presets import PRESETS

from . import doors
from .campaign import MOST, PATIENCE
from .examples import EXAMPLES
from .seeds import TINY, open_seeds
from .targets import TARGETS

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "os.chmod",
    "os.chown",
}
RUNS = {"os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "pickle.find_class", "socket.connect"}


class Watch:
    """What is done while an input is at work that no input may do."""

    def __init__(self, allowed: list[Path]) -> None:
        self.allowed = [os.path.realpath(folder) for folder in allowed]
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.on or not (event == "open" or event in CHANGES or event in RUNS) or _at_work():
            return
        if event == "subprocess.Popen" and given[0] in ("git", "uname"):  # asked for what this program runs on
            return
        if event in RUNS:
            self.seen.append(f"{event} {given!r:.200}")
            return
        if event == "open":
            path, mode, flags = given
            writes = any(sign in mode for sign in "wax+") if mode else (flags or 0) & WRITING
            paths = [path] if writes else []
        else:
            paths = list(given[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1])
        for path in paths:
            if isinstance(path, int):
                continue
            path = os.path.abspath(os.fsdecode(path))
            real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            if event == "open" and not (flags or 0) & os.O_NOFOLLOW:
                real = os.path.realpath(path)
            if real != os.devnull and not any(Path(real).is_relative_to(folder) for folder in self.allowed):
                self.seen.append(f"{event} {real}")


def _at_work() -> bool:
    """Whether numba is, which keeps what it compiled in files of its own, or Python, which does so with modules."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if f"{os.sep}numba{os.sep}" in name or name.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def memory(key: str) -> float:
    """MiB of this process: VmRSS now, VmHWM at most since `forget_peak`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def idled() -> float:
    """Seconds by the clock, from some moment on, in which this process neither worked nor could have."""
    queued = 0.0
    with suppress(OSError, ValueError, IndexError):  # then what it waits for the processor counts as well
        queued = int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    return time.monotonic() - time.process_time() - queued


def forget_peak() -> None:
    with suppress(OSError):  # then a peak counts for every input after it, until a higher one
        Path("/proc/self/clear_refs").write_text("5")


def standing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def main(seeds_at: Path, work: Path, plan: list[tuple[str, int]]) -> None:
    answers = os.fdopen(os.dup(1), "w")

    def say(**facts: object) -> None:
        print(json.dumps(facts), file=answers, flush=True)

    torch.set_num_threads(1)
    for module in (torch.cuda, torch.backends.mps):
        module.is_available = functools.wraps(module.is_available)(lambda: False)
    PRESETS["demo"] = TINY
    seeds = open_seeds(seeds_at)
    inside, outside, scratch = work / "inside", work / "outside", work / "scratch"
    for folder in (outside, scratch):
        folder.mkdir(parents=True, exist_ok=True)
    (outside / "index.json").write_text("{}")
    (outside / "step-000001.png").write_text("somebody's own")
    for variable in ("HOME", "XDG_CACHE_HOME", "TMPDIR"):
        os.environ[variable] = str(scratch)
    for variable in ("HAMVAE_CACHE", "HAMVAE_SPRITES_SHEETS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        os.environ.pop(variable, None)
    doors.check_folder(seeds.copy("clips", scratch / f"clips-{os.getpid()}"))  # what is compiled once is, by now
    watch = Watch([inside, scratch])
    for index, (name, number) in enumerate(plan):
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir(parents=True)
        os.chdir(inside)
        door = EXAMPLES[name] if name in EXAMPLES else TARGETS[name](Random(f"{name}/{number}"), inside, seeds)
        kept = standing(outside)
        if index % 50 == 0:
            gc.collect()
            gc.freeze()  # what stays anyway takes half a second to look through
        forget_peak()
        say(begun=[name, number])
        facts = taken_to(door, watch)
        if standing(outside) != kept:
            facts["wrong"] += "\nit changed what stands outside"
        if facts["wrong"]:
            keep(work, name, number)
        say(done=[name, number], **facts)


def keep(work: Path, name: str, number: int) -> None:
    """Put an input aside, to be looked at."""
    kept = work.parent / "wrong" / f"{name.replace(' ', '-')}-{number}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(exist_ok=True)
    (work / "inside").rename(kept)


def taken_to(door: Callable[[], object], watch: Watch) -> dict[str, Any]:
    """What came of one input."""
    wrong, outcome, words = "", "accepted", ""
    before, began, idle = memory("VmRSS"), time.process_time(), idled()
    watch.on = True
    try:
        door()
    except (HamvaeError, doors.Refused) as error:
        outcome, words = "refused", str(error)
    except doors.Wrong as error:
        wrong = f"{error}\n{traceback.format_exc()}"
    except BaseException:
        wrong = traceback.format_exc()
    watch.on = False
    seconds, idle, peak = time.process_time() - began, idled() - idle, memory("VmHWM") - before
    try:
        if outcome == "refused":
            doors.sentence(words)
    except doors.Wrong as error:
        wrong = str(error)
    if watch.seen:
        wrong += f"\nit did what no input may: {watch.seen}"
        watch.seen = []
    if list(Path().rglob("escaped")):
        wrong += "\ncode from the input ran"
    if not wrong and seconds > PATIENCE:
        wrong = f"it took {seconds:.1f} s"
    if not wrong and idle > PATIENCE:
        wrong = f"it waited {idle:.1f} s for something else than the processor"
    if not wrong and peak > MOST:
        wrong = f"it took {peak:.0f} MiB"
    return {"outcome": outcome, "words": words, "wrong": wrong, "seconds": seconds, "peak": peak}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.load(sys.stdin))
