"""The doctor: what is there, what cannot be used, what looks odd, and whether training could begin."""

from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model.config.run import DataConfig
from hamvae_model.data.checkup import Checkup, check
from hamvae_model.data.files.folder import list_folder
from hamvae_model.data.files.mug import list_mug

from ..drawn import square, write_folder
from ..faces import write_faces, write_landmarks


def examined(root: Path, *, length: int = 8, loop: bool = False) -> Checkup:
    return check(list_folder(root), DataConfig(source="folder", loop=loop), size=32, length=length)[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "clips")


def test_a_sound_folder_is_counted_by_motion_and_split(root: Path) -> None:
    found = examined(root)
    assert {label: sum(counts.values()) for label, counts in found.clips.items()} == {"hop": 3, "run": 3}
    assert sum(counts["test"] for counts in found.clips.values()) == 1
    assert (found.frames, found.total_frames) == ((8, 8, 8), 48)
    assert (found.sizes, found.rates) == ({"32x32": 6}, {"10 fps": 6})
    assert not (found.problems or found.advice or found.duplicates or found.dark or found.still or found.refusal)
    assert found.store_bytes == 48 * 3 * 32 * 32


def test_sizes_rates_and_lengths_are_told_apart(root: Path) -> None:
    hv.write(root / "hop" / "other.gif", square(9, 20, size=48), fps=20)
    hv.write(root / "run" / "strip.png", square(9))
    found = examined(root)
    assert found.sizes == {"32x32": 7, "48x48": 1}
    assert found.rates == {"10 fps": 6, "20 fps": 1, "no clock": 1}
    assert found.frames == (8, 8, 20)


def test_what_cannot_be_used_is_named_and_not_counted(root: Path) -> None:
    (root / "hop" / "cut.gif").write_bytes((root / "hop" / "0.gif").read_bytes()[:150])
    hv.write(root / "hop" / "short.gif", square(9, 4))
    found = examined(root)
    assert set(found.problems) == {"hop/cut.gif", "hop/short.gif"}
    assert sum(found.clips["hop"].values()) == 3
    assert found.refusal is None


def test_the_same_frames_under_two_names_are_found_whatever_the_format(root: Path) -> None:
    hv.write(root / "run" / "copy.webp", hv.read(root / "hop" / "0.gif").frames)
    found = examined(root)
    assert found.duplicates == [["hop/0.gif", "run/copy.webp"]]
    assert found.advice == ["1 of the repeated clips stand under different motions; keep each under one."]


def test_black_clips_and_clips_in_which_nothing_moves_are_named(root: Path) -> None:
    hv.write(root / "hop" / "night.gif", torch.zeros(8, 3, 32, 32, dtype=torch.uint8))
    hv.write(root / "hop" / "statue.gif", square(9, 8, step=0))
    found = examined(root)
    assert list(found.dark) == ["hop/night.gif"]
    assert list(found.still) == ["hop/night.gif", "hop/statue.gif"]


def test_a_motion_with_few_clips_is_pointed_out(root: Path) -> None:
    for number in range(10, 30):
        hv.write(root / "hop" / f"{number}.gif", square(number))
    assert "'run' " in examined(root).advice[0] and "add clips of it" in examined(root).advice[0]


def test_clips_of_one_motion_that_repeat_after_different_times_are_pointed_out(root: Path) -> None:
    for number in range(10, 14):
        hv.write(root / "hop" / f"{number}.gif", square(number, 12), fps=10)
    (sentence,) = examined(root, loop=True).advice
    assert sentence.startswith("Clips of 'hop' repeat after 8 to 12 frames")


def test_a_name_on_both_sides_of_the_split_is_pointed_out_until_somebody_says_who_it_is(root: Path) -> None:
    for action in ("hop", "run"):
        (root / action / "2.gif").rename(root / action / "hero.gif")
    table = "clip,identity,split\nhop/hero.gif,{0},train\nrun/hero.gif,{1},test\n"
    (root / "clips.csv").write_text(table.format("", ""))
    (sentence,) = examined(root).advice
    assert sentence.startswith("Clips called 'hero' are both trained on and held out")
    (root / "clips.csv").write_text(table.format("ann", "bob"))
    assert not examined(root).advice


def test_a_folder_that_training_would_refuse_is_refused_in_the_same_words(tmp_path: Path) -> None:
    write_folder(tmp_path, actions=("hop",))
    found = examined(tmp_path)
    assert found.refusal is not None and "a model tells at least two apart" in found.refusal
    assert found.clips == {"hop": {"train": 3}}


def test_how_faces_were_cropped_is_counted(tmp_path: Path) -> None:
    write_faces(tmp_path, subjects=2, frames=16)
    write_landmarks(tmp_path / "001" / "anger" / "take000")
    found, _ = check(list_mug(tmp_path), DataConfig(source="mug"), size=64, length=8)
    assert found.preparations == {"cropped to its centre": 5, "cropped to its landmarks": 1}


def test_what_clips_csv_says_of_the_clips_is_counted(root: Path) -> None:
    lines = ["clip,weapon,mood", "hop/0.gif,sword,", "hop/1.gif,bow,glad", "run/0.gif,sword,"]
    (root / "clips.csv").write_text("\n".join(lines))
    assert examined(root).attributes == {"weapon": {"sword": 2, "bow": 1}, "mood": {"glad": 1}}


def test_checking_decodes_what_training_then_need_not(root: Path) -> None:
    examined(root)
    source = hv.open_source("folder", root, size=32)
    assert source.store.decoded == 0  # type: ignore[attr-defined]
