"""MUG as its owners distribute it, drawn: every second frame, the face alone, and nobody on both sides."""

from pathlib import Path

import pytest

import hamvae_model as hv
from hamvae_model import UsageError
from hamvae_model.config.run import FramingConfig
from hamvae_model.data import StoredClips
from hamvae_model.data.files.mug import list_mug

from ...faces import face, write_faces, write_landmarks

PHOTOS = FramingConfig(fit="crop", resample="smooth")


def opened(root: Path) -> StoredClips:
    source = hv.open_source("mug", root, framing=PHOTOS)
    assert isinstance(source, StoredClips)
    return source


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_faces(tmp_path / "mug", subjects=4)


def test_every_second_frame_is_kept_at_the_models_size(root: Path) -> None:
    shown = opened(root).find("001/happiness/take000")
    assert shown.frames.shape == (12, 3, 64, 64)
    assert shown.times.tolist() == list(range(12))
    assert shown.label == "happiness"


def test_classes_are_the_expressions_that_are_there(root: Path) -> None:
    for name in ("neutral", "session0"):
        (root / "001" / name / "take000").mkdir(parents=True)
    assert opened(root).classes == ("anger", "happiness", "surprise")
    assert list_mug(root).ignored == ("001/neutral", "001/session0")


def test_a_quarter_of_the_subjects_is_held_out_and_nobody_is_on_both_sides(tmp_path: Path) -> None:
    source = opened(write_faces(tmp_path, subjects=8, frames=16))
    sides = {split: {name.split("/")[0] for name in source.names(split)} for split in source.splits}
    assert len(sides["test"]) == 2 and not sides["train"] & sides["test"]


def test_without_annotations_the_middle_is_kept_and_it_says_so(root: Path) -> None:
    assert {one.note for one in list_mug(root).recordings} == {"cropped to its centre"}
    shown = opened(root).find("001/anger/take000").frames[0]
    middle = face(0, "anger", 0).crop((12, 0, 84, 72)).resize((64, 64))
    assert abs(shown.permute(1, 2, 0).numpy().astype(int) - middle).mean() < 6


def test_annotations_move_the_crop_to_the_face_and_it_says_so(root: Path) -> None:
    take = root / "001" / "anger" / "take000"
    for number, path in enumerate(sorted(take.iterdir())):
        face(0, "anger", number / 23, centre=(30, 36)).save(path)
    write_landmarks(take, centre=(30, 36))
    notes = {one.name: one.note for one in list_mug(root).recordings}
    assert notes["001/anger/take000"] == "cropped to its landmarks"
    skin = opened(root).find("001/anger/take000").frames[0, 0] > 150
    left, right = skin[:, :32].sum().item(), skin[:, 32:].sum().item()
    assert skin.float().mean() > 0.3 and abs(left - right) < 0.15 * (left + right)


def test_new_annotations_are_noticed(root: Path) -> None:
    before = opened(root).find("001/anger/take000").frames
    write_landmarks(root / "001" / "anger" / "take000")
    assert not opened(root).find("001/anger/take000").frames.equal(before)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("nothing here", "holds no landmarks, a point 'x y' a line"), ("900 900\n990 990", "lie outside of its 96×72")],
)
def test_wrong_annotations_are_named(root: Path, text: str, sentence: str) -> None:
    (root / "001" / "anger" / "take000" / "img_0000.txt").write_text(text)
    with pytest.raises(hv.HamvaeError, match=sentence):
        opened(root)


def test_the_archives_own_folder_may_stand_between(root: Path) -> None:
    (root.parent / "outer").mkdir()
    root.rename(root.parent / "outer" / "subjects3")
    assert len(list_mug(root.parent / "outer").recordings) == 12


def test_a_folder_of_another_layout_says_what_it_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not hold MUG, which is subject/expression/take/frames"):
        opened(tmp_path)


def test_a_take_without_frames_is_named(root: Path) -> None:
    (root / "002" / "anger" / "take009").mkdir()
    with pytest.raises(UsageError, match=r"take009 holds no frames; fetch the take again"):
        opened(root)


def test_a_text_that_is_named_after_no_frame_is_no_annotation(root: Path) -> None:
    (root / "001" / "anger" / "take000" / "readme.txt").write_text("fetched on Monday")
    assert {one.note for one in list_mug(root).recordings} == {"cropped to its centre"}


@pytest.mark.parametrize("source", ["folder", "mug", "sprites"])
def test_a_root_that_may_not_be_read_is_named(root: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)  # the superuser could read anything else
    with pytest.raises(UsageError, match=r"The folder '.*mug' may not be read; change its permissions"):
        hv.open_source(source, root)
