"""hamvae evaluate: tables for people and for programs, and a sentence for each thing that is missing."""

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import pytest

import hamvae_model as hv
from hamvae_model.config.choices import TABLES
from hamvae_model.data import Characters
from hamvae_model.evaluation import PROTOCOLS, draws
from hamvae_model.evaluation.protocols import Protocol
from hamvae_model.judge import Judge, JudgeConfig, default_path, save_judge
from hamvae_model.runs import save_weights
from hamvae_model.training import untrained

from ..model.drawn import write_folder
from .conftest import TINY, Command

Refusal = Callable[..., str]
FEW = 18
QUICK = ("--characters", "2", "--seeds", "2", "--samples", str(FEW))


def write_judge(source: Characters, path: Path | None = None, *, accuracy: float = 1.0) -> Path:
    """A judge who has learned nothing and claims to be right."""
    config = JudgeConfig(
        data=source.data,
        material=dict(source.material),
        classes=source.classes,
        attributes=source.attributes,
        size=source.size,
        length=source.length,
        steps=1,
        seed=0,
        accuracy=dict.fromkeys(("action", *source.attributes), accuracy),
    )
    path = path or default_path(source.name, source.data.labels)
    path.parent.mkdir(exist_ok=True)
    save_judge(path, Judge(config))
    return path


@pytest.fixture
def few_samples_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "LEAST_SAMPLES", FEW)


@pytest.mark.usefixtures("few_samples_are_enough")
def test_all_tables_are_printed_with_a_row_for_each_protocol(
    hamvae: Command, run: Path, here: Path, builtin: Characters
) -> None:
    write_judge(builtin)
    result = hamvae("evaluate", run, *QUICK)
    assert result.exit_code == 0, result.output
    heading, *lines = result.stdout.splitlines()
    assert heading.endswith("decoder φ(z, q, u); 2 characters, 18 validation clips")
    for row in ("from the first frame alone †", "floor: first frame standing still ", "motion from N(0, I)"):
        assert any(line.startswith(row) for line in lines)
    for column in ("SSIM ↑", "MSE ↓", "H(y|x) ↓", "H(y) ↑", "hair ↑", "leak ↓, dB", "193–200 ↓"):
        assert column in result.stdout
    assert " ± " in result.stdout
    assert lines[-1].startswith("† is told the action of a clip. ± of this run is over 2 seeds")
    assert result.stderr.splitlines()[0] == "Scoring generation, 1 of 8"


