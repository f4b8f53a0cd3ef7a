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
