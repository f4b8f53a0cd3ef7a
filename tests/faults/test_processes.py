"""Several processes that train one model: the curve of one process, and a life after one of them is killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import hamvae_model as hv
from hamvae_model.runs import kept_states, load_config

from .figures import record

PATIENCE = 300  # seconds; the machine may be busy
STEPS, SAVE_EVERY = 40, 10


@pytest.fixture(scope="module")
def source() -> hv.Source:
    return hv.open_source("builtin")


def begun(source: hv.Source, folder: Path, batch: int) -> Path:
    """A run of a model small enough for a test, before its first step: other processes then find its configuration."""
    config = hv.build("demo", source=source, steps=STEPS, batch=batch, seed=5)
    model = replace(
        config.model,
        content_dim=8,
        encoder_widths=(8, 8, 8),
        feature_dim=16,
        decoder_hidden=(16,),
        decoder_widths=(8,),
    )
    training = replace(config.training, warmup=10, save_every=SAVE_EVERY, sample_every=10**6)
    hv.fit(replace(config, model=model, training=training), folder, source=source).close()
    return folder


@pytest.fixture(scope="module")
def alone(source: hv.Source, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A finished run of one process, by its batch."""
    finished: dict[int, Path] = {}

    def make(batch: int) -> Path:
        if batch not in finished:
            folder = begun(source, tmp_path_factory.mktemp("alone") / "run", batch)
            for _ in hv.fit(load_config(folder), folder, source=source, resume=True):
                pass
            finished[batch] = folder
        return finished[batch]

    return make


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TORCHELASTIC_", "PET_"))}
    return {**kept, "OMP_NUM_THREADS": "1"}


HERE = ("--standalone", "--nproc-per-node=2")


