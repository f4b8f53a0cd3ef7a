"""Every table of a run at once: what is returned, what is pooled over seeds, and what is refused before any work."""

import json
import math
import statistics
from pathlib import Path

import pytest

import hamvae_model as hv
from hamvae_model import UsageError
from hamvae_model.data import Characters
from hamvae_model.evaluation import TABLES, draws, evaluate, pooled
from hamvae_model.evaluation.literature import PUBLISHED, published
from hamvae_model.training import untrained

from ..drawn import write_folder
from ..oracle import NearestJudge

FEW = 18


@pytest.fixture(autouse=True)
def few_samples_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "LEAST_SAMPLES", FEW)


def test_every_table_has_figures_that_json_can_hold(model: hv.Model, judge: NearestJudge) -> None:
    told = []
    found = evaluate(
        model,
        judge.source,
        judge,  # type: ignore[arg-type]
        seeds=2,
        samples=FEW,
        characters=2,
        progress=lambda *piece: told.append(piece),
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["clips"], found["characters"], found["seeds"], found["samples"]) == (18, 2, 2, FEW)
    assert found["sees_labels"] and found["decoder"] == "φ(z, q, u)"
    assert list(found["tables"]) == list(TABLES) and not found["left_out"]
    rows = {table: list(rows) for table, rows in found["tables"].items()}
    assert rows["generation"] == ["reconstruction", "first_frame", "content_from_all", "static", "copy"]
    assert len(found["tables"]["generation"]["first_frame"]["ssim_curve"]) == 16
    assert rows["disentanglement"] == ["motion_from_fitted_prior", "motion_from_standard_prior", "content_from_prior"]
    assert rows["identity"] == ["swap", "motion_from_fitted_prior", "motion_from_standard_prior"]
    assert found["tables"]["swap"]["swap"]["psnr"]["std"] > 0  # pairings are drawn
    assert found["tables"]["roll"]["roll"]["ratio"]["std"] == 0  # nothing is
    assert [piece[0] for piece in told] == [
        *("generation", "disentanglement", "disentanglement", "identity", "identity", "swap", "swap", "roll", "")
    ]
    assert told[-1] == ("", 8, 8)


def test_figures_are_pooled_to_a_mean_and_the_deviation_of_a_sample() -> None:
    trees = [{"a": {"x": value, "curve": [value, 1.0]}} for value in (1.0, 2.0, 6.0)]
    found = pooled(trees)["a"]
    assert found["x"] == pytest.approx({"mean": 3.0, "std": statistics.stdev([1, 2, 6])})
    assert found["curve"] == [3.0, 1.0]


@pytest.mark.parametrize("lost", [math.inf, math.nan, None])
def test_what_is_beyond_numbers_for_one_seed_has_no_mean(lost: float | None) -> None:
    assert pooled([{"x": 1.0}, {"x": lost}]) == {"x": {"mean": None, "std": None}}


def test_a_table_without_a_judge_makes_do_without(model: hv.Model, builtin: Characters) -> None:
    found = evaluate(model, builtin, tables=["swap"], characters=2, seeds=1)
    assert list(found["tables"]) == ["swap"]
    assert found["judge"] is found["samples"] is None


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"tables": ["disentanglement", "identity"]},
            "no judge for disentanglement; train one with: hamvae judge train --data builtin",
        ),
        ({"tables": ["identity"]}, "no judge for identity"),
        ({"tables": ["swop"]}, "There is no table 'swop'; did you mean 'swap'?"),
        ({"tables": ["swap"], "seeds": 0}, "at least one seed; got 0"),
        ({"tables": ["swap"], "characters": 0}, "builtin:validation has 50 characters; 0 were asked for"),
        ({"tables": ["swap", "identity"], "characters": 1}, "One character has no other to take a motion from"),
        ({"samples": FEW - 1}, f"Entropies of {FEW - 1} samples are biased"),
    ],
)
def test_what_cannot_be_done_is_refused(
    model: hv.Model, builtin: Characters, asked: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UsageError) as refusal:
        evaluate(model, builtin, **asked)  # type: ignore[arg-type]
    assert sentence in str(refusal.value)


def test_tables_that_do_not_apply_to_clips_from_files_are_left_out_or_refused(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path), size=32)
    model = hv.Model(untrained(hv.build("clips", source=source)).eval())
    found = evaluate(model, source, tables=["generation", "swap", "roll"], split="test")
    assert list(found["tables"]) == ["generation"]
    assert found["left_out"]["swap"].endswith("swap is for builtin and sprites.")
    assert found["left_out"]["roll"] == "No held-out clip of the folder source repeats, so none can be rolled for long."
    with pytest.raises(UsageError, match="is held out, so its motion cannot be kept"):
        evaluate(model, source, tables=["disentanglement"], split="test")
    with pytest.raises(UsageError, match="identity is for builtin and sprites"):
        evaluate(model, source, tables=["identity"], split="test")


def test_published_rows_speak_of_figures_that_are_measured_here(
    model: hv.Model, judge: NearestJudge, sprites: Characters
) -> None:
    found = evaluate(model, judge.source, judge, seeds=1, samples=FEW, characters=2)["tables"]  # type: ignore[arg-type]
    for source, tables in PUBLISHED.items():
        for table in tables:
            for row in published(source, table):
                measured = sprites.attributes if table == "identity" else next(reversed(found[table].values()))
                assert row.figures.keys() <= measured.keys()
                assert row.deviations.keys() <= row.figures.keys()


def test_nothing_is_published_about_clips_that_only_their_owner_has() -> None:
    assert published("folder", "generation") == published("sprites", "swap") == ()
