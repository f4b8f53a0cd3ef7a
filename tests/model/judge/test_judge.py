"""Judges: they learn what clips show, keep it in a file, and are refused where their word would mean nothing."""

import dataclasses
import json
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import hamvae_model as hv
from hamvae_model import HamvaeError, UsageError
from hamvae_model.clips.clip import as_images
from hamvae_model.config.run import FramingConfig
from hamvae_model.data import Art, Characters
from hamvae_model.data.composed import builtin
from hamvae_model.files.tensors import write_tensors
from hamvae_model.files.versions import JUDGE
from hamvae_model.judge import Judge, default_path, load_judge, save_judge, train_judge
from hamvae_model.judge.advice import training_command
from hamvae_model.judge.augment import augmented
from hamvae_model.judge.training import new_judge

from ..drawn import square, write_folder


def finished(reports: Generator[hv.Report, None, Judge]) -> Judge:
    while True:
        try:
            next(reports)
        except StopIteration as end:
            judge: Judge = end.value
            return judge


def trusted(source: hv.Source, share: float = 1.0) -> Judge:
    """An untrained judge that claims to be right so often."""
    judge = new_judge(source, steps=1, seed=0)
    heads = ("action", *judge.attributes)
    judge.config = dataclasses.replace(judge.config, accuracy=dict.fromkeys(heads, share))
    return judge.eval().requires_grad_(False)


class FewHeldOut(Characters):
    """The built-in characters, of which fewer are to be judged."""

    def __init__(self, drawn: Art) -> None:
        super().__init__(drawn)
        self.splits["test"] = 90


