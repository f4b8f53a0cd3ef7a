"""A sprite sheet with its sheet.toml is a clip for each action; a mistake in it is named, with the way out."""

from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from hamvae_model.errors import UsageError
from hamvae_model.media import probe, read, read_sheet, stream, write

WIDTH, HEIGHT, COLUMNS, ROWS = 6, 4, 5, 3
PIXELS = torch.randint(
    1, 256, (4, ROWS * HEIGHT, COLUMNS * WIDTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(2)
)
PIXELS[3] = 255
PIXELS[:, 2 * HEIGHT :, 3 * WIDTH :] = 0  # the last row has three frames
LAYOUT = """
cell = [6, 4]
duration = 100

[actions.walk-left]
row = 0
frames = [4, 0, 1, 2]
duration = [100, 50, 100, 100]

[actions.rest]
row = 2
loop = true
"""


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    Image.fromarray(PIXELS.permute(1, 2, 0).contiguous().numpy()).save(tmp_path / "hero.png")
    (tmp_path / "sheet.toml").write_text(LAYOUT)
    return tmp_path / "hero.png"


def cell(row: int, column: int) -> torch.Tensor:
    return PIXELS[:3, row * HEIGHT : (row + 1) * HEIGHT, column * WIDTH : (column + 1) * WIDTH]


def test_an_action_is_named_behind_the_file(sheet: Path) -> None:
    clip = read(f"{sheet}#walk-left")
    assert clip.frames.equal(torch.stack([cell(0, column) for column in (4, 0, 1, 2)]))
    assert (clip.label, clip.source, clip.frame_seconds) == ("walk-left", f"{sheet}#walk-left", 0.1)
    assert clip.times.tolist() == [0, 1, 1.5, 2.5]
    assert clip.period is None


def test_without_a_list_a_row_ends_with_its_last_drawn_cell(sheet: Path) -> None:
    clip = read(f"{sheet}#rest")
    assert clip.frames.equal(torch.stack([cell(2, column) for column in range(3)]))
    assert clip.period == 3


def test_all_actions_can_be_read_together_and_are_listed(sheet: Path) -> None:
    clips = read_sheet(sheet)
    assert {name: len(clip) for name, clip in clips.items()} == {"walk-left": 4, "rest": 3}
    facts = probe(sheet)
    assert (facts.format, facts.width, facts.height, facts.actions) == ("sheet", 6, 4, ("walk-left", "rest"))


def test_an_action_can_be_streamed(sheet: Path) -> None:
    (part,) = stream(f"{sheet}#walk-left")
    assert part.label == "walk-left" and part.times.tolist() == pytest.approx([0, 0.1, 0.15, 0.25])


def test_a_layout_of_the_same_name_wins_over_that_of_the_folder(sheet: Path) -> None:
    sheet.with_suffix(".toml").write_text("cell = [6, 4]\n[actions.jump]\nrow = 1\n")
    assert read(sheet).label == "jump"  # the only action needs no name
    assert read(sheet).frame_seconds is None


def test_a_picture_of_a_single_cell_is_a_picture(sheet: Path) -> None:
    write(sheet.parent / "portrait.png", cell(0, 0)[None])
    assert read(sheet.parent / "portrait.png").frames.equal(cell(0, 0)[None])


def test_a_sheet_of_one_row_is_a_sheet_and_no_strip(tmp_path: Path) -> None:
    write(tmp_path / "row.png", torch.stack([PIXELS[:3, :4, 4 * at : 4 * at + 4] for at in range(6)]))
    (tmp_path / "row.toml").write_text("cell = [4, 4]\n[actions.walk]\nrow = 0\nframes = [3, 1]\n")
    assert len(read(tmp_path / "row.png")) == 2


def test_several_actions_ask_for_a_name(sheet: Path) -> None:
    with pytest.raises(UsageError, match=r"hero\.png holds 2 actions; name one, as in hero\.png#walk-left\."):
        read(sheet)


def test_an_unknown_action_is_answered_with_the_nearest(sheet: Path) -> None:
    with pytest.raises(UsageError, match=r"has no action 'walk-lefft'; did you mean 'walk-left'\?"):
        read(f"{sheet}#walk-lefft")


def test_a_picture_without_a_layout_has_no_actions(sheet: Path) -> None:
    (sheet.parent / "sheet.toml").unlink()
    with pytest.raises(UsageError, match=r"no layout beside it, so no action 'walk'; describe it in a sheet\.toml"):
        read(f"{sheet}#walk")
    with pytest.raises(UsageError, match=r"no layout beside it; describe its cells in a sheet\.toml"):
        read_sheet(sheet)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("cell = [6, 4]", "cell = [6, 4", r"sheet\.toml is not TOML"),
        ("cell = [6, 4]", "", r"'cell' must give a frame's width and height in pixels, as in cell = \[64, 64\]"),
        ("cell = [6, 4]", "cell = 6", "'cell' must give a frame's width and height"),
        ("cell = [6, 4]", "cell = [6, 0]", "'cell' must give a frame's width and height"),
        ("cell = [6, 4]", "cell = [true, true]", "'cell' must give a frame's width and height"),
        ("cell = [6, 4]", "cells = [6, 4]", r"it has the unknown key 'cells'; did you mean 'cell'\?"),
        ("cell = [6, 4]", "cell = [7, 4]", r"cells of 7×4 pixels do not divide hero\.png, which is 30×12"),
        ("row = 0", "rows = 0", r"action 'walk-left' has the unknown key 'rows'; did you mean 'row'\?"),
        ("row = 0", "", "action 'walk-left' must say its row, counted from 0"),
        ("row = 0", "row = -1", "action 'walk-left' must say its row, counted from 0"),
        ("row = 0", "row = 3", r"action 'walk-left' is in row 3, and hero\.png has rows 0 to 2\."),
        ("[4, 0, 1, 2]", "[]", "the frames of action 'walk-left' must be columns counted from 0"),
        ("[4, 0, 1, 2]", '["a"]', "the frames of action 'walk-left' must be columns counted from 0"),
        ("[4, 0, 1, 2]", "[4, 0, 1, 5]", r"action 'walk-left' has frame 5, and hero\.png has columns 0 to 4\."),
        ("[100, 50, 100, 100]", "[100]", "action 'walk-left' has 1 durations; give one for each of its frames"),
        ("[100, 50, 100, 100]", "0", "duration of action 'walk-left' must be milliseconds above 0"),
        ("[100, 50, 100, 100]", "nan", "duration of action 'walk-left' must be milliseconds above 0"),
        ("[100, 50, 100, 100]", '"fast"', "duration of action 'walk-left' must be milliseconds above 0"),
        ("loop = true", "loop = 1", "the loop of action 'rest' must be true or false"),
        (LAYOUT, "cell = [6, 4]\n", "name at least one action"),
        (LAYOUT, "cell = [6, 4]\nactions = {}\n", "name at least one action"),
        (LAYOUT, "cell = [6, 4]\n[actions]\nwalk-left = 0\n", r"action 'walk-left' must be a table, as in \[actions"),
    ],
)
def test_a_mistake_in_the_layout_is_named_with_the_way_out(sheet: Path, old: str, new: str, sentence: str) -> None:
    layout = sheet.parent / "sheet.toml"
    layout.write_text(LAYOUT.replace(old, new, 1))
    with pytest.raises(UsageError, match=sentence) as refused:
        read_sheet(sheet)
    assert str(refused.value).startswith(str(layout)) and "\n" not in str(refused.value)


