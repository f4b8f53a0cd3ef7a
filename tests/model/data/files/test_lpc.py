"""Whole characters in the Liberated Pixel Cup's layout: which motions, in which order, composed of which layers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import hamvae_model as hv
from hamvae_model import UsageError
from hamvae_model.data import Characters, StoredClips
from hamvae_model.data.composed.sprites import ATTRIBUTES, sprites_root
from hamvae_model.data.files.lpc import list_lpc
from hamvae_model.limits import LAYER_LIMIT

ROWS = {"spellcard": (0, 7), "thrust": (4, 8), "walk": (8, 9), "slash": (12, 6), "shoot": (16, 13), "hurt": (20, 6)}


def sheet(*, without: tuple[str, ...] = (), blue: int = 7, rows: int = 21) -> Image.Image:
    """A sheet whose cells say their column in red and their row in green."""
    pixels = np.zeros((64 * rows, 832, 4), dtype=np.uint8)
    for action, (first, count) in ROWS.items():
        for row in range(first, first + (1 if action == "hurt" else 4)):
            for column in range(count if action not in without else 0):
                pixels[64 * row : 64 * row + 64, 64 * column : 64 * column + 64] = (10 * column, 10 * row, blue, 255)
    return Image.fromarray(pixels)


def opened(root: Path, **options: str) -> StoredClips:
    source = hv.open_source("sprites", root, **options)  # type: ignore[arg-type]
    assert isinstance(source, StoredClips)
    return source


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(3):
        sheet(blue=number).save(tmp_path / f"hero {number}.png")
    return tmp_path


def test_six_actions_in_four_directions_and_hurt_in_one(root: Path) -> None:
    classes = opened(root).classes
    directions = ("back", "front", "left", "right")
    assert classes == (
        "hurt-front",
        *(f"{action}-{side}" for action in ("shoot", "slash", "spellcard", "thrust", "walk") for side in directions),
    )


def test_a_class_can_be_the_action_alone(root: Path) -> None:
    assert opened(root, labels="action").classes == ("hurt", "shoot", "slash", "spellcard", "thrust", "walk")


@pytest.mark.parametrize(
    ("motion", "row", "columns"),
    [
        ("walk-left", 9, [8, 1, 2, 3, 4, 5, 6, 7]),
        ("spellcard-back", 0, [0, 1, 2, 3, 4, 5, 4, 6]),
        ("slash-right", 15, [0, 1, 2, 3, 4, 5, 4, 0]),
        ("thrust-front", 6, list(range(8))),
        ("shoot-left", 17, list(range(13))),
        ("hurt-front", 20, list(range(6))),
    ],
)
def test_each_motion_plays_its_cells_and_comes_round(root: Path, motion: str, row: int, columns: list[int]) -> None:
    shown = opened(root).find(f"hero 1.png#{motion}")
    assert [int(frame[0, 0, 0]) // 10 for frame in shown.frames] == columns
    assert {int(frame[1, 0, 0]) // 10 for frame in shown.frames} == {row}
    assert (shown.label, shown.period) == (motion, len(columns))


def test_a_motion_that_is_not_drawn_is_no_clip(tmp_path: Path) -> None:
    sheet(without=("shoot", "thrust")).save(tmp_path / "hero.png")
    sheet().save(tmp_path / "other.png")
    source = opened(tmp_path)
    names = [name for split in source.splits for name in source.names(split)]
    assert "hero.png#walk-left" in names and "other.png#shoot-left" in names
    assert not [name for name in names if name.startswith("hero.png#shoot")]
    assert not source.skipped


def test_layers_of_a_folder_are_laid_over_each_other_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "hero").mkdir()
    sheet(blue=200).save(tmp_path / "hero" / "1-body.png")
    coat = np.array(sheet(blue=90))
    coat[:, np.arange(832) % 64 >= 32] = 0
    Image.fromarray(coat).save(tmp_path / "hero" / "2-my-coat.png")
    sheet().save(tmp_path / "other.png")
    frames = opened(tmp_path).find("hero#walk-left").frames
    assert frames[0, 2, 0].tolist() == [90] * 32 + [200] * 32
    (tmp_path / "hero" / "2-my-coat.png").unlink()
    sheet(blue=91).save(tmp_path / "hero" / "2-my-coat.png")
    assert opened(tmp_path).find("hero#walk-left").frames[0, 2].unique().tolist() == [91]


def test_newer_sheets_may_have_more_rows_below(tmp_path: Path) -> None:
    sheet(rows=46).save(tmp_path / "hero.png")
    sheet(rows=54).save(tmp_path / "other.png")
    assert len(opened(tmp_path).classes) == 21


def test_a_sheet_of_another_layout_is_named(root: Path) -> None:
    Image.new("RGBA", (576, 256)).save(root / "odd.png")
    with pytest.raises(UsageError, match=r"odd\.png is 576×256 pixels where a character's sheet has 832×1344"):
        opened(root)


def test_a_folder_without_characters_says_what_it_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"neither the folders of the Sprites data set .* nor whole characters"):
        opened(tmp_path)


def test_layers_of_the_data_set_make_the_data_sets_own_clips(sprites: Characters, tmp_path: Path) -> None:
    values = {"hero 0": (0, 1, 2, 3), "hero 1": (5, 5, 0, 1)}
    for name, numbers in values.items():
        (tmp_path / name).mkdir()
        layers = [f"{attribute}/{number}.png" for attribute, number in zip(ATTRIBUTES, numbers, strict=True)]
        for depth, layer in enumerate([*layers, "shoes/1.png"]):
            (tmp_path / name / f"{depth}.png").symlink_to(sprites_root() / layer)
    source = opened(tmp_path)
    everyone = {
        tuple(row): (split, number)
        for split, count in sprites.splits.items()
        for number, row in enumerate(sprites.values(split, torch.arange(0, count, 9)).tolist())
    }
    for name, numbers in values.items():
        split, number = everyone[numbers]
        for motion in sprites.motions:
            expected = sprites.clip(split, f"{sprites.identities(split)[9 * number]}/{motion}").frames
            assert source.find(f"{name}#{motion}").frames.equal(expected), (name, motion)
    names = [name for split in source.splits for name in source.names(split)]
    assert "hero 0#shoot-back" in names and "hero 1#shoot-back" not in names  # trousers 5 are not drawn for it


def test_links_that_lead_nowhere_and_folders_that_may_not_be_read_are_left_out_and_named(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "dangling").symlink_to(root / "nothing")
    (root / "loop.png").symlink_to(root / "loop.png")
    for name in ("bare", "closed"):
        (root / name).mkdir()
    (root / "bare" / "1-body.png").symlink_to(root / "nothing.png")
    whole = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        if folder.name == "closed":
            raise PermissionError
        return whole(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    listing = list_lpc(root, "action")
    assert set(listing.problems) == {"dangling", "loop.png", "bare", "closed"}
    assert {recording.identity for recording in listing.recordings} == {"hero 0", "hero 1", "hero 2"}


def test_a_layer_may_be_named_in_capitals_and_what_is_no_layer_is_listed(root: Path) -> None:
    (root / "layered").mkdir()
    for name in ("1-body.png", "2-COAT.PNG"):
        sheet().save(root / "layered" / name)
    (root / "layered" / "notes.txt").touch()
    listing = list_lpc(root, "action")
    files = next(recording.files for recording in listing.recordings if recording.identity == "layered")
    assert [path.name for path in files] == ["1-body.png", "2-COAT.PNG"]
    assert listing.ignored == ("layered/notes.txt",)


def test_a_character_of_more_layers_than_are_read_is_left_out_and_named(root: Path) -> None:
    (root / "heap").mkdir()
    for number in range(LAYER_LIMIT + 1):
        (root / "heap" / f"{number}.png").touch()
    assert "has more than 100 layers" in str(list_lpc(root, "action").problems["heap"])
    (root / "heap" / "0.png").unlink()
    assert not list_lpc(root, "action").problems
