"""environment.json: what a run was trained with, and what was different whenever it was resumed."""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import hamvae_model as hv
from hamvae_model.config.execution import Execution
from hamvae_model.data import Characters
from hamvae_model.runs import environment as module


def recorded(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "environment.json").read_text())
    return found


@pytest.fixture
def begun(tiny: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.argv", ["/somewhere/bin/hamvae", "train", "--data", "builtin"])
    reports = hv.fit(tiny, tmp_path / "run", source=builtin)
    next(reports)
    reports.close()
    return tmp_path / "run"


def test_a_run_says_what_it_was_trained_with(begun: Path) -> None:
    found = recorded(begun)
    for name in ("torch", "numpy", "safetensors", "symplectic-ops", "hamvae-model", "hamvae-cli"):
        assert found["versions"][name] == version(name)
    assert found["command"] == ["hamvae", "train", "--data", "builtin"]
    assert (found["seed"], found["device"], found["processes"], found["threads"]) == (3, "cpu", 1, 1)
    assert found["execution"] == {"accumulate": 1, "workers": 0, "compile": False, "deterministic": False}
    assert "resumed" not in found


def test_a_resumed_run_keeps_that_and_adds_what_differs_with_the_step(
    begun: Path, tiny: hv.Config, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = recorded(begun)
    monkeypatch.setattr("sys.argv", ["hamvae", "train", "--resume", "run"])
    for execution in (Execution(workers=1), Execution(workers=1), Execution()):
        hv.fit(tiny, begun, source=builtin, resume=True, execution=execution).close()
    found = recorded(begun)
    one, two, three = found.pop("resumed")
    assert found == first
    assert (
        one["after_step"] == 2
        and one["execution"]["workers"] == 1
        and one["command"][1:] == ["train", "--resume", "run"]
    )
    assert two == {"after_step": 2}
    assert three.keys() == {"after_step", "execution"} and three["execution"]["workers"] == 0


def test_a_record_that_is_lost_or_damaged_keeps_no_run_from_going_on(
    begun: Path, tiny: hv.Config, builtin: Characters
) -> None:
    for damaged in (b"", b"[]", b"\xff{", b'{"resumed": 3}', b'{"resumed": [3]}'):
        (begun / "environment.json").write_bytes(damaged)
        hv.fit(tiny, begun, source=builtin, resume=True).close()
        assert recorded(begun)["seed"] == 3


def test_a_checkout_names_its_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    folder = tmp_path / "packages" / "hamvae-model" / "src" / "hamvae_model"
    folder.mkdir(parents=True)
    (folder / "environment.py").touch()
    git = ["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@example.org"]

    def run(*words: str) -> str:
        return subprocess.run([*git, *words], check=True, capture_output=True, text=True).stdout.strip()

    run("init", "-q")
    assert module._commit(folder) is None  # installed within somebody's own checkout
    run("add", ".")
    run("commit", "-q", "-m", "Begin")
    commit = run("rev-parse", "HEAD")
    assert module._commit(folder) == commit
    (folder / "environment.py").write_text("changed")
    assert module._commit(folder) == f"{commit} with uncommitted changes"


def test_without_git_no_commit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert module.provenance()["commit"] is None
