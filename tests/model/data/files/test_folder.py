"""A folder of clips: what is found in it, what is refused and in which words, and what clips.csv may say."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model import UsageError
from hamvae_model.data import StoredClips
from hamvae_model.data.files.folder import list_folder

from ...drawn import square, write_folder


def problem(root: Path, name: str) -> str:
    """Why a clip cannot be used."""
    source = hv.open_source("folder", root, skip_bad=True, size=32)
    assert isinstance(source, StoredClips)
    return str(source.skipped[name])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "Mes clips été")


def test_a_clip_may_be_an_animation_a_video_a_folder_of_frames_or_a_row_of_a_sheet(root: Path) -> None:
    frames = square(77)
    for name in ("a.png", "b.webp", "c.apng", "d.mp4"):
        hv.write(root / "hop" / name, frames)
    (root / "hop" / "e").mkdir()
    for number, frame in enumerate(frames):
        hv.write(root / "hop" / "e" / f"{number}.png", frame[None])
    hv.write(root / "heroes.png", torch.cat([frames, square(78)], dim=-2))
    (root / "heroes.toml").write_text("cell = [32, 32]\n[actions.hop]\nrow = 0\n[actions.run]\nrow = 1\nloop = true\n")
    source = hv.open_source("folder", root, size=32)
    names = {name for split in source.splits for name in source.names(split)}
    assert names == {
        *(f"hop/{name}" for name in ("0.gif", "1.gif", "2.gif", "a.png", "b.webp", "c.apng", "d.mp4", "e")),
        *(f"run/{number}.gif" for number in range(3)),
        *("heroes.png#hop", "heroes.png#run"),
    }
    for name in names & {"hop/a.png", "hop/b.webp", "hop/c.apng", "hop/e", "heroes.png#hop"}:
        assert source.find(name).frames.equal(frames), name


def test_labels_are_the_names_of_the_folders(root: Path) -> None:
    source = hv.open_source("folder", root, size=32)
    assert source.classes == ("hop", "run")
    assert {source.clip("train", name).label for name in source.names("train") if name.startswith("run/")} == {"run"}


def test_hidden_files_tables_and_texts_are_no_clips(root: Path) -> None:
    for name in (".DS_Store", "notes.txt", "hop/.thumb.png", "hop/licence.md"):
        (root / name).touch()
    listing = list_folder(root)
    assert len(listing.recordings) == 6 and not listing.problems
    assert listing.ignored == ("hop/licence.md", "notes.txt")


def test_a_layout_in_an_action_leaves_the_clips_beside_its_sheets_alone(root: Path) -> None:
    (root / "hop" / "sheet.toml").write_text("cell = [32, 32]\n[actions.hop]\nrow = 0\n")
    hv.write(root / "hop" / "strip.png", square(4))
    names = {recording.name for recording in list_folder(root).recordings}
    assert {"hop/0.gif", "hop/1.gif", "hop/2.gif", "hop/strip.png#hop"} < names


def test_pictures_of_any_size_become_the_size_that_is_asked_for(root: Path) -> None:
    hv.write(root / "hop" / "wide.gif", torch.full((8, 3, 10, 40), 200, dtype=torch.uint8))
    clip = hv.open_source("folder", root, size=32)
    name = "hop/wide.gif"
    frames = clip.clip("train" if name in clip.names("train") else "test", name).frames
    assert frames.shape == (8, 3, 32, 32)
    assert frames[0, 0].any(1).sum() == 8  # a quarter of the height: the rest is margin


def truncate(root: Path) -> None:
    path = root / "hop" / "bad.gif"
    path.write_bytes((root / "hop" / "0.gif").read_bytes()[:200])


def text_named_png(root: Path) -> None:
    (root / "hop" / "bad.gif").write_text("not a picture")


def empty_video(root: Path) -> None:
    (root / "hop" / "bad.mp4").touch()


def one_frame(root: Path) -> None:
    hv.write(root / "hop" / "bad.gif", square(9, 1))


def short(root: Path) -> None:
    hv.write(root / "hop" / "bad.gif", square(9, 5))


def mixed_sizes(root: Path) -> None:
    (root / "hop" / "bad").mkdir()
    hv.write(root / "hop" / "bad" / "0.png", square(9, 1))
    hv.write(root / "hop" / "bad" / "1.png", square(9, 1, size=24))


def unnumbered(root: Path) -> None:
    (root / "hop" / "bad").mkdir()
    hv.write(root / "hop" / "bad" / "first.png", square(9, 1))


def empty_frames(root: Path) -> None:
    (root / "hop" / "bad").mkdir()


def link_to_itself(root: Path) -> None:
    (root / "hop" / "bad").symlink_to("bad")


def link_to_above(root: Path) -> None:
    (root / "hop" / "bad").symlink_to(root, target_is_directory=True)


def empty_action(root: Path) -> None:
    (root / "bad").mkdir()


def outside(root: Path) -> None:
    hv.write(root / "bad.gif", square(9))


def wrong_layout(root: Path) -> None:
    hv.write(root / "bad.png", square(9, 1))
    (root / "bad.toml").write_text("cel = [32, 32]")


def strange_action(root: Path) -> None:
    hv.write(root / "bad.png", square(9, 2))
    (root / "bad.toml").write_text('cell = [32, 32]\n[actions."a/b"]\nrow = 0')


BAD: dict[Callable[[Path], None], tuple[str, str]] = {
    truncate: ("hop/bad.gif", "hop/bad.gif is cut short"),
    text_named_png: ("hop/bad.gif", "hop/bad.gif does not hold a GIF picture, whatever its name says"),
    empty_video: ("hop/bad.mp4", "hop/bad.mp4 is empty; make or fetch it again."),
    one_frame: ("hop/bad.gif", "hop/bad.gif has a single frame, which shows no motion; give at least two"),
    short: ("hop/bad.gif", "hop/bad.gif has 5 frames and training looks through windows of 8; train with --length 5"),
    mixed_sizes: ("hop/bad", "1.png is 24×24 pixels and the frames before it 32×32; make them one size."),
    unnumbered: ("hop/bad", "first.png has no number in its name"),
    empty_frames: ("hop/bad", "hop/bad holds no pictures; a folder inside an action is a clip of numbered frames."),
    link_to_itself: ("hop/bad", "hop/bad is a symbolic link to nothing or to itself; repair or remove it."),
    link_to_above: ("hop/bad", "hop/bad is a symbolic link to a folder that it stands in itself; remove it."),
    empty_action: ("bad", "bad holds no clips; put some there, or remove it."),
    outside: ("bad.gif", "bad.gif lies outside of the folders that name the actions; move it into one."),
    strange_action: ("bad.png", "bad.toml: 'a/b' is not a name for an action; give one of 1 to 200 characters"),
    wrong_layout: ("bad.png", "bad.toml: it has the unknown key 'cel'; did you mean 'cell'?"),
}


@pytest.mark.parametrize("harm", BAD, ids=lambda harm: harm.__name__)
def test_a_clip_that_cannot_be_used_is_named_with_what_to_do_and_only_skipped_when_asked(
    root: Path, harm: Callable[[Path], None]
) -> None:
    harm(root)
    name, sentence = BAD[harm]
    assert sentence in problem(root, name)
    with pytest.raises(hv.HamvaeError) as refusal:
        hv.open_source("folder", root, size=32)
    assert sentence in str(refusal.value) and "--skip-bad leaves them out" in str(refusal.value)


def test_several_bad_clips_are_counted(root: Path) -> None:
    truncate(root)
    empty_action(root)
    empty_video(root)
    with pytest.raises(hv.HamvaeError, match="2 more clips cannot be used either"):
        hv.open_source("folder", root, size=32)


def test_a_folder_that_may_not_be_read_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    iterdir = Path.iterdir

    def refuse(path: Path) -> object:
        if path.name == "hop":
            raise PermissionError(13, "Permission denied")
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refuse)  # the superuser could read anything else
    assert "hop may not be read; change its permissions" in str(list_folder(root).problems["hop"])


def test_a_clip_that_may_not_be_read_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = Path.stat

    def refuse(path: Path, **options: bool) -> os.stat_result:
        if path.name == "0.gif":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    listing = list_folder(root)
    monkeypatch.setattr("hamvae_model.data.files.folder.find_folder", lambda *_: listing)
    monkeypatch.setattr(Path, "stat", refuse)
    assert problem(root, "hop/0.gif").endswith("hop/0.gif cannot be read (Permission denied).")


def test_a_model_needs_two_motions(tmp_path: Path) -> None:
    root = write_folder(tmp_path, actions=("hop",))
    with pytest.raises(UsageError, match="holds usable clips of 1 motion and a model tells at least two apart"):
        hv.open_source("folder", root, size=32)


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: None], ids=["empty", "file", "absent"])
def test_what_is_no_folder_of_clips_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "clips")
    with pytest.raises(UsageError, match=r"holds no clips; put them|There is no folder of clips"):
        hv.open_source("folder", tmp_path / "clips")


def test_without_a_root_the_way_out_is_named() -> None:
    with pytest.raises(UsageError, match="needs the folder of its clips: pass --root DIR"):
        hv.open_source("folder")


# clips.csv -------------------------------------------------------------------------------------------------------


def test_the_table_says_who_is_seen_on_which_side_and_what_else_is_known(root: Path) -> None:
    (root / "clips.csv").write_text(
        "clip,identity,split,mood\nhop/0.gif,ann,test,glad\nrun/0.gif,ann,,\nhop/1.gif,,train,\n", encoding="utf-8-sig"
    )
    source = hv.open_source("folder", root, size=32)
    assert {"hop/0.gif", "run/0.gif"} <= set(source.names("test"))  # ann is on one side
    assert "hop/1.gif" in source.names("train")
    ann = next(one for one in list_folder(root).recordings if one.name == "hop/0.gif")
    assert (ann.identity, ann.attributes) == ("ann", {"mood": "glad"})


def test_a_sheet_in_the_table_stands_for_all_its_clips(root: Path) -> None:
    hv.write(root / "heroes.png", torch.cat([square(1), square(2)], dim=-2))
    (root / "heroes.toml").write_text("cell = [32, 32]\n[actions.hop]\nrow = 0\n[actions.run]\nrow = 1\n")
    (root / "clips.csv").write_text("clip,split\nheroes.png,test\n")
    assert {"heroes.png#hop", "heroes.png#run"} <= set(hv.open_source("folder", root, size=32).names("test"))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (b"", "is empty; its first line must name the columns"),
        (b"name,split\nhop/0.gif,test\n", "line 1 has no column 'clip'; it has name, split."),
        (b"clip;split\nhop/0.gif;test\n", "line 1 has no column 'clip' (separate the columns by commas)"),
        (b"clip,split,split\n", "line 1 has the column 'split' twice"),
        (b"clip,,split\n", "line 1 has a column without a name"),
        (b"clip,split\nhop/0.gif\n", "line 2 has 1 columns where line 1 names 2"),
        (b"clip,split\nhop/0.gif,test,x\n", "line 2 has 3 columns where line 1 names 2"),
        (b"clip,split\nhop/0.gif,train\nhop/9.gif,train\n", "line 3, column 'clip': there is no clip 'hop/9.gif'"),
        (b"clip,split\n,train\n", "line 2, column 'clip': it is empty"),
        (b"clip\nhop/0.gif\n\nhop/0.gif\n", "line 4, column 'clip': 'hop/0.gif' is on line 2 already"),
        (b"clip,split\nhop/0.gif,validation\n", "line 2, column 'split': 'validation' is not a split"),
        (b"clip,identity,split\nhop/0.gif,ann,test\nrun/0.gif,ann,train\n", "line 3, column 'split': 'ann' is in test"),
        (b'clip\n"hop/0.gif\n', "is not CSV (unexpected end of data)"),
        (b"clip\nhop/\xff.gif\n", "is not UTF-8 text"),
    ],
)
def test_a_wrong_table_is_refused_by_line_and_column(root: Path, table: bytes, sentence: str) -> None:
    (root / "clips.csv").write_bytes(table)
    with pytest.raises(UsageError) as refusal:
        list_folder(root)
    assert "clips.csv" in str(refusal.value) and sentence in str(refusal.value)
