"""Composed characters: splits, labels, names, and what is said when there is no such thing."""

from pathlib import Path

import pytest
import torch
from PIL import Image

import hamvae_model as hv
from hamvae_model import UsageError
from hamvae_model.data import Characters
from hamvae_model.data.composed.sprites import ATTRIBUTES


def test_no_character_is_in_both_splits_and_every_one_is_in_one(builtin: Characters) -> None:
    seen = {
        split: {tuple(row) for row in builtin.values(split, torch.arange(count)).tolist()}
        for split, count in builtin.splits.items()
    }
    assert {split: len(characters) for split, characters in seen.items()} == {
        "train": 950,
        "validation": 50,
        "test": 296,
    }
    assert len(set.union(*seen.values())) == 6**4


def test_classes_are_numbered_three_times_the_action_plus_the_direction(builtin: Characters) -> None:
    actions, directions = ("walk", "wave", "slash"), ("left", "front", "right")
    assert builtin.classes == tuple(f"{action}-{direction}" for action in actions for direction in directions)


def test_labels_can_be_the_action_alone() -> None:
    source = hv.open_source("builtin", labels="action")
    assert source.classes == ("walk", "wave", "slash")
    assert source.labels("train", torch.arange(9)).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert source.clip("test", "3/slash-front").label == "slash"


def test_a_clip_has_frames_times_alpha_label_source_and_period(builtin: Characters) -> None:
    clip = hv.open_clip("builtin:train/3/slash-front")
    assert clip.frames.shape == (8, 3, 64, 64) and clip.frames.dtype == torch.uint8
    assert clip.times.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert clip.alpha is not None and clip.alpha.shape == (8, 1, 64, 64)
    assert (clip.label, clip.source, clip.period) == ("slash-front", "builtin:train/3/slash-front", 8)
    batch = builtin.clips("train", torch.tensor([3 * 9 + 7]))
    assert batch.frames[0].equal(clip.frames) and batch.labels.tolist() == [7]


def test_alpha_covers_every_coloured_pixel() -> None:
    clip = hv.open_clip("builtin:test/5/walk-left")
    assert clip.alpha is not None
    assert (clip.alpha[clip.frames.amax(1, keepdim=True) > 0] == 255).all()


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("bultin:test/3/walk-left", "There is no source 'bultin'; did you mean 'builtin'?"),
        ("builtin:tset/3/walk-left", "The builtin source has no split 'tset'; did you mean 'test'?"),
        ("builtin:test/296/walk-left", "builtin:test has characters 0 to 295; '296' is not one of them."),
        ("builtin:test/-1/walk-left", "builtin:test has characters 0 to 295; '-1' is not one of them."),
        ("builtin:test/3", "'builtin:test/3' names no motion; add one: builtin:test/3/walk-left."),
        ("builtin:test/3/wlak-left", "The builtin source has no motion 'wlak-left'; did you mean 'walk-left'?"),
    ],
)
def test_a_reference_to_nothing_is_refused_with_the_nearest_spelling(reference: str, sentence: str) -> None:
    with pytest.raises(UsageError) as refusal:
        hv.open_clip(reference)
    assert str(refusal.value) == sentence


def write_sheets(folder: Path, size: tuple[int, int] = (832, 1344)) -> Path:
    """Sheets of one flat colour each, in the layout of the Sprites data set."""
    for name in ATTRIBUTES:
        (folder / name).mkdir(parents=True)
        for value in range(6):
            Image.new("RGBA", size, (40 * value, 80, 120, 255)).save(folder / name / f"{value}.png")
    (folder / "shoes").mkdir()
    Image.new("RGBA", size, (1, 2, 3, 0)).save(folder / "shoes" / "1.png")
    return folder


def test_sheets_are_found_by_root_or_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_sheets(tmp_path)
    by_root = hv.open_clip("sprites:test/12/walk-left", folder)
    monkeypatch.setenv("HAMVAE_SPRITES_SHEETS", str(folder))
    assert hv.open_clip("sprites:test/12/walk-left").frames.equal(by_root.frames)


def test_without_root_or_environment_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HAMVAE_SPRITES_SHEETS", raising=False)
    with pytest.raises(UsageError, match="pass --root DIR or set HAMVAE_SPRITES_SHEETS"):
        hv.open_source("sprites")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'.*nowhere' does not exist"):
        hv.open_source("sprites", tmp_path / "nowhere")


def test_a_missing_sheet_is_named(tmp_path: Path) -> None:
    (write_sheets(tmp_path) / "hair" / "4.png").unlink()
    with pytest.raises(UsageError, match=r"hair.4\.png' is missing"):
        hv.open_source("sprites", tmp_path)


def test_a_sheet_of_another_size_is_named_with_both_sizes(tmp_path: Path) -> None:
    write_sheets(tmp_path, size=(416, 672))
    with pytest.raises(UsageError, match=r"body.0\.png' is 416×672 pixels where 832×1344 was expected"):
        hv.open_source("sprites", tmp_path)