@contextmanager
def torchrun(*words: str | Path, restarts: int = 0, where: Sequence[str] = HERE) -> Iterator["subprocess.Popen[str]"]:
    """`hamvae train` in two processes of this machine, or as many as `where` says; they end with the block."""
    launcher = [sys.executable, "-m", "torch.distributed.run", *where, f"--max-restarts={restarts}"]
    command = [*launcher, "-m", "hamvae_cli", "train", *map(str, words)]
    with subprocess.Popen(
        [*command, "--device", "cpu"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def ended(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """What it said until its end."""
    try:
        return process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.terminate()
        raise


def worker(launcher: int, rank: int) -> int | None:
    """The process with that rank, if it is among those a launcher has started."""
    for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    return None


def wait_for(happened: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    limit = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None and time.monotonic() < limit
        time.sleep(0.005)


def curve(run: Path) -> dict[int, list[float]]:
    """Every term of the loss, by step; a step that was trained twice counts as it was trained last."""
    terms = ("loss", "reconstruction", "content", "position", "momentum", "gradient_norm")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: [line[name] for name in terms] for line in lines}


def assert_alike(run: Path, whole: Path) -> None:
    """The same curve and the same weights, but for what sums in another order are rounded to."""
    ours, theirs = curve(run), curve(whole)
    assert ours.keys() == theirs.keys() and len(theirs) == STEPS // 10
    for step, values in theirs.items():
        assert ours[step] == pytest.approx(values, rel=2e-3), step
    mine, its = (weights(hv.load(folder).network) for folder in (run, whole))
    assert float((mine - its).norm() / its.norm()) < 1e-3


def weights(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def killed(source: hv.Source, folder: Path, batch: int, rank: int) -> str:
    """Train in two processes, of which one is killed after the first save; returns what was said on standard error."""
    run = begun(source, folder, batch)
    with torchrun("--resume", run, restarts=2) as process:
        wait_for(lambda: max(kept_states(run)) >= SAVE_EVERY, process)
        victim = worker(process.pid, rank)
        assert victim
        os.kill(victim, signal.SIGKILL)
        printed, errors = ended(process)
    assert process.returncode == 0, errors
    assert printed.count("Trained") == 1
    return errors


def test_an_uneven_batch_on_two_processes_of_which_one_is_killed_ends_as_one_process_does(
    source: hv.Source, alone: Callable[[int], Path], tmp_path: Path
) -> None:
    errors = killed(source, tmp_path / "run", batch=5, rank=1)
    assert "Error: Another process of this run has ended, and so does this one; what was saved is kept.\n" in errors
    assert_alike(tmp_path / "run", alone(5))
    found = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert [entry.get("processes") for entry in found["resumed"]] == [2, None]  # the first of them alone wrote it
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {path.name for path in alone(5).iterdir()}


@pytest.mark.long
def test_two_processes_learn_what_one_does_and_go_on_when_one_is_killed(
    source: hv.Source, alone: Callable[[int], Path], tmp_path: Path
) -> None:
    began, kills = time.perf_counter(), 0
    for batch in (4, 5):
        run = begun(source, tmp_path / f"undisturbed-{batch}", batch)
        with torchrun("--resume", run) as process:
            _, errors = ended(process)
        assert process.returncode == 0, errors
        assert_alike(run, alone(batch))
        for rank in (0, 1):
            killed(source, tmp_path / f"killed-{batch}-{rank}", batch, rank)
            assert_alike(tmp_path / f"killed-{batch}-{rank}", alone(batch))
            kills += 1
    ours, theirs = curve(tmp_path / "undisturbed-5"), curve(alone(5))
    apart = max(abs(ours[step][0] / theirs[step][0] - 1) for step in theirs)
    record(
        "processes",
        {
            "tried": "kill -9 of one of two processes that train one model, which torchrun starts again",
            "times": kills,
            "lost": 0,
            "undisturbed_loss_apart_from_one_process_relatively": apart,
            "minutes": round((time.perf_counter() - began) / 60, 1),
        },
    )


@pytest.mark.long
@pytest.mark.parametrize("rank", [0, 1])
def test_two_launchers_that_meet_as_two_machines_do_go_on_when_the_process_of_one_is_killed(
    source: hv.Source, alone: Callable[[int], Path], tmp_path: Path, rank: int
) -> None:
    """The one counts a restart, the other none."""
    run = begun(source, tmp_path / "run", 4)
    with socket.create_server(("localhost", 0)) as free:
        meeting = f"--rdzv-endpoint=localhost:{free.getsockname()[1]}"
    where = ("--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", meeting)
    with (
        torchrun("--resume", run, restarts=2, where=where) as one,
        torchrun("--resume", run, restarts=2, where=where) as other,
    ):
        wait_for(lambda: max(kept_states(run)) >= SAVE_EVERY, one)
        (victim,) = [found for found in (worker(one.pid, rank), worker(other.pid, rank)) if found]
        os.kill(victim, signal.SIGKILL)
        said = [ended(launcher) for launcher in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), said
    assert_alike(run, alone(4))


@pytest.mark.long
def test_the_command_that_begins_a_run_goes_on_with_it_when_a_process_is_killed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with torchrun("--data", "builtin", "-o", run, "--steps", "6", "--batch", "3", restarts=1) as process:
        wait_for(lambda: (run / "environment.json").exists(), process)
        victim = worker(process.pid, 1)
        assert victim
        os.kill(victim, signal.SIGKILL)
        printed, errors = ended(process)
    assert process.returncode == 0, errors
    assert printed.count("Trained") == 1 and max(kept_states(run)) == 6
    (again,) = json.loads((run / "environment.json").read_text())["resumed"]
    assert again["after_step"] == 0


@pytest.mark.long
def test_a_signal_to_the_launcher_saves_once_and_says_how_to_go_on(source: hv.Source, tmp_path: Path) -> None:
    run = begun(source, tmp_path / "run", 4)
    with torchrun("--resume", run) as process:
        wait_for(lambda: (run / "metrics.jsonl").read_text().count("\n") > 0, process)
        process.send_signal(signal.SIGTERM)
        _, errors = ended(process)
    assert process.returncode == 1  # the launcher's own
    again = "torchrun --standalone --nproc-per-node 2 -m hamvae_cli train --resume "
    (step,) = re.findall(rf"^Saved after step (\d+) of {STEPS}; go on with: {again}", errors, re.MULTILINE)
    assert max(kept_states(run)) == int(step)


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "builtin", "--preset", "dmeo"), "there is no 'dmeo'"),
        (("--data", "folder", "--root", "nowhere"), "There is no folder of clips 'nowhere'"),
        (("--data", "builtin", "--batch", "1"), "A batch of 1 cannot be shared among 2 processes"),
        (("--resume", "nowhere"), "There is no trained run"),
    ],
)
def test_a_wrong_request_is_said_once_and_ends_all(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with torchrun(*words) as process:
        _, errors = ended(process)
    assert process.returncode == 1
    assert errors.count("Error: ") - errors.count("ChildFailedError: ") == 1
    assert errors.count(said) == 1
    assert not list(tmp_path.rglob("*.safetensors"))
