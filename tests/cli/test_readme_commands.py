"""The README's commands and its Python really run, in order, in one folder; a tiny model stands for the demo's."""

import re
from pathlib import Path

import pytest

from hamvae_model.data import Characters
from hamvae_model.presets import PRESETS

from .conftest import TINY, Command
from .documents import Document, run_all
from .material import write_material

README = Document("README.md")


def test_the_commands_of_the_readme_run_one_after_the_other(
    hamvae: Command, here: Path, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PRESETS:
        monkeypatch.setitem(PRESETS, name, TINY)
    write_material(here, builtin)
    given = {path.name for path in here.iterdir()}
    without_download = [words for words in README.commands if not any("sprites" in word for word in words)]
    assert {words[0] for words in without_download} == {"train", "swap", "generate", "inspect", "data"}
    run_all(hamvae, without_download)
    for source in README.python:
        exec(source, {})
    assert {path.name for path in here.iterdir()} - given == {"runs", "swap.gif", "actions.png", "slash.gif"}


def test_every_command_of_the_readme_is_in_its_table_and_the_other_way_round() -> None:
    from hamvae_cli import main

    assert set(re.findall(r"^\| `hamvae (\w+)` \|", README.text, re.MULTILINE)) == set(main.commands)
