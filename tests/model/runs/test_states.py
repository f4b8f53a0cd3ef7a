"""The states a run keeps: which, how it goes on from them, and what is lost when one of them is."""

import dataclasses
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import hamvae_model as hv
from hamvae_model import HamvaeError, UsageError, runs
from hamvae_model.data import Characters
from hamvae_model.errors import DamagedError, DiskError, DivergedError
from hamvae_model.training import Stepper

from ..conftest import hurry

STEPS = 6
Take = Callable[[Stepper, int], dict[str, torch.Tensor]]


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """A report after every step, and nothing but learning that takes time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hamvae_model.training.loop.REPORT_EVERY", 1)
        hurry(patch)
        yield


@pytest.fixture(scope="module")
def config(tiny: hv.Config) -> hv.Config:
    """A state after every step, and no sheet before the end."""
    training = dataclasses.replace(tiny.training, steps=STEPS, save_every=1, sample_every=100)
    return dataclasses.replace(tiny, training=training)


@pytest.fixture(scope="module")
def whole(config: hv.Config, builtin: Characters, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing happened to."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    list(hv.fit(config, folder, source=builtin))
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "run")


def go_on(run: Path, source: Characters, **how: int) -> list[hv.Report]:
    config = runs.read_state(run, how.get("from_step")).config
    return list(hv.fit(config, run, source=source, resume=True, **how))  # type: ignore[arg-type]


def differing(ours: Path, theirs: Path) -> list[str]:
    """The tensors of the last state and of the weights that are not the same to the last bit."""
    names = []
    for file in (f"state/step-{STEPS:06d}.safetensors", "weights.safetensors"):
        one, other = load_file(ours / file), load_file(theirs / file)
        assert one.keys() == other.keys()
        names += [name for name in one if not one[name].equal(other[name])]
    return names


def losses(run: Path) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"]) for line in lines]


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("step", range(STEPS))
def test_a_run_resumed_after_any_step_equals_the_uninterrupted_one_to_the_last_bit(
    config: hv.Config, builtin: Characters, whole: Path, tmp_path: Path, step: int
) -> None:
    run = tmp_path / "run"
    reports = hv.fit(config, run, source=builtin)
    for _ in range(step):
        next(reports)
    reports.close()
    assert runs.steps_done(run) == step
    go_on(run, builtin)
    assert differing(run, whole) == []
    assert losses(run) == losses(whole)


def test_the_newest_few_are_kept_by_their_step_and_by_no_clock(copy: Path) -> None:
    kept = runs.kept_states(copy)
    assert list(kept) == [4, 5, 6]
    for step, path in kept.items():
        os.utime(path, (1e9 - step, 1e9 - step))
    assert runs.read_state(copy).step == 6
    assert list(runs.kept_states(copy.rename(copy.with_name("moved")))) == [4, 5, 6]


def test_a_new_state_is_in_place_before_an_old_one_goes(
    copy: Path, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy / "state" / "step-000006.safetensors").unlink()
    (copy / "state" / "step-000003.safetensors").write_bytes(b"")  # one more than is kept
    there: list[set[str]] = []
    unlink = Path.unlink

    def watched(path: Path, missing_ok: bool = False) -> None:
        if path.parent.name == "state":
            there.append({other.name for other in path.parent.iterdir()})
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", watched)
    go_on(copy, builtin)
    assert there and all("step-000006.safetensors" in names for names in there)
    assert list(runs.kept_states(copy)) == [4, 5, 6]


def test_a_damaged_state_is_passed_over_and_named_and_nothing_else_is_lost(
    copy: Path, builtin: Characters, whole: Path
) -> None:
    damage(copy / "state" / "step-000006.safetensors")
    (copy / "state" / "step-000005.safetensors").write_bytes(b"")
    first, *others = go_on(copy, builtin)
    assert first.notice is not None and all(report.notice is None for report in others)
    assert first.notice.startswith("Going on after step 4, because what was saved later is damaged. ")
    assert "step-000006.safetensors' is damaged: its content does not match its hash" in first.notice
    assert "step-000005.safetensors' is damaged and cannot be read" in first.notice
    assert differing(copy, whole) == [] and losses(copy) == losses(whole)
    assert runs.read_state(copy).damaged == ()


def test_a_state_under_the_name_of_another_step_is_passed_over_and_named(copy: Path, builtin: Characters) -> None:
    shutil.copy(copy / "state" / "step-000005.safetensors", copy / "state" / "step-000009.safetensors")
    state = runs.read_state(copy)
    assert state.step == 6
    assert state.damaged == (
        f"'{copy / 'state' / 'step-000009.safetensors'}' was saved after step 5, and not after the step in its name.",
    )


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("removed", "is missing, or was not saved yet; `hamvae train --resume"),
        ("damaged", r"does not match its hash; use another copy\. Or `hamvae train --resume"),
    ],
)
def test_weights_that_are_lost_come_back_from_the_state_as_is_said(
    copy: Path, builtin: Characters, whole: Path, what: str, said: str
) -> None:
    weights = copy / "weights.safetensors"
    weights.unlink() if what == "removed" else damage(weights)
    with pytest.raises(HamvaeError, match=said):
        hv.load(copy)
    assert go_on(copy, builtin) == []  # all steps are done
    assert hv.load(copy).config == hv.load(whole).config and differing(copy, whole) == []


def test_where_the_disk_refuses_the_lost_weights_it_is_told_how_to_go_on(
    copy: Path, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise DiskError("The disk is full.")

    (copy / "weights.safetensors").unlink()
    monkeypatch.setattr("hamvae_model.training.run.save_weights", refuse)
    with pytest.raises(HamvaeError, match=r"full\. The run is kept as it was after step 6; make room and .* --resume "):
        go_on(copy, builtin)


def test_sheets_can_be_tidied_away(copy: Path, builtin: Characters) -> None:
    (copy / "state" / "step-000006.safetensors").unlink()
    shutil.rmtree(copy / "samples")
    *_, last = go_on(copy, builtin)
    assert last.sample_sheet is not None and last.sample_sheet.exists()


def test_when_no_state_is_whole_each_is_named_with_what_is_wrong(copy: Path, builtin: Characters) -> None:
    for path in runs.kept_states(copy).values():
        damage(path)
    before = (copy / "metrics.jsonl").read_bytes()
    with pytest.raises(DamagedError, match=r"No state of .* is whole\. .*-000006.*-000005.*-000004"):
        hv.fit(runs.load_config(copy), copy, source=builtin, resume=True)
    assert (copy / "metrics.jsonl").read_bytes() == before


def test_what_a_killed_process_left_is_swept_away_and_nothing_else(copy: Path, builtin: Characters) -> None:
    left = [copy / folder / ".0123456789abcdef.tmp" for folder in ("", "state", "samples")]
    mine = copy / ".my-notes.tmp"
    for path in (*left, mine):
        path.write_bytes(b"half of something")
    assert go_on(copy, builtin) == []
    assert mine.exists() and not any(path.exists() for path in left)


def test_training_goes_back_to_a_kept_step_and_comes_to_the_same_numbers(
    copy: Path, builtin: Characters, whole: Path
) -> None:
    assert [report.step for report in go_on(copy, builtin, from_step=4)] == [5, 6]
    assert differing(copy, whole) == [] and losses(copy) == losses(whole)


def test_going_back_forgets_nothing_before_something_took_its_place(copy: Path, builtin: Characters) -> None:
    before = losses(copy)
    reports = hv.fit(runs.load_config(copy), copy, source=builtin, resume=True, from_step=4)
    reports.close()  # no step was taken
    assert list(runs.kept_states(copy)) == [4, 5, 6] and losses(copy) == before
    reports = hv.fit(runs.load_config(copy), copy, source=builtin, resume=True, from_step=4)
    next(reports)
    reports.close()
    assert list(runs.kept_states(copy)) == [4, 5] and losses(copy) == before[:5]


class Killed(BaseException):
    """Stands for kill -9: nothing that is done about errors is done about it."""


@pytest.mark.parametrize(
    ("call", "back"),
    [
        ("states.save_state", False),
        ("states.settle", True),
        ("states.truncate_log", True),
        ("states.rename", True),
        ("folder.write_config", True),
    ],
)
def test_killed_while_it_goes_back_a_run_is_wholly_on_one_side_or_the_other(
    copy: Path, builtin: Characters, whole: Path, monkeypatch: pytest.MonkeyPatch, call: str, back: bool
) -> None:
    state = runs.read_state(copy, 4)
    slower = dataclasses.replace(state.config, training=state.config.training.at_rate(1e-5, 4))
    reports = hv.fit(slower, copy, source=builtin, resume=True, from_step=4)

    def killed(*arguments: object, **options: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"hamvae_model.runs.{call}", killed)
        with pytest.raises(Killed):
            next(reports)
    assert runs.steps_done(copy) == (5 if back else 6)
    assert runs.load_config(copy).training.learning_rate == (1e-5 if back else 3e-3)
    go_on(copy, builtin)
    assert [path.name for path in runs.kept_states(copy).values()] == [
        f"step-{step:06d}.safetensors" for step in (4, 5, 6)
    ]
    lines = [json.loads(line) for line in (copy / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["learning_rate"] for line in lines[4:]] == [1e-5 if back else 3e-3] * 2
    assert (losses(copy) == losses(whole)) is not back
    assert (differing(copy, whole) == []) is not back


def test_going_back_to_a_step_that_is_not_kept_names_those_that_are(copy: Path, builtin: Characters) -> None:
    with pytest.raises(UsageError, match=r"keeps no state after step 2; it has those of 4, 5, 6\."):
        hv.fit(runs.load_config(copy), copy, source=builtin, resume=True, from_step=2)


def test_another_learning_rate_is_taken_and_remembered_everywhere(copy: Path, builtin: Characters) -> None:
    state = runs.read_state(copy, 4)
    slower = dataclasses.replace(state.config, training=state.config.training.at_rate(1e-5, state.step))
    list(hv.fit(slower, copy, source=builtin, resume=True, from_step=4))
    lines = [json.loads(line) for line in (copy / "metrics.jsonl").read_text().splitlines()]
    assert [line["learning_rate"] for line in lines] == [3e-3] * 4 + [1e-5] * 2
    with safe_open(copy / "weights.safetensors", "pt") as file:
        written = [file.metadata()["config"], (copy / "config.json").read_text()]
    for config in [*map(hv.Config.from_json, written), runs.load_config(copy)]:
        assert (config.training.learning_rate, config.training.earlier_rates) == (1e-5, ((4.0, 3e-3),))


def test_the_state_is_that_of_the_optimiser_at_the_new_rate(copy: Path, builtin: Characters, whole: Path) -> None:
    """Moments go on as they were: a step is as much shorter as the rate is lower."""
    last = runs.read_state(copy, 5)
    halved = dataclasses.replace(last.config, training=last.config.training.at_rate(1.5e-3, 5))
    list(hv.fit(halved, copy, source=builtin, resume=True, from_step=5))
    ours, theirs = (load_file(folder / "state" / "step-000006.safetensors") for folder in (copy, whole))
    name = "model/decoder.layers.0.weight"
    ratio = (ours[name] - last.tensors[name]).norm() / (theirs[name] - last.tensors[name]).norm()
    assert float(ratio) == pytest.approx(0.5, rel=1e-3)


def diverging_at(step: int, term: str) -> Take:
    take = Stepper.__call__

    def step_or_diverge(stepper: Stepper, number: int) -> dict[str, torch.Tensor]:
        if number == step:
            raise DivergedError("It went wrong.", term, number)
        return take(stepper, number)

    return step_or_diverge


def test_a_run_that_diverges_saves_the_step_before_and_names_the_way_back(
    config: hv.Config, builtin: Characters, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    seldom = dataclasses.replace(config, training=dataclasses.replace(config.training, save_every=3))
    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "__call__", diverging_at(6, "gradient norm"))
        with pytest.raises(DivergedError) as told:
            list(hv.fit(seldom, run, source=builtin))
    assert str(told.value) == (
        "Training diverged: the gradient norm is not finite at step 6. Go back to step 3 with a lower learning rate: "
        f"hamvae train --resume {run} --from-step 3 --learning-rate 0.0003"
    )
    assert list(runs.kept_states(run)) == [0, 3, 5]
    go_on(run, builtin)  # it was no fault of the numbers, and nothing is lost
    ours, theirs = (load_file(folder / "state" / "step-000006.safetensors") for folder in (run, whole))
    assert all(tensor.equal(ours[name]) for name, tensor in theirs.items())


def test_a_run_that_diverges_at_its_first_step_has_nothing_to_go_back_to(
    config: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stepper, "__call__", diverging_at(1, "loss"))
    with pytest.raises(DivergedError, match=r"the loss is not finite at step 1\. Train with another seed, or with a"):
        list(hv.fit(config, tmp_path / "run", source=builtin))


def test_weights_that_are_not_finite_themselves_are_not_saved(
    config: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seldom = dataclasses.replace(config, training=dataclasses.replace(config.training, save_every=3))
    monkeypatch.setattr("hamvae_model.training.step.schedule", lambda step, training: math.nan if step == 5 else 1.0)
    with pytest.raises(DivergedError, match=r"at step 6.*--from-step 3"):
        list(hv.fit(seldom, tmp_path / "run", source=builtin))
    assert list(runs.kept_states(tmp_path / "run")) == [0, 3]
    with pytest.raises(DivergedError, match=r"the weight is not finite at step 5.*--from-step 4"):
        list(hv.fit(config, tmp_path / "often", source=builtin))
    assert list(runs.kept_states(tmp_path / "often")) == [2, 3, 4]
    assert all(tensor.isfinite().all() for tensor in hv.load(tmp_path / "often").network.state_dict().values())


@pytest.mark.parametrize(("clip", "share"), [(1e-9, 1.0), (1e9, 0.0)])
def test_the_log_tells_how_often_gradients_were_clipped(
    config: hv.Config, builtin: Characters, tmp_path: Path, clip: float, share: float
) -> None:
    training = dataclasses.replace(config.training, gradient_clip=clip, steps=2)
    *_, report = hv.fit(dataclasses.replace(config, training=training), tmp_path / "run", source=builtin)
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    assert line["clipped"] == share and line["gradient_norm"] > 0
    assert line["operator_norm"] == pytest.approx(
        float(hv.load(tmp_path / "run").network.motion.norms().max()), rel=1e-6
    )
    assert report.health == {name: line[name] for name in ("clipped", "operator_norm", "learning_rate")}
