"""hamvae demo: one command from nothing to pictures and scores."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

import hamvae_model as hv
from hamvae_model.runs import steps_done

from .conftest import Command

Refusal = Callable[..., str]
pytestmark = pytest.mark.usefixtures("tiny_demo", "one_character")


@pytest.fixture
def one_character(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo judges its model on a single character, which takes a second."""
    monkeypatch.setattr(import_module("hamvae_cli.demo"), "JUDGED", 2)


def test_the_demo_trains_draws_and_scores_and_a_second_one_reuses_the_run(hamvae: Command, here: Path) -> None:
    first = hamvae("demo", "--steps", "4")
    assert first.exit_code == 0, first.output
    assert steps_done(here / "demo" / "run") == 4
    actions = hv.load(here / "demo" / "run").classes
    pictures = {"swap.gif", "generate.png", "samples.png", *(f"generate-{action}.gif" for action in actions)}
    assert {path.name for path in (here / "demo").iterdir()} == {"run", *pictures}
    scoring, scores = (first.stdout.index(words) for words in ("Scoring the model on", "motions swapped between"))
    assert scoring < scores

    weights = (here / "demo" / "run" / "weights.safetensors").stat().st_mtime_ns
    second = hamvae("demo")
    assert "Using the finished run in demo/run" in second.stdout
    assert "step 4/4" not in second.stdout
    assert (here / "demo" / "run" / "weights.safetensors").stat().st_mtime_ns == weights


def test_an_interrupted_demo_is_continued(hamvae: Command, here: Path) -> None:
    source = hv.open_source("builtin")
    reports = hv.fit(hv.build("demo", source=source), here / "show" / "run", source=source)
    next(reports)
    reports.close()
    result = hamvae("demo", "-o", "show")
    assert "Continuing show/run after step 10" in result.stdout
    assert steps_done(here / "show" / "run") == 12


def test_a_run_of_other_steps_is_not_passed_off_as_what_was_asked_for(refusal: Refusal, here: Path, run: Path) -> None:
    (here / "demo").mkdir()
    (here / "demo" / "run").symlink_to(run)
    assert "'demo/run' holds a run of 12 steps with seed 0" in refusal("demo", "--steps", "99", code=2)


def test_a_place_where_no_folder_can_be_made_is_refused(refusal: Refusal, here: Path) -> None:
    (here / "demo").touch()
    assert "demo/run' cannot be made" in refusal("demo", code=2)


def test_the_demo_measures_the_machine_and_fits_its_steps_to_the_time(hamvae: Command, here: Path) -> None:
    first = hamvae("demo", "--minutes", "0.1")
    assert first.exit_code == 0, first.output
    (steps,) = re.findall(r"A step takes \S+ s here: (\d+) steps in about 0\.1 minutes\.", first.stderr)
    config = hv.load(here / "demo" / "run").config
    assert config.training.steps == int(steps) == steps_done(here / "demo" / "run") and int(steps) > 1
    assert config.training.warmup <= config.training.steps / 10
    second = hamvae("demo")  # it keeps the steps of the run
    assert "A step takes" not in second.stderr and "Using the finished run" in second.stdout


def test_a_time_and_a_number_of_steps_are_not_both_taken(refusal: Refusal, here: Path) -> None:
    assert "leave one of them out" in refusal("demo", "--minutes", "1", "--steps", "3", code=2)
    words = ("train", "--data", "builtin", "--minutes", "1", "--steps", "3")
    assert "leave one of them out" in refusal(*words, code=2)


def test_any_preset_is_fitted_to_a_time(hamvae: Command, here: Path) -> None:
    result = hamvae("train", "--data", "builtin", "--minutes", "0.02", "--run", "r")
    assert result.exit_code == 0, result.output
    assert "steps in about 0.02 minutes" in result.stderr
    assert steps_done(here / "r") == hv.load(here / "r").config.training.steps
