"""hamvae train --set: any field of the configuration from the command line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hamvae_model.runs import load_config

from .conftest import Command
from .test_start_up import LOADED_BY

Refusal = Callable[..., str]
BUILTIN = ("train", "--data", "builtin")


@pytest.mark.usefixtures("tiny_demo")
def test_settings_take_the_place_of_the_presets_and_travel_with_the_run(hamvae: Command, here: Path) -> None:
    settings = ("model.content_dim=5", "training.learning_rate=1e-3", "data.validation=0.2", "objective.variance=0.02")
    words = [word for setting in settings for word in ("--set", setting)]
    result = hamvae(*BUILTIN, "--steps", "1", "--run", "r", *words)
    assert result.exit_code == 0, result.output
    config = load_config(here / "r")
    assert (config.model.content_dim, config.training.learning_rate) == (5, 1e-3)
    assert (config.data.validation, config.objective.variance) == (0.2, 0.02)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("model.content_dm=64", "There is no setting 'model.content_dm'; did you mean 'model.content_dim'?"),
        ("modl.pairs=4", "There is no setting 'modl.pairs'; did you mean 'model.pairs'?"),
        ("model.pairs=many", "'model.pairs' is a whole number; got 'many'."),
        ("model.classes=walk", "'model.classes' cannot be set: the clips decide it when a source is opened."),
        ("data.source=mug", "'data.source' cannot be set: --data names it."),
        ("model.pairs", "'model.pairs' sets nothing; write KEY=VALUE, such as model.content_dim=64."),
        ("training.learning_rate=nan", "learning_rate must be a positive number; got nan."),
    ],
)
def test_what_cannot_be_set_is_refused(refusal: Refusal, setting: str, sentence: str) -> None:
    assert refusal(*BUILTIN, "--set", setting, code=2).endswith(sentence)


@pytest.mark.parametrize(
    ("option", "value", "setting"),
    [
        ("--operator", "elliptic", "model.operator=skew-symmetric"),
        ("--steps", "1", "training.steps=2"),
        ("--minutes", "1", "training.steps=2"),
        ("--batch", "2", "training.batch=4"),
        ("--precision", "bfloat16", "training.bfloat16=false"),
        ("--learning-rate", "0.1", "training.learning_rate=0.2"),
    ],
)
def test_an_option_and_a_setting_that_say_the_same_are_refused(
    refusal: Refusal, option: str, value: str, setting: str
) -> None:
    key, _, _ = setting.partition("=")
    sentence = refusal(*BUILTIN, option, value, "--set", setting, code=2)
    assert sentence == f"Error: '{key}' is set twice, by {option} too; leave one of them out."


def test_a_run_that_is_resumed_takes_no_settings(refusal: Refusal) -> None:
    sentence = refusal("train", "--resume", "anything", "--set", "model.pairs=2", code=2)
    assert sentence.endswith("--resume continues a run as it was begun; leave out --set.")


@pytest.mark.parametrize(
    "words",
    [("--set", "model.paris=2"), ("--steps", "1", "--set", "training.steps=2"), ("--steps", "1", "--minutes", "1")],
    ids=" ".join,
)
def test_settings_are_refused_before_anything_heavy_is_loaded(words: tuple[str, ...]) -> None:
    code = LOADED_BY.replace("assert not end.code, end.code", "assert end.code == 2")
    command = [sys.executable, "-c", code, *BUILTIN, *words]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "torch" not in json.loads(output.splitlines()[-1])
