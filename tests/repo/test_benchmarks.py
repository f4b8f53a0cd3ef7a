"""Benchmarks run: each in small, writing its figures where it is told to."""

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hamvae_cli import main
from hamvae_model.data.composed.builtin import VALUES
from hamvae_model.presets import PRESETS

from ..cli.conftest import TINY
from ..cli.documents import Document, run_all
from ..model.faces import write_faces
from .conftest import PATIENCE


def written(root: Path, result: Path, script: str, *words: str) -> dict[str, Any]:
    """What a benchmark leaves in its result."""
    command = [sys.executable, str(root / "benchmarks" / script), *words, "--result", str(result)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    outcome = subprocess.run(
        command, cwd=result.parent, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    everything: dict[str, Any] = json.loads(result.read_text())
    return everything


def figures(root: Path, result: Path, script: str, *words: str) -> dict[str, Any]:
    """What a benchmark measured."""
    measured: dict[str, Any] = written(root, result, script, *words)["figures"]
    return measured


@pytest.fixture
def result(tmp_path: Path) -> Path:
    return tmp_path / "result.json"


def test_own_clips_of_four_kinds_are_trained_on_swapped_and_judged(root: Path, result: Path) -> None:
    words = ("--source", "builtin", "--characters", "8", "--steps", "10", "--final")
    found = figures(root, result, "quality/own_clips.py", *words)
    assert found["held_out"].keys() == found["trained_on"].keys()
    assert found["held_out"]["judge_accuracy_on_the_files"] == 1
    assert found["held_out"]["swaps"] == 2 * 9
    assert found["held_out"]["swap_psnr"] > 5


@pytest.mark.long
def test_the_store_is_measured_beside_imageio(root: Path, result: Path) -> None:
    found = figures(root, result, "data/clip_store.py", "--clips", "30")
    assert found["frames"] == 30 * 16
    assert min(value for value in found.values() if value is not None) > 0


def test_drawn_faces_in_the_layout_of_mug_are_trained_on_and_scored(root: Path, result: Path) -> None:
    write_faces(result.parent / "mug", frames=34)
    words = ("photos", "--root", "mug", "--run", "run", "--steps", "2", "--final")
    found = written(root, result, "quality/preset.py", *words)
    assert found["clips"] == found["long_clips"] == 3  # one subject of four, in three expressions
    psnr = {row: scores["psnr"]["mean"] for row, scores in found["tables"]["generation"].items()}
    assert psnr["static"] > psnr["first_frame"] > 0  # nothing is learned in two steps


def test_a_study_records_in_the_run_that_test_was_scored_and_scores_it_once(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(root / "benchmarks")
    study = importlib.import_module("quality.reproduce")
    monkeypatch.setattr(study.torch, "set_num_threads", lambda _: None)
    monkeypatch.setattr(study.hv, "open_source", lambda _: None)
    monkeypatch.setattr(study.hv, "load", lambda _: None)
    monkeypatch.setattr(study.Variant, "config", lambda *_: None)
    for name in ("trained", "judge_of"):
        monkeypatch.setattr(study, name, lambda *_: None)
    monkeypatch.setattr(study, "training_seconds", lambda _: 60)
    monkeypatch.setattr(study, "evaluate", lambda *_, split, **__: {"split": split, "tables": {}})
    (tmp_path / "environment.json").write_text("{}")
    study.run(study.Variant(), 0, tmp_path, 1, "validation")
    assert not (tmp_path / "final.jsonl").exists()
    for _ in range(2):
        study.run(study.Variant(), 0, tmp_path, 1, "test")
    (line,) = (tmp_path / "final.jsonl").read_text().splitlines()
    assert json.loads(line)["split"] == "test"


@pytest.mark.parametrize("document", ["README.md", "docs/your-own-clips.md"])
def test_the_commands_of_the_documents_train_on_mug_and_score_that_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    """In this process, so that a tiny model can stand for the preset's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(root / "benchmarks")
    monkeypatch.setitem(PRESETS, "photos", TINY)
    write_faces(tmp_path / "mug", frames=34)
    page = Document(document)
    (training,) = (words for words in page.commands if words[0] == "train" and "mug" in words)
    run_all(lambda *words: CliRunner().invoke(main, [*words, "--device", "cpu"]), [training])
    weights = (tmp_path / "runs" / "mug" / "weights.safetensors").read_bytes()
    ((script, *words),) = page.benchmarks
    monkeypatch.setattr("sys.argv", [script, *words])
    runpy.run_path(str(root / script), run_name="__main__")
    assert json.loads((tmp_path / "mug.json").read_text())["clips"] == 3
    assert (tmp_path / "runs" / "mug" / "weights.safetensors").read_bytes() == weights  # it was not trained on


def test_decoding_is_measured_beside_imageio_in_every_format(root: Path, result: Path) -> None:
    found = written(root, result, "data/decoding.py", "--clips", "2", "--rounds", "1")
    formats = {"GIF", "GIF, transparent", "APNG", "WebP", "MP4"}
    for name in ("frames_per_second", "imageio_frames_per_second", "ratio_to_imageio"):
        assert found[name].keys() == formats and min(found[name].values()) > 0


@pytest.mark.long
def test_a_judge_is_measured_on_every_held_out_clip_and_what_it_confuses_is_named(root: Path, result: Path) -> None:
    (found,) = figures(root, result, "quality/judges.py", "builtin", "--steps", "3").values()
    assert found["held_out_clips"] == 450  # of validation
    assert found["accuracy"].keys() == found["accuracy_augmented"].keys() == {"action", *VALUES}
    for head, share in found["accuracy"].items():
        assert sum(found["confusions"][head].values()) == round((1 - share) * 450)
    assert (result.parent / "judges" / "builtin-action-direction.safetensors").is_file()


def test_flows_are_measured_beside_a_loop_and_beside_exponentials(root: Path, result: Path) -> None:
    rows = written(root, result, "flow/speed.py", "--only", "8,4,8", "--seconds", "0.01")["rows"]
    forward, both = (row["contenders"] for row in rows)
    assert forward.keys() == {"ours", "plain", "torch", "each", "loop"} and both.keys() == forward.keys() - {"loop"}
    assert forward["loop"]["loop_over_it"] == both["torch"]["torch_over_it"] == 1


def test_the_drift_of_flows_is_measured_in_every_precision(root: Path, result: Path) -> None:
    rows = written(root, result, "flow/drift.py", "--steps", "3000")["rows"]
    worst = {(row["class"], row["way"]): row["energy_at_most"] for row in rows}
    for structure in ("elliptic", "skew-symmetric"):
        assert worst[structure, "float64"] < 1e-10 < worst[structure, "float32, precise"] < 1e-7
        assert worst[structure, "float32"] > 1e-7


def test_knowing_the_class_is_measured_beside_not_knowing_it(root: Path, result: Path) -> None:
    rows = written(root, result, "expm/skew.py", "--only", "1,36", "--seconds", "0.01")["rows"]
    assert len(rows) == 2 * 2 * 2
    for row in rows:
        assert row["contenders"].keys() == {"torch", "general", "ours", "plain"}
        limit = 1e-12 if row["dtype"] == "float64" else 1e-4
        assert max(found["error"] for name, found in row["contenders"].items() if name != "torch") < limit


@pytest.mark.long
def test_two_processes_are_measured_beside_one_and_every_option_beside_none(root: Path, result: Path) -> None:
    found = written(root, result, "training/scaling.py", "--preset", "demo", "--rounds", "1")
    assert found["bytes_sent_by_each"] == 4 * found["parameters"]  # of two processes
    assert found["predicted_ms"] == pytest.approx(found["half_a_batch_in_each_ms"] + found["exchange_ms"], abs=0.02)
    assert found["options"]["plain"]["over_plain"] == 1 and min(row["ms"] for row in found["options"].values()) > 0


def test_one_size_of_every_family_runs_under_pytest_benchmark(root: Path) -> None:
    """Each once, unmeasured."""
    command = [sys.executable, "-m", "pytest", "benchmarks", "--benchmark-disable", "-q", "-p", "no:cacheprovider"]
    outcome = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert outcome.returncode == 0 and "passed" in outcome.stdout, outcome.stdout + outcome.stderr