def test_a_layout_that_is_no_text_is_refused(sheet: Path) -> None:
    (sheet.parent / "sheet.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"sheet\.toml is not TOML"):
        read(sheet)


NUMBERS = st.one_of(st.integers(-2, 9), st.floats(), st.booleans())
VALUES = st.one_of(NUMBERS, st.text('abc#"\n ', max_size=3), st.lists(st.integers(-1, 7), max_size=4))
NAMES = st.sampled_from(["cell", "row", "frames", "duration", "loop", "actions", "x"])


def toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return (
                '"' + "".join(f"\\U{ord(letter):08x}" for letter in value if not "\ud800" <= letter <= "\udfff") + '"'
            )
        case float():
            return repr(value)
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case _:
            return str(value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=st.dictionaries(NAMES, VALUES, max_size=3), action=st.dictionaries(NAMES, VALUES, max_size=4))
def test_any_layout_gives_a_clip_or_a_sentence(sheet: Path, top: dict[str, object], action: dict[str, object]) -> None:
    top.pop("actions", None)
    lines = [f"{name} = {toml(value)}" for name, value in ({"cell": [6, 4]} | top).items()]
    lines += ["[actions.a]", *(f"{name} = {toml(value)}" for name, value in ({"row": 0} | action).items())]
    (sheet.parent / "sheet.toml").write_text("\n".join(lines), "utf-8")
    with suppress(UsageError):
        clip = read(f"{sheet}#a")
        assert clip.label == "a" and clip.times.isfinite().all()
