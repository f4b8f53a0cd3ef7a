"""The README's commands and its Python really run, in order, in one folder; a tiny model stands for the demo's."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [shlex.split(line)[1:] for _, block in BLOCKS for line in block.splitlines() if line.startswith("hamvae ")]
PYTHON = [block for language, block in BLOCKS if language == "python"]


@pytest.mark.usefixtures("tiny_demo")
def test_the_commands_of_the_readme_run_one_after_the_other(hamvae: Callable[..., Result], here: Path) -> None:
    without_download = [words for words in COMMANDS if not any("sprites" in word for word in words)]
    assert {words[0] for words in without_download} == {"train", "swap", "generate", "inspect"}
    for words in without_download:
        result = hamvae(*words)
        assert result.exit_code == 0, f"{shlex.join(words)}\n{result.output}"
    for source in PYTHON:
        exec(source, {})
    assert {path.name for path in here.iterdir()} == {"runs", "swap.gif", "actions.png", "slash.gif"}


def test_every_command_of_the_readme_is_in_its_table_and_the_other_way_round() -> None:
    from hamvae_cli import main

    assert set(re.findall(r"^\| `hamvae (\w+)` \|", README, re.MULTILINE)) == set(main.commands)