def art(**changes: object) -> Art:
    drawn = Art(
        name="builtin",
        attributes=builtin.VALUES,
        actions=builtin.ACTIONS,
        directions=builtin.DIRECTIONS,
        layers=builtin.ATTRIBUTES,
        cells=tuple(builtin.draw_layers()),
    )
    return dataclasses.replace(drawn, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def judge(builtin: Characters) -> Judge:
    return trusted(builtin)


@pytest.fixture(scope="session")
def images(builtin: Characters) -> torch.Tensor:
    return as_images(builtin.clips("test", torch.arange(4)).frames)


@pytest.fixture
def there_and_back(tmp_path: Path) -> hv.Source:
    """Two actions with the same frames: a square that walks, and the same played backwards."""
    for shade in range(0, 250, 25):
        frames = square(shade)
        for action, played in {"there": frames, "back": frames.flip(0)}.items():
            (tmp_path / "clips" / action).mkdir(parents=True, exist_ok=True)
            hv.write(tmp_path / "clips" / action / f"{shade}.gif", played, fps=10)
    return hv.open_source("folder", tmp_path / "clips")


def test_a_judge_learns_the_built_in_characters_in_seconds() -> None:
    accuracy = finished(train_judge(FewHeldOut(art()), steps=60)).accuracy
    assert accuracy.keys() == {"action", *builtin.VALUES}
    assert accuracy["action"] > 0.95  # chance: 1/9
    assert min(accuracy.values()) > 0.5  # chance: 1/6


def test_what_decides_between_actions_of_the_same_frames_is_their_order(there_and_back: hv.Source) -> None:
    judge = finished(train_judge(there_and_back, steps=80))
    assert judge.accuracy == {"action": 1.0} and judge.values(torch.zeros(1, 8, 3, 64, 64)) == {}
    batch = there_and_back.clips("test", torch.arange(there_and_back.splits["test"]))
    forward = as_images(batch.frames)
    assert judge.actions(forward).argmax(-1).equal(batch.labels)
    assert judge.actions(forward.flip(1)).argmax(-1).equal(1 - batch.labels)


def test_every_head_gives_log_probabilities_for_any_number_of_frames(judge: Judge, images: torch.Tensor) -> None:
    for count in (1, 2, 8):
        heads = {"action": judge.actions(images[:, :count]), **judge.values(images[:, :count])}
        assert {name: scores.shape for name, scores in heads.items()} == {
            "action": (4, 9),
            **dict.fromkeys(builtin.VALUES, (4, 6)),
        }
        for scores in heads.values():
            assert torch.allclose(scores.exp().sum(-1), torch.ones(4))


def test_attributes_are_read_from_each_frame_by_itself(judge: Judge, images: torch.Tensor) -> None:
    shuffled = images[:, torch.tensor([5, 2, 7, 0, 1, 6, 3, 4])]
    for attribute, scores in judge.values(images).items():
        assert torch.allclose(judge.values(shuffled)[attribute], scores, atol=1e-5)
    assert not torch.allclose(judge.actions(shuffled), judge.actions(images), atol=1e-3)


def test_a_seed_makes_the_same_judge_again() -> None:
    source = FewHeldOut(art())
    first, again, other = (finished(train_judge(source, steps=2, seed=seed)).state_dict() for seed in (5, 5, 6))
    assert all(first[name].equal(again[name]) for name in first)
    assert not any(first[name].equal(other[name]) for name in first)


def test_the_reports_come_to_the_last_step_and_name_every_head() -> None:
    reports = train_judge(FewHeldOut(art()), steps=12)
    first, last = next(reports), next(reports)
    assert (first.step, last.step, last.steps) == (10, 12, 12)
    assert last.losses.keys() == {"action", *builtin.VALUES}


def test_augmented_clips_are_others_within_the_same_range(images: torch.Tensor) -> None:
    once, again, other = (augmented(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert once.equal(again) and not once.equal(other)
    assert once.shape == images.shape
    assert once.min() >= 0 and once.max() <= 1
    assert 0.001 < (once - images).abs().mean() < 0.1


def test_a_source_that_holds_nothing_out_has_no_judge(tmp_path: Path) -> None:
    write_folder(tmp_path, clips=2)
    rows = [f"{action}/{clip}.gif,train" for action in ("hop", "run") for clip in range(2)]
    (tmp_path / "clips.csv").write_text("\n".join(["clip,split", *rows]) + "\n")
    with pytest.raises(UsageError, match="has no held-out clips, and a judge is measured on those"):
        next(train_judge(hv.open_source("folder", tmp_path)))


def test_a_judge_of_the_same_source_is_accepted(judge: Judge, builtin: Characters) -> None:
    judge.check(builtin)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            lambda: hv.open_source("builtin", labels="action"),
            r"is for builtin \(action-direction\) and these clips are from builtin \(action\); train one with: "
            r"hamvae judge train --data builtin --labels action\.",
        ),
        (lambda: Characters(art(name="sprites")), r"these clips are from sprites \(action-direction\)"),
        (lambda: Characters(art(actions=("walk", "wave", "jump"))), "has other actions or attributes"),
        (
            lambda: Characters(art(cells=tuple(cells[..., ::2, ::2] for cells in builtin.draw_layers()))),
            "looks at frames of 64 pixels a side, and the builtin source has 32",
        ),
        (
            lambda: Characters(art(cells=(*builtin.draw_layers()[:3], builtin.draw_layers()[3].flip(0)))),
            r"The art of the judge's source changed: 1 changed \(hair\); train one with",
        ),
    ],
    ids=["labels", "source", "classes", "size", "art"],
)
def test_a_judge_of_something_else_is_refused(judge: Judge, source: object, sentence: str) -> None:
    assert callable(source)
    with pytest.raises(UsageError, match=sentence):
        judge.check(source())


def test_a_judge_that_is_often_wrong_is_refused(builtin: Characters) -> None:
    trusted(builtin, 0.99).check(builtin)
    with pytest.raises(
        UsageError, match=r"recognises the action of only 98\.00% of held-out clips where 99% are needed"
    ):
        trusted(builtin, 0.98).check(builtin)


def test_a_judge_that_was_never_measured_is_refused(builtin: Characters) -> None:
    with pytest.raises(UsageError, match=r"How well the judge recognises the action was never measured; train one"):
        new_judge(builtin, steps=1, seed=0).check(builtin)


def test_clips_from_files_may_move_but_not_change(tmp_path: Path) -> None:
    write_folder(tmp_path / "mine")
    judge = trusted(hv.open_source("folder", tmp_path / "mine"))
    shutil.copytree(tmp_path / "mine", tmp_path / "elsewhere", ignore=shutil.ignore_patterns(".*"))
    judge.check(hv.open_source("folder", tmp_path / "elsewhere"))
    hv.write(tmp_path / "elsewhere" / "hop" / "1.gif", square(7), fps=10)
    with pytest.raises(UsageError, match=r"The clips of the judge's source changed: 1 changed \(hop/1\.gif\)"):
        judge.check(hv.open_source("folder", tmp_path / "elsewhere"))


