"""inspect and data list: what is there, for people and for programs."""

import json
import re
from pathlib import Path

import click
import pytest

import hamvae_model as hv
from hamvae_cli import main
from hamvae_cli.judge import judge

from .conftest import Command


def test_inspect_describes_the_run_and_every_operator(hamvae: Command, run: Path) -> None:
    facts = json.loads(hamvae("inspect", run, "--json").stdout)
    config = hv.load(run).config
    assert (facts["preset"], facts["operator"], facts["source"]) == ("demo", config.model.operator, "builtin")
    assert (facts["steps_done"], facts["steps"]) == (12, 12)
    assert (facts["format"], facts["kept_states"]) == ("hamvae/1", [0, 12])
    assert facts["parameters"] > 1000
    assert [operator["action"] for operator in facts["operators"]] == list(config.model.classes)


def test_a_period_is_one_over_a_frequency(hamvae: Command, run: Path) -> None:
    for operator in json.loads(hamvae("inspect", run, "--json").stdout)["operators"]:
        assert operator["periods"] == pytest.approx([1 / frequency for frequency in operator["frequencies"]])


def test_inspect_prints_a_line_for_each_action(hamvae: Command, run: Path) -> None:
    result = hamvae("inspect", run)
    assert result.exit_code == 0, result.output
    heading, size, stored, columns, *rows = result.stdout.splitlines()
    assert heading.endswith("preset demo, skew-symmetric operators, builtin (action-direction)")
    assert size.endswith("parameters, 12 of 12 steps")
    assert stored == "format hamvae/1, states kept after steps 0, 12"
    assert columns.split()[:2] == ["action", "periods"]
    assert all("stable" in row.split() for row in rows)
    assert [row.split()[0] for row in rows] == list(hv.load(run).classes)


@pytest.mark.usefixtures("on_a_terminal")
def test_inspect_draws_a_table_on_a_terminal(hamvae: Command, run: Path) -> None:
    screen = click.unstyle(hamvae("inspect", run).stdout)
    assert "┃ action " in screen and "│ walk-left " in screen


def test_data_list_says_what_each_source_holds_and_what_an_absent_one_needs(hamvae: Command) -> None:
    builtin, sprites, folder, mug = json.loads(hamvae("data", "list", "--json").stdout)
    assert [source["available"] for source in (builtin, sprites, folder, mug)] == [True, False, False, False]
    assert builtin["splits"] == {
        "train": {"characters": 950, "clips": 8550},
        "validation": {"characters": 50, "clips": 450},
        "test": {"characters": 296, "clips": 2664},
    }
    assert "HAMVAE_SPRITES_SHEETS" in sprites["reason"]
    assert folder["reason"] == "The folder source needs the folder of its clips: pass --root DIR."
    text = hamvae("data", "list").stdout
    assert "builtin: available" in text and "sprites: not available" in text
    assert "test     296 characters, 2664 clips" in text
    assert text.endswith("`hamvae data check DIR` and `data preview DIR` take the folder itself.\n")


def test_data_list_names_the_commands_that_take_a_folder_as_an_option_and_no_others(hamvae: Command) -> None:
    commands = [*main.commands.items(), *((f"judge {name}", command) for name, command in judge.commands.items())]
    takers = {name for name, command in commands if any("--root" in option.opts for option in command.params)}
    options, _, _ = hamvae("data", "list").stdout.splitlines()[-1].partition(";")
    assert set(re.findall("`(?:hamvae )?([a-z ]+)`", options)) == takers


def test_data_list_names_the_folder_that_the_sheets_are_looked_for_in(
    hamvae: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAMVAE_SPRITES_SHEETS", "my-sheets")
    assert json.loads(hamvae("data", "list", "--json").stdout)[1]["folder"] == "my-sheets"


def test_data_list_counts_whole_characters_without_decoding_them(
    hamvae: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "heroes").mkdir()
    for name in ("ann", "bob", "cem"):
        (here / "heroes" / f"{name}.png").write_text("no picture")
    monkeypatch.setenv("HAMVAE_SPRITES_SHEETS", "heroes")
    sprites = json.loads(hamvae("data", "list", "--json").stdout)[1]
    assert (sprites["available"], len(sprites["motions"]), sprites["length"]) == (True, 21, None)
    assert sum(counts["characters"] for counts in sprites["splits"].values()) == 3
    assert sum(counts["clips"] for counts in sprites["splits"].values()) == 3 * 21
    assert not (here / "heroes" / ".hamvae").exists()
    assert "  clips    64 x 64 pixels\n" in hamvae("data", "list").stdout
