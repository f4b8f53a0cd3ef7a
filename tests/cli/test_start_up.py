"""Help, version and completion answer at once: nothing heavy is loaded for them."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from hamvae_cli import main

from .conftest import Command

HEAVY = {"torch", "numpy", "rich"}
LOADED_BY = """
import json, runpy, sys
sys.argv = ["hamvae", *sys.argv[1:]]
try:
    runpy.run_module("hamvae_cli", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(list(sys.modules)))
"""


def commands(command: click.Command, *words: str) -> list[tuple[str, ...]]:
    """The words of a command and of every command below it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [words, *(found for inner in below for found in commands(inner, *words, str(inner.name)))]


def loaded_by(*words: str) -> set[str]:
    """What a fresh interpreter holds after `hamvae WORDS`."""
    command = [sys.executable, "-c", LOADED_BY, *words]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(json.loads(output.splitlines()[-1]))


ALL = commands(main)


@pytest.mark.parametrize("words", [(), ("train",), ("judge", "train"), ("demo",), ("data", "preview")], ids=" ".join)
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    assert not loaded_by(*words, "--help") & HEAVY


def test_a_request_refused_by_its_words_alone_loads_nothing_heavy() -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        loaded_by("train", "--preset", "dmeo")
    assert "did you mean 'demo'?" in refused.value.stderr
    assert not loaded_by("completion", "zsh") & HEAVY


def test_the_checks_above_can_fail() -> None:
    assert "torch" in loaded_by("data", "list")


def test_a_trained_model_is_used_without_the_compiler_of_torch(run: Path, here: Path) -> None:
    """It takes more than a second to load."""
    inspected = loaded_by("inspect", str(run))
    assert "torch" in inspected and "torch._dynamo" not in inspected
    clips = ("--content", "builtin:test/3/walk-left", "--motion", "builtin:test/8/slash-front")
    assert "torch._dynamo" not in loaded_by("swap", str(run), *clips, "-o", str(here / "out.gif"))


@pytest.mark.parametrize("words", ALL, ids=lambda words: " ".join(words) or "hamvae")
def test_every_command_explains_itself_with_an_example(hamvae: Command, words: tuple[str, ...]) -> None:
    result = hamvae(*words, "--help")
    assert result.exit_code == 0
    before, after = result.output.split("  Example:\n")
    assert len(before.split("\n\n")[1].strip()) > 20
    assert after.strip().startswith(("hamvae ", 'eval "$(hamvae '))


def test_no_summary_in_the_list_of_commands_is_cut_short(hamvae: Command) -> None:
    assert "..." not in hamvae("--help").output.split("Commands:")[1]


def test_version_prints_the_version_of_the_distribution(hamvae: Command) -> None:
    assert hamvae("--version").output == f"hamvae, version {version('hamvae-cli')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(hamvae: Command, shell: str) -> None:
    result = hamvae("completion", shell)
    assert result.exit_code == 0
    assert f"_HAMVAE_COMPLETE={shell}_complete" in result.output


def test_the_completion_script_is_answered_with_the_choices() -> None:
    question = {"_HAMVAE_COMPLETE": "bash_complete", "COMP_WORDS": "hamvae train --preset sp", "COMP_CWORD": "3"}
    command = [sys.executable, "-m", "hamvae_cli"]
    answer = subprocess.run(command, env={**os.environ, **question}, capture_output=True, text=True, check=False)
    assert answer.stdout.split() == ["plain,sprites-small", "plain,sprites"]


def test_a_missing_run_is_refused_before_anything_heavy_is_loaded() -> None:
    for words in (("inspect",), ("swap", "--content", "a", "--motion", "b", "-o", "c.gif")):
        code = LOADED_BY.replace("assert not end.code, end.code", "assert end.code == 2")
        command = [sys.executable, "-c", code, words[0], "nowhere", *words[1:]]
        outcome = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "There is no trained run at 'nowhere'" in outcome.stderr
        assert not set(json.loads(outcome.stdout.splitlines()[-1])) & {"torch"}


def completed(*words: str) -> list[str]:
    """What a shell is offered after these words; whatever loads torch or prints to standard error fails."""
    environment = {
        "_HAMVAE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    code = (
        "import sys, runpy; sys.argv = ['hamvae']\ntry: runpy.run_module('hamvae_cli', run_name='__main__')\n"
        "finally: assert 'torch' not in sys.modules"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert not outcome.stderr
    return [line.partition(",")[2] for line in outcome.stdout.splitlines() if line]


def test_actions_are_completed_from_the_run_and_settings_from_the_fields(run: Path) -> None:
    assert completed("hamvae", "sample", str(run), "--action", "walk-") == ["walk-left", "walk-front", "walk-right"]
    assert completed("hamvae", "sample", "nowhere", "--action", "") == []
    assert completed("hamvae", "train", "--set", "model.content") == ["model.content_dim="]


@pytest.mark.parametrize(
    "words",
    [
        ("--labels", "action"),
        ("--from-step", "3"),
        ("--resume", "r", "--seed", "1"),
        ("--steps", "1", "--minutes", "1"),
        ("--steps", "1", "--set", "training.steps=1"),
        ("--set", "nothing"),
    ],
    ids=" ".join,
)
def test_a_call_that_would_be_refused_is_completed_all_the_same(words: tuple[str, ...]) -> None:
    assert completed("hamvae", "train", *words, "--dev") == ["--device"]


def test_clips_and_folders_are_completed_like_files() -> None:
    for words in (("swap", "r", "--content"), ("generate", "r", "--image"), ("train", "--root")):
        environment = {"_HAMVAE_COMPLETE": "bash_complete", "COMP_WORDS": f"hamvae {' '.join(words)} he"}
        environment["COMP_CWORD"] = str(len(words) + 1)
        outcome = subprocess.run(
            [sys.executable, "-m", "hamvae_cli"], capture_output=True, text=True, env={**os.environ, **environment}
        )
        assert outcome.stdout.splitlines()[0].partition(",")[0] in ("file", "dir"), (words, outcome)


@pytest.mark.parametrize(
    "words",
    [
        ("swap", "--content", "absent.png", "--motion", "builtin:test/3/walk-left"),
        ("swap", "--content", "builtin:test/3/walk-left", "--motion", "absent.png"),
        ("generate", "--image", "absent.png", "--action", "walk-left"),
        ("reconstruct", "--clip", "absent.png"),
    ],
    ids=" ".join,
)
def test_a_missing_clip_is_refused_before_anything_heavy_is_loaded(run: Path, words: tuple[str, ...]) -> None:
    code = LOADED_BY.replace("assert not end.code, end.code", "assert end.code == 2")
    command = [sys.executable, "-c", code, words[0], str(run), *words[1:], "-o", "out.gif"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=True)
    assert outcome.stderr == "Error: absent.png: there is no such file; check the spelling.\n"
    assert "torch" not in json.loads(outcome.stdout.splitlines()[-1])
