"""A run folder belongs to one process at a time, and to nobody once that process is gone."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import hamvae_model as hv
from hamvae_model import HamvaeError, UsageError
from hamvae_model.data import Characters
from hamvae_model.runs.lock import LOCK, run_lock

PATIENCE = 600  # seconds; the machine may be busy
HOLD = """
import os, sys, time
from pathlib import Path
from hamvae_model.runs.lock import run_lock
with run_lock(Path(sys.argv[1])):
    if "fork" in sys.argv:
        heard, said = os.pipe()
        if os.fork() == 0:
            os.write(said, b"here")  # it runs, and has let go of what it inherited
            sys.stdout.close()
            time.sleep(600)
        os.read(heard, 4)
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""
Holding = Callable[..., "subprocess.Popen[str]"]


pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
def config(tiny: hv.Config) -> hv.Config:
    return replace(tiny, training=replace(tiny.training, steps=4, sample_every=100))


@pytest.fixture
def holding(tmp_path: Path) -> Generator[Holding, None, None]:
    """Another process that holds the lock of this folder until its input is closed."""
    processes = []

    def hold(*words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", HOLD, str(tmp_path), *words]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        processes.append(process)
        assert process.stdout is not None and process.stdout.readline() == f"{process.pid}\n"
        return process

    yield hold
    for process in processes:
        with closing(process.stdin), closing(process.stdout):  # type: ignore[type-var]
            with suppress(ProcessLookupError):  # it and its fork have ended
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


def taken(folder: Path) -> bool:
    try:
        with run_lock(folder):
            return False
    except HamvaeError:
        return True


def test_a_second_process_is_told_who_trains_there_and_what_to_do(
    holding: Holding, tmp_path: Path, config: hv.Config, builtin: Characters
) -> None:
    holder = holding()
    with pytest.raises(HamvaeError) as refused:
        hv.fit(config, tmp_path, source=builtin)
    told, _, way_out = str(refused.value).partition("; ")
    start, _, since = told.partition(" since ")
    assert start == f"'{tmp_path}' is being trained by process {holder.pid} on {socket.gethostname()}"
    assert timedelta(0) <= datetime.now().astimezone() - datetime.fromisoformat(since) < timedelta(seconds=PATIENCE)
    assert way_out == "wait for it, stop it there (Ctrl-C saves), or choose another folder."
    assert not (tmp_path / "config.json").exists()


def test_the_folder_is_free_again_when_the_holder_has_ended(holding: Holding, tmp_path: Path) -> None:
    holding().communicate(timeout=PATIENCE)
    assert list(tmp_path.iterdir()) == [] and not taken(tmp_path)


@pytest.mark.parametrize("words", [(), ("fork",)], ids=["alone", "survived by its fork"])
def test_a_killed_holder_stops_nobody(holding: Holding, tmp_path: Path, words: tuple[str, ...]) -> None:
    holder = holding(*words)
    assert taken(tmp_path)
    holder.kill()
    holder.wait(PATIENCE)
    assert (tmp_path / LOCK).exists() and not taken(tmp_path)


def test_a_lock_that_names_a_living_process_is_not_its_lock(tmp_path: Path) -> None:
    """The number of a process is given again, after a reboot at the latest."""
    with run_lock(tmp_path):
        shutil.copy(tmp_path / LOCK, tmp_path / "kept")
    (tmp_path / "kept").rename(tmp_path / LOCK)
    assert f'"pid": {os.getpid()}' in (tmp_path / LOCK).read_text()
    assert not taken(tmp_path)


def test_a_copied_folder_is_free_and_the_original_stays_taken(holding: Holding, tmp_path: Path) -> None:
    holding()
    copy = shutil.copytree(tmp_path, tmp_path.with_name("copy"))
    assert (copy / LOCK).exists() and not taken(copy) and taken(tmp_path)


def test_a_folder_that_moves_while_it_is_held_stays_taken(holding: Holding, tmp_path: Path) -> None:
    holding()
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert taken(moved)


def test_a_lock_that_was_only_just_taken_names_nobody_yet(holding: Holding, tmp_path: Path) -> None:
    holding()
    (tmp_path / LOCK).write_text("")
    with pytest.raises(HamvaeError, match="is being trained by another process; wait for it"), run_lock(tmp_path):
        pass


def test_a_file_system_without_locks_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with run_lock(tmp_path):
        assert not taken(tmp_path)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_may_not_be_written_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*arguments: object) -> int:
        raise OSError(number, "Refused")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(UsageError, match="may not be written to; copy it to a place of your own"), run_lock(tmp_path):
        pass


def test_reading_a_run_needs_no_lock(holding: Holding, tmp_path: Path, run: Path) -> None:
    shutil.copytree(run, tmp_path, dirs_exist_ok=True)
    holding()
    assert hv.load(tmp_path).config == hv.load(run).config


@pytest.mark.parametrize("ending", ["never begun", "closed", "dropped", "finished", "failed"])
def test_every_way_in_which_training_ends_frees_the_folder(
    config: hv.Config, builtin: Characters, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise HamvaeError("told")

    reports = hv.fit(config, tmp_path, source=builtin)
    assert taken(tmp_path)
    if ending in ("closed", "dropped"):
        next(reports)
    if ending == "finished":
        list(reports)
    elif ending == "failed":
        monkeypatch.setattr("hamvae_model.training.step.Stepper.__call__", fail)
        with pytest.raises(HamvaeError, match="told"):
            next(reports)
    elif ending == "dropped":
        del reports
    else:
        reports.close()
    assert not taken(tmp_path)


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_is_refused_leaves_its_folder_free(
    config: hv.Config, builtin: Characters, tmp_path: Path, run: Path, resume: bool
) -> None:
    folder = tmp_path / "other" if resume else shutil.copytree(run, tmp_path / "run")
    folder.mkdir(exist_ok=True)
    with pytest.raises(UsageError):
        hv.fit(config, folder, source=builtin, resume=resume)
    assert not (folder / LOCK).exists()


def test_a_clock_that_is_set_back_changes_nothing(
    config: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(hv.fit(config, tmp_path / "whole", source=builtin))
    now = time.time()
    with closing(hv.fit(config, tmp_path / "run", source=builtin)) as reports:
        next(reports)
    monkeypatch.setattr("time.time", lambda: now - 10 * 365 * 86400)
    for path in (tmp_path / "run").rglob("*"):
        os.utime(path, (now + 86400, now + 86400))  # and what was saved seems to come from the future
    ages = [report.seconds for report in hv.fit(config, tmp_path / "run", source=builtin, resume=True)]
    assert ages and min(ages) > 0 and ages == sorted(ages)
    resumed, whole = (hv.load(tmp_path / name).network.state_dict() for name in ("run", "whole"))
    assert all(tensor.equal(resumed[name]) for name, tensor in whole.items())