@pytest.mark.usefixtures("few_samples_are_enough")
def test_json_is_one_object_with_every_figure(
    hamvae: Command, run: Path, here: Path, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = write_judge(builtin, here / "mine.safetensors")
    monkeypatch.setattr("hamvae_model.evaluation.figures.write_figures", lambda *_: [Path("figures/swaps.png")])
    result = hamvae("evaluate", run, "--judge", judge, "--figures", "figures", "--json", *QUICK)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert list(found["tables"]) == list(TABLES)
    assert found["run"] == str(run) and found["judge"]["hair"] == 1
    assert found["tables"]["disentanglement"]["content_from_prior"]["entropy"].keys() == {"mean", "std"}
    assert found["figures"] == ["figures/swaps.png"]


@pytest.mark.usefixtures("on_a_terminal")
def test_a_terminal_gets_a_table_with_frames(hamvae: Command, run: Path) -> None:
    result = hamvae("evaluate", run, "--table", "roll", *QUICK)
    screen = click.unstyle(result.stdout)
    assert "┃" in screen and "│ from the first" in screen and "Long roll" in screen


def test_a_table_that_asks_no_judge_needs_none(hamvae: Command, run: Path) -> None:
    result = hamvae("evaluate", run, "--table", "swap", "--characters", "2", "--seeds", "1")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "† is told the action of a clip."
    assert "Exact swap" in result.stdout and "Disentanglement" not in result.stdout


def test_published_rows_stand_below_those_of_a_run_on_the_same_data(
    hamvae: Command, here: Path, tiny: hv.Config, sprites_run: Path
) -> None:
    result = hamvae("evaluate", sprites_run, "--table", "generation", "--characters", "1")
    assert result.exit_code == 0, result.output
    assert "; 1 character, 9 validation clips" in result.stdout
    assert "H †, Khan & Storkey 2021" in result.stdout
    assert [line[:32] for line in result.stdout.splitlines() if "‡" in line[:32]] == [
        "from the first frame alone † ‡  "
    ]
    assert "± of this run" not in result.stdout  # nothing is drawn at random
    assert "0.982 ± 0.005" in result.stdout and "36.76 ± 1.096" in result.stdout


@pytest.fixture
def sprites_run(here: Path, tiny: hv.Config, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that says it is of Sprites, and drawn characters in the place of the sheets."""
    drawn = hv.open_source("builtin")
    drawn.name = "sprites"
    monkeypatch.setattr("hamvae_model.data.reopen_source", lambda *_, **__: drawn)
    return _weights(here, dataclasses.replace(tiny, data=dataclasses.replace(tiny.data, source="sprites")))


def _weights(here: Path, config: hv.Config) -> Path:
    save_weights(here / "weights.safetensors", untrained(config))
    return here / "weights.safetensors"


def test_a_protocol_from_elsewhere_is_shown_under_its_title_by_its_own_names(
    monkeypatch: pytest.MonkeyPatch, hamvae: Command, run: Path
) -> None:
    rows = {"from_one_frame": {"jitter": 0.25}}
    monkeypatch.setitem(PROTOCOLS, "roll", Protocol(title="Steadiness", score=lambda *_: rows))
    monkeypatch.delitem(import_module("hamvae_cli._scores").COLUMNS, "roll")
    result = hamvae("evaluate", run, "--table", "roll", "--characters", "2")
    assert result.exit_code == 0, result.output
    assert "\nSteadiness\n" in result.stdout and "jitter ↑" in result.stdout
    assert any(line.split() == ["from", "one", "frame", "†", "0.2500"] for line in result.stdout.splitlines())


# Refusals ----------------------------------------------------------------------------------------------------------


def test_without_a_judge_the_other_tables_are_made_and_the_rest_is_told(
    hamvae: Command, refusal: Refusal, run: Path
) -> None:
    result = hamvae("evaluate", run, "--characters", "2", "--seeds", "1")
    assert result.exit_code == 0, result.output
    command = "hamvae judge train --data builtin --labels action-direction"
    for table in ("disentanglement", "identity"):
        assert f"Left out: There is no judge for {table}; train one with: {command}" in result.stdout
    assert "Exact swap" in result.stdout and "Long roll" in result.stdout and "Identity" not in result.stdout
    alone = refusal("evaluate", run, "--table", "identity", code=2)
    assert alone == f"Error: There is no judge for identity; train one with: {command}"
    assert "no judge at 'absent'; train one with `hamvae judge train" in refusal(
        "evaluate", run, "--judge", "absent", code=2
    )


def test_a_judge_that_is_none_is_refused_even_where_no_table_needs_one(refusal: Refusal, run: Path, here: Path) -> None:
    asked = ("evaluate", run, "--table", "swap", "--judge")
    assert "It is a run, where a judge is needed." in refusal(*asked, run / "weights.safetensors", code=1)
    assert f"'{here}' is a folder; name a file." in refusal(*asked, here, code=2)


def test_a_judge_of_other_labels_is_refused(refusal: Refusal, run: Path, here: Path) -> None:
    judge = write_judge(hv.open_source("builtin", labels="action"), here / "judge")
    sentence = refusal("evaluate", run, "--judge", judge, code=2)
    assert "The judge is for builtin (action) and these clips are from builtin (action-direction)" in sentence
    assert "hamvae judge train --data builtin --labels action-direction" in sentence


def test_a_judge_that_errs_too_often_is_refused(refusal: Refusal, run: Path, here: Path, builtin: Characters) -> None:
    judge = write_judge(builtin, here / "judge", accuracy=0.98)
    assert "only 98.00% of held-out clips where 99% are needed" in refusal("evaluate", run, "--judge", judge, code=2)


def test_a_damaged_judge_is_refused_by_its_name(refusal: Refusal, run: Path, here: Path, builtin: Characters) -> None:
    judge = write_judge(builtin, here / "judge")
    judge.write_bytes(judge.read_bytes()[:1000])
    assert "judge' is damaged" in refusal("evaluate", run, "--judge", judge, code=1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--samples", "999"), "Entropies of 999 samples are biased; ask for at least 1000 samples."),
        (("--table", "swop"), "there is no 'swop'; did you mean 'swap'?"),
        (("--table", "swap", "--characters", "51"), "builtin:validation has 50 characters; 51 were asked for."),
        (("--table", "swap", "--figures", "absent/figures"), "absent' does not exist; make it first."),
        (("--table", "swap", "--figures", "judges/builtin-action-direction.safetensors"), "is a file; name a folder."),
        (("--seeds", "0"), "0 is not in the range 1<=x<=10000"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(
    refusal: Refusal, run: Path, builtin: Characters, words: tuple[str, ...], sentence: str
) -> None:
    write_judge(builtin)
    assert sentence in refusal("evaluate", run, *words, code=2)


def test_a_run_on_sprites_without_their_sheets_is_told_what_to_set(
    refusal: Refusal, here: Path, tiny: hv.Config
) -> None:
    weights = _weights(here, dataclasses.replace(tiny, data=dataclasses.replace(tiny.data, source="sprites")))
    assert "pass --root DIR or set HAMVAE_SPRITES_SHEETS" in refusal("evaluate", weights, code=2)


def test_a_folder_is_told_what_has_no_exact_renders(
    hamvae: Command, refusal: Refusal, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(hv.PRESETS, "clips", TINY)
    source = hv.open_source("folder", write_folder(here / "clips"), loop=True)
    weights = _weights(here, hv.build("clips", source=source))
    assert "has no validation clips" in refusal("evaluate", weights, "--root", "clips", code=2)
    asked = ("evaluate", weights, "--root", "clips", "--final")
    assert "swap is for builtin and sprites" in refusal(*asked, "--table", "swap", code=2)
    result = hamvae(*asked, "--table", "swap", "--table", "generation")
    assert result.exit_code == 0, result.output
    assert "Left out: The folder source has no exact renders" in result.stdout
    assert re.search(r"; \d+ identit(y|ies), \d+ test clips?$", result.stdout.splitlines()[0])


# The test split ----------------------------------------------------------------------------------------------------


def test_scores_of_the_test_split_are_asked_for_and_recorded_with_the_code(
    hamvae: Command, run: Path, here: Path
) -> None:
    own = here / "own"
    shutil.copytree(run, own)
    quick = ("--table", "generation", "--characters", "1")
    assert hamvae("evaluate", own, *quick).exit_code == 0
    assert not (own / "final.jsonl").exists()
    first = hamvae("evaluate", own, *quick, "--final", "--json")
    assert first.exit_code == 0 and "before" not in first.stderr
    second = hamvae("evaluate", own, *quick, "--final")
    assert "was scored 1 time before, last on 20" in second.stderr and "1 character, 9 test clips" in second.stdout
    lines = [json.loads(line) for line in (own / "final.jsonl").read_text().splitlines()]
    assert [line["split"] for line in lines] == ["test", "test"]
    assert lines[0]["tables"] == lines[1]["tables"] == json.loads(first.stdout)["tables"]
    assert {"date", "commit", "versions", "processor"} <= lines[0].keys()


def test_a_broken_line_of_the_record_loses_no_other(hamvae: Command, run: Path, here: Path) -> None:
    own = here / "own"
    shutil.copytree(run, own)
    (own / "final.jsonl").write_text('{"date": "2026-01-01", "commit": "abc"}\n{"date": "2026-')
    result = hamvae("evaluate", own, "--table", "generation", "--characters", "1", "--final")
    assert "was scored 1 time before, last on 2026-01-01 with the code of abc" in result.stderr
    assert [line[:9] for line in (own / "final.jsonl").read_text().splitlines()] == ['{"date": '] * 3