def test_the_same_clips_read_in_another_way_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path)
    judge = trusted(hv.open_source("folder", tmp_path))
    with pytest.raises(UsageError, match=r"saw these clips framed or timed in another way; train one with: .*--root"):
        judge.check(hv.open_source("folder", tmp_path, loop=True))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, " --clip-fps 10"),
        ({"loop": True, "frame_seconds": 1 / 49}, " --clips-repeat --clip-fps 49"),
        (
            {"length": 6, "framing": FramingConfig(background=(255, 0, 16))},
            " --length 6 --clip-fps 10 --background '#ff0010'",
        ),
        ({"framing": FramingConfig(fit="crop", resample="smooth")}, " --preset photos --clip-fps 10"),
    ],
)
def test_the_advised_command_reads_the_clips_as_they_were_read(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    write_folder(tmp_path)
    source = hv.open_source("folder", tmp_path, **options)
    assert training_command(source) == f"hamvae judge train --data folder --root DIR{words}"


def test_a_saved_judge_says_the_same_again(judge: Judge, images: torch.Tensor, tmp_path: Path) -> None:
    save_judge(tmp_path / "judge.safetensors", judge)
    loaded = load_judge(tmp_path / "judge.safetensors")
    assert loaded.config == judge.config and not loaded.training
    assert loaded.actions(images).equal(judge.actions(images))
    for attribute, scores in judge.values(images).items():
        assert loaded.values(images)[attribute].equal(scores)


def test_the_file_says_what_it_is_and_where_it_was_trained(judge: Judge, tmp_path: Path) -> None:
    save_judge(tmp_path / "judge.safetensors", judge)
    with safe_open(tmp_path / "judge.safetensors", "pt") as file:
        header = file.metadata()
    assert header["format"] == "hamvae-judge/1"
    assert json.loads(header["config"])["accuracy"] == judge.accuracy
    assert torch.__version__.startswith(json.loads(header["environment"])["versions"]["torch"])


def test_judges_are_looked_for_by_source_and_labels() -> None:
    assert default_path("sprites", "action") == Path("judges/sprites-action.safetensors")


def test_a_missing_judge_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no judge at '.*'; train one with `hamvae judge train"):
        load_judge(tmp_path / "judge.safetensors")


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9], lambda data: b"\xff" * 64])
def test_a_damaged_judge_is_refused(judge: Judge, tmp_path: Path, damage: object) -> None:
    path = tmp_path / "judge.safetensors"
    save_judge(path, judge)
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(HamvaeError, match="is damaged and cannot be read"):
        load_judge(path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"format": "hamvae-judge/9"},
            "the format 'hamvae-judge/9', and 'hamvae-judge/1' is read here; use a newer",
        ),
        ({"attributes": {"hair": 3}}, "field 'attributes' of the configuration holds 3"),
        ({"classes": ["walk"]}, "must tell at least two actions apart"),
        ({"classes": ["walk", "wave"]}, "do not fit the configuration stored with them"),
        ({"size": 1 << 14}, "do not fit the configuration stored with them"),
        ({"size": -64}, "frames have a multiple of 16 pixels, at most 16384; got -64"),
        ({"accuracy": {"action": 1.5}}, "accuracies lie between 0 and 1"),
        ({"accuracy": {"hat": 1.0}}, "an accuracy is of a head that it does not have"),
    ],
)
def test_a_header_that_lies_is_refused(judge: Judge, tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    path = tmp_path / "judge.safetensors"
    save_judge(path, judge)
    with safe_open(path, "pt") as file:
        config = json.loads(file.metadata()["config"])
    write_tensors(path, load_file(path), {"config": json.dumps(config | change)}, kind=JUDGE)
    with pytest.raises(HamvaeError, match=sentence):
        load_judge(path)


def test_a_run_is_no_judge(run: Path) -> None:
    with pytest.raises(HamvaeError, match=r"cannot be used\. It is a run, where a judge is needed"):
        load_judge(run / "weights.safetensors")


@pytest.mark.long
def test_a_judge_of_the_real_sheets_is_right_about_999_of_1000_clips(sprites: Characters) -> None:
    judge = finished(train_judge(sprites))
    judge.check(sprites)
    assert min(judge.accuracy.values()) >= 0.999


def test_a_judge_is_of_no_clip_that_is_held_out_for_validation(judge: Judge) -> None:
    judge.check(hv.open_source("builtin", validation=0.01))
    with pytest.raises(UsageError, match=r"learned from clips that are held out .* --validation 0\.2\.$"):
        judge.check(hv.open_source("builtin", validation=0.2))
