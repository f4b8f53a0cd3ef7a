"""kill -9 at any moment: nothing that was saved is lost, and what comes out in the end is the same to the last bit."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from .conftest import STEPS
from .figures import record
from .lives import SAVE_EVERY, End, Fault, Lives
from .runs import differences, problems

SEED = 7
PATIENCE = 600  # seconds; the machine may be busy


class Victims:
    """Runs that are killed and resumed; `kills` counts, `lost` lists what was lost."""

    def __init__(self, nursery: Lives, undisturbed: Path, folder: Path) -> None:
        self.nursery, self.undisturbed, self.folder = nursery, undisturbed, folder
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

    def at_moments(self, draw: random.Random, seconds: float, kills: int) -> None:
        """Kill lives of a run at random moments, until one is over before or there were so many; then resume."""
        run = self.begun()
        saved = 0
        for _ in range(kills):
            after = draw.uniform(0, seconds)
            end = self.nursery.live(run, STEPS, Fault(kill_after=after))
            saved = max(saved, end.saved)
            if not end.killed:
                break
            self.look(run, saved, f"killed after {after:.3f} s")
        self.finish(run)

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
    return Victims(nursery, undisturbed[0], tmp_path)


def test_a_run_killed_while_it_writes_or_learns_ends_like_one_that_was_not(
    victims: Victims, undisturbed: tuple[Path, End]
) -> None:
    draw = random.Random(SEED)
    for number in sorted(draw.sample(range(1, len(undisturbed[1].calls) + 1), 4)):
        victims.at_call(number)
    victims.at_moments(draw, undisturbed[1].seconds, 2)
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
    victims: Victims, nursery: Lives, undisturbed: tuple[Path, End], half_done: Path
) -> None:
    began = time.perf_counter()
    draw = random.Random(SEED)
    resumed = nursery.live(victims.begun(half_done), STEPS)
    counts = {}
    for what, calls, copied in (("fresh", undisturbed[1].calls, None), ("resumed", resumed.calls, half_done)):
        for number in moments(calls):
            victims.at_call(number, copied)
        counts[f"at every step of saving, {what}"] = victims.kills - sum(counts.values())
    while victims.kills - sum(counts.values()) < 60:
        victims.at_moments(draw, undisturbed[1].seconds, 5)
    counts["at random moments"] = victims.kills - sum(counts.values())
    cold(victims, draw, half_done, 20)
    counts["at random moments of the command"] = victims.kills - sum(counts.values())
    record(
        "kill",
        {
            "tried": "kill -9 of a run, at every step of saving and at random moments, then resumed to its end and "
            "compared with a run that was not killed",
            "times": victims.kills,
            "lost": len(victims.lost),
            "counts": counts,
            "minutes": round((time.perf_counter() - began) / 60, 1),
        },
    )
    assert victims.kills >= 200 and not victims.lost


def moments(calls: tuple[str, ...]) -> list[int]:
    """The numbers of the calls to be killed at: all but most of the writes between a write and a write."""
    return [
        number
        for number, around in enumerate(zip(("", *calls), calls, (*calls[1:], ""), strict=False), start=1)
        if set(around) != {"write"} or number % 8 == 0
    ]


def cold(victims: Victims, draw: random.Random, half_done: Path, kills: int) -> None:
    """The same with `hamvae train --resume` in a process of its own, from its first moment to its last."""
    whole = victims.begun(half_done)
    began = time.perf_counter()
    assert command(whole, PATIENCE) == 0
    seconds = time.perf_counter() - began
    while kills > 0:
        run = victims.begun(half_done)
        while kills > 0 and command(run, draw.uniform(0, seconds)) == -signal.SIGKILL:
            victims.look(run, SAVE_EVERY, "the command was killed")
            kills -= 1
        if code := command(run, PATIENCE):
            victims.lost.append(f"{run.name} could not be resumed by the command: it exits with {code}")
        victims.lost += [f"{name} of {run.name} differs" for name in differences(run, whole)]


def command(run: Path, seconds: float) -> int:
    """Resume a run by the command, and kill it after some seconds if it has not ended; returns how it ended."""
    words = [sys.executable, "-m", "hamvae_cli", "train", "--device", "cpu", "--resume", str(run)]
    process = subprocess.Popen(
        words, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    return process.wait(PATIENCE)
