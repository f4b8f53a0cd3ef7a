"""kill -9 at any moment: nothing that was saved is lost, and what comes out in the end is the same to the last bit."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from .conftest import STEPS
from .figures import record
from .lives import SAVE_EVERY, End, Fault, Lives, lives
from .runs import differences, problems

SEED = 7
WORKERS = 3  # that kill side by side; they wait for the disk now and then
PATIENCE = 600  # seconds; the machine may be busy


class Victims:
    """Runs that are killed and resumed; `kills` counts, `lost` lists what was lost."""

    def __init__(self, nursery: Lives, undisturbed: tuple[Path, End], folder: Path) -> None:
        self.nursery, self.folder = nursery, folder
        self.undisturbed, self.seconds = undisturbed[0], undisturbed[1].seconds
        self.kills, self.runs = 0, 0
        self.lost: list[str] = []

    def begun(self, copied: Path | None = None) -> Path:
        """A folder for a run, empty or with a copy of another in it."""
        self.runs += 1
        run = self.folder / f"run-{self.runs}"
        if copied:
            shutil.copytree(copied, run)
        return run

    def at_call(self, number: int, copied: Path | None = None) -> None:
        """Kill a life at a call to the disk, and resume."""
        run = self.begun(copied)
        end = self.nursery.live(run, STEPS, Fault(kill_at=number))
        assert end.killed, end
        self.look(run, end.saved, f"killed at call {number}")
        self.finish(run)

    def at_moments(self, draw: random.Random, kills: int) -> None:
        """Kill so many lives at random moments, each run's again and again until one is over before; then resume."""
        enough = self.kills + kills
        while self.kills < enough:
            run, saved = self.begun(), 0
            while self.kills < enough:
                after = draw.uniform(0, self.seconds)
                end = self.nursery.live(run, STEPS, Fault(kill_after=after))
                saved = max(saved, end.saved)
                if not end.killed:
                    self.seconds = end.seconds  # the machine may be less busy by now
                    break
                self.look(run, saved, f"killed after {after:.3f} s")
            self.finish(run)

    def commanded(self, draw: random.Random, kills: int, half_done: Path, whole: tuple[Path, float]) -> None:
        """The same with `hamvae train --resume` in a process of its own, from its first moment to its last.

        Args:
            whole: a run that the command resumed undisturbed from the same state, and how many seconds that took.
        """
        enough = self.kills + kills
        while self.kills < enough:
            run = self.begun(half_done)
            while self.kills < enough and command(run, draw.uniform(0, whole[1])) == -signal.SIGKILL:
                self.look(run, SAVE_EVERY, "the command was killed")
            if code := command(run, PATIENCE):
                self.lost.append(f"{run.name} could not be resumed by the command: it exits with {code}")
            self.lost += [f"{name} of {run.name} differs" for name in differences(run, whole[0])]

    def look(self, run: Path, saved: int, how: str) -> None:
        self.kills += 1
        self.lost += [f"{run.name}, {how}: {problem}" for problem in problems(run, saved)]

    def finish(self, run: Path) -> None:
        end = self.nursery.live(run, STEPS)
        if end.said != "finished":
            self.lost.append(f"{run.name} could not be resumed: {end.said}")
        self.lost += [f"{name} of {run.name} differs" for name in differences(run, self.undisturbed)]
        shutil.rmtree(run)


@pytest.fixture
def victims(nursery: Lives, undisturbed: tuple[Path, End], tmp_path: Path) -> Victims:
    return Victims(nursery, undisturbed, tmp_path)


def test_a_run_killed_while_it_writes_or_learns_ends_like_one_that_was_not(
    victims: Victims, undisturbed: tuple[Path, End]
) -> None:
    draw = random.Random(SEED)
    for number in sorted(draw.sample(range(1, len(undisturbed[1].calls) + 1), 4)):
        victims.at_call(number)
    victims.at_moments(draw, 2)
    assert not victims.lost


def test_what_a_kill_may_not_do_is_noticed(undisturbed: tuple[Path, End], tmp_path: Path) -> None:
    run = shutil.copytree(undisturbed[0], tmp_path / "run")
    weights = run / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    (told,) = problems(run, STEPS)
    assert "weights.safetensors' is damaged" in told
    assert differences(run, undisturbed[0]) == ["weights.safetensors"]
    for state in (run / "state").iterdir():
        state.write_bytes(state.read_bytes()[:-1] + b"!")
    assert len(problems(run, STEPS)) == 1 + len(list((run / "state").iterdir())) > 2
    shutil.rmtree(run / "state")
    assert f"It was saved after step {STEPS}, and only the states of [] are there." in problems(run, STEPS)


@pytest.mark.long
def test_hundreds_of_kills_lose_nothing(
    nursery: Lives, undisturbed: tuple[Path, End], half_done: Path, tmp_path: Path
) -> None:
    began = time.perf_counter()
    resumed = nursery.live(shutil.copytree(half_done, tmp_path / "resumed"), STEPS)
    by_command = shutil.copytree(half_done, tmp_path / "by-command")
    assert command(by_command, PATIENCE) == 0
    whole = by_command, time.perf_counter() - began
    jobs: list[tuple[str, Callable[[Victims], None]]] = [
        *[("at every step of saving", partial(Victims.at_call, number=n)) for n in moments(undisturbed[1].calls)],
        *[
            ("at every step of saving, of a resumed run", partial(Victims.at_call, number=n, copied=half_done))
            for n in moments(resumed.calls)
        ],
        *[("at random moments", partial(Victims.at_moments, draw=random.Random(n), kills=3)) for n in range(20)],
        *[
            (
                "at random moments of the command",
                partial(Victims.commanded, draw=random.Random(n), kills=2, half_done=half_done, whole=whole),
            )
            for n in range(6)
        ],
    ]

    def work(number: int) -> tuple[Counter[str], list[str]]:
        counts: Counter[str] = Counter()
        with lives() as own:
            victims = Victims(own, undisturbed, tmp_path / f"worker-{number}")
            for kind, job in jobs[number::WORKERS]:
                before = victims.kills
                job(victims)
                counts[kind] += victims.kills - before
        return counts, victims.lost

    with ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(work, range(WORKERS)))
    counts = sum((counts for counts, _ in done), Counter[str]())
    lost = [problem for _, lost in done for problem in lost]
    record(
        "kill",
        {
            "tried": "kill -9 of a run, at every step of saving and at random moments, then resumed to its end and "
            "compared with a run that was not killed",
            "times": counts.total(),
            "lost": len(lost),
            "counts": counts,
            "minutes": round((time.perf_counter() - began) / 60, 1),
        },
    )
    assert counts.total() >= 200 and not lost


def moments(calls: tuple[str, ...]) -> list[int]:
    """The numbers of the calls to be killed at: all but most of the writes between a write and a write."""
    return [
        number
        for number, around in enumerate(zip(("", *calls), calls, (*calls[1:], ""), strict=False), start=1)
        if set(around) != {"write"} or number % 8 == 0
    ]


def command(run: Path, seconds: float) -> int:
    """Resume a run by the command, and kill it after some seconds if it has not ended; returns how it ended."""
    words = [sys.executable, "-m", "hamvae_cli", "train", "--device", "cpu", "--resume", str(run)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_DISABLE_JIT": "1"}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    return process.wait(PATIENCE)
