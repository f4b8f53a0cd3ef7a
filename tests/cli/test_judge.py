"""hamvae judge: trained and measured in one command, and shown again."""

import dataclasses
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

import hamvae_model as hv
from hamvae_model.config.run import FramingConfig
from hamvae_model.judge import load_judge, save_judge
from hamvae_model.judge.advice import training_command
from hamvae_model.judge.training import new_judge

from ..model.drawn import write_folder
from .conftest import Command

SAVED = Path("judges/folder-action.safetensors")
TRAIN = ("judge", "train", "--data", "folder", "--root", "clips")


@pytest.fixture
def clips(here: Path) -> hv.Source:
    """Six clips of two actions, opened once so that they are decoded."""
    write_folder(here / "clips")
    return hv.open_source("folder", here / "clips")


@pytest.fixture
def judge(clips: hv.Source) -> Path:
    """What training would leave, had it learned anything."""
    untrained = new_judge(clips, steps=7, seed=3)
    untrained.config = dataclasses.replace(untrained.config, accuracy={"action": 0.995})
    SAVED.parent.mkdir()
    save_judge(SAVED, untrained)
    return SAVED


def test_training_ends_with_a_table_and_a_judge_that_evaluation_accepts(hamvae: Command, clips: hv.Source) -> None:
    result = hamvae(*TRAIN, "--steps", "40")
    assert result.exit_code == 0, result.output
    *progress, heads, action, saved = result.stdout.splitlines()
    assert progress[-1].startswith("step 40/40")
    assert heads.split() == ["head", "accuracy", "tells", "apart"]
    assert action.split() == ["action", "100.00%", "hop", "run"]
    assert clips.splits["test"] == 1
    assert saved == f"Measured on 1 held-out clip and saved as {SAVED}"
    load_judge(SAVED).check(clips)


def test_a_program_reads_one_object_and_nothing_else(hamvae: Command, clips: hv.Source) -> None:
    result = hamvae(*TRAIN, "--steps", "2", "-o", "mine.safetensors", "--json")
    facts = json.loads(result.stdout)
    assert (facts["judge"], facts["steps"], facts["held_out_clips"]) == ("mine.safetensors", 2, clips.splits["test"])
    assert facts["accuracy"] == load_judge("mine.safetensors").accuracy
    assert "step 2/2" in result.stderr
    assert not Path("judges").exists()


@pytest.mark.usefixtures("clips")
def test_a_judge_that_evaluation_will_refuse_is_announced(hamvae: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hamvae_model.judge.training.measure", lambda judge, source: {"action": 0.5})
    result = hamvae(*TRAIN, "--steps", "1")
    assert result.exit_code == 0
    assert result.stderr == "Evaluation refuses a judge below 99%: train it with more --steps.\n"


def test_a_judge_is_not_written_over(judge: Path, refusal: Callable[..., str]) -> None:
    before = judge.read_bytes()
    sentence = refusal(*TRAIN, code=2)
    assert sentence == f"Error: '{judge}' exists already; remove it, or name another file with -o."
    assert judge.read_bytes() == before


@pytest.mark.usefixtures("clips")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("judge", "train"), "Missing option '--data'. Choose from: builtin, sprites, folder, mug"),
        (("judge", "train", "--data", "bultin"), "there is no 'bultin'; did you mean 'builtin'?"),
        (("judge", "train", "--data", "folder"), "The folder source needs the folder of its clips: pass --root DIR."),
        (("judge", "train", "--data", "sprites"), "The sprites source needs its folder of sheets"),
        (
            ("judge", "train", "--data", "builtin", "--clips-repeat"),
            "--clips-repeat is for clips from files, leave it out.",
        ),
        ((*TRAIN, "--labels", "action"), "leave out --labels."),
        ((*TRAIN, "--steps", "0"), "Invalid value for '--steps'"),
        ((*TRAIN, "-o", "clips"), "'clips' is a folder; name a file."),
        ((*TRAIN, "-o", "nowhere/judge.safetensors"), "The folder 'nowhere' does not exist; make it first."),
        (("judge", "show", "nowhere.safetensors"), "There is no judge at 'nowhere.safetensors'; train one with"),
    ],
)
def test_a_wrong_request_is_refused_in_a_sentence(
    refusal: Callable[..., str], words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refusal(*words, code=2)


def test_a_file_in_the_way_of_the_folder_of_judges_is_named(
    clips: hv.Source, here: Path, refusal: Callable[..., str]
) -> None:
    (here / "judges").write_text("a list of people")
    assert "The folder 'judges' cannot be made" in refusal(*TRAIN, code=2)


def test_show_says_what_a_judge_is_of(hamvae: Command, judge: Path) -> None:
    heading, _, action = hamvae("judge", "show", judge).stdout.splitlines()
    assert heading == f"{judge}: folder (action), 64 x 64 pixels, 7 steps with seed 3"
    assert action.split() == ["action", "99.50%", "hop", "run"]
    facts = json.loads(hamvae("judge", "show", judge, "--json").stdout)
    assert (facts["classes"], facts["accuracy"]) == (["hop", "run"], {"action": 0.995})


def test_show_says_what_was_never_measured(hamvae: Command, clips: hv.Source) -> None:
    save_judge("judge.safetensors", new_judge(clips, steps=1, seed=0))
    result = hamvae("judge", "show", "judge.safetensors")
    assert result.exit_code == 0, result.output
    assert "not measured" in result.stdout


@pytest.mark.parametrize(
    "options",
    [{"loop": True}, {"frame_seconds": 0.03, "framing": FramingConfig(background=(9, 8, 7))}, {"length": 6}],
)
def test_a_judge_trained_as_advised_is_accepted(
    hamvae: Command, clips: hv.Source, here: Path, options: dict[str, Any]
) -> None:
    source = hv.open_source("folder", here / "clips", **options)
    program, *words = shlex.split(training_command(source).replace("DIR", "clips"))
    assert program == "hamvae"
    result = hamvae(*words, "--steps", "40")
    assert result.exit_code == 0, result.output
    load_judge(SAVED).check(source)


def test_a_judge_whose_weights_are_not_its_own_is_refused(judge: Path, refusal: Callable[..., str]) -> None:
    save_file(load_file(judge), judge)
    assert "cannot be used. It names no format" in refusal("judge", "show", judge, code=1)
