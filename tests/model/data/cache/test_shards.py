"""The store: clips are decoded once, only what changed is decoded again, and no crash or rival leaves half a store."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model import HamvaeError, UsageError
from hamvae_model.config.run import FramingConfig
from hamvae_model.data.cache.shards import ABANDONED, Store, open_store
from hamvae_model.data.files.folder import list_folder

from ...drawn import square, write_folder


def store_of(root: Path, **changes: object) -> Store:
    return open_store(root, list_folder(root).recordings, **{"framing": FramingConfig(), "size": 32, **changes})


def frames_of(store: Store, name: str) -> torch.Tensor:
    clip = store.clips[name]
    rows = torch.arange(clip.start, clip.start + clip.count).unsqueeze(0).numpy()
    return store.read(torch.tensor([store.shards.index(clip.shard)]).numpy(), rows)[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "Clips and ümlauts")


def test_what_is_stored_is_what_was_read(root: Path) -> None:
    store = store_of(root)
    assert store.decoded == 6 and not store.problems
    for name in store.clips:
        assert frames_of(store, name).equal(hv.read(root / name).frames)


def test_a_second_opening_decodes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = store_of(root)
    monkeypatch.setattr("hamvae_model.media.stream", None)  # whoever called it would fail
    second = store_of(root)
    assert second.decoded == 0 and second.clips == first.clips


def test_only_a_changed_and_a_new_clip_are_decoded_and_a_removed_one_is_dropped(root: Path) -> None:
    store_of(root)
    hv.write(root / "hop" / "0.gif", square(222))
    hv.write(root / "hop" / "new.gif", square(111))
    (root / "run" / "2.gif").unlink()
    store = store_of(root)
    assert store.decoded == 2
    assert set(store.clips) == {"hop/0.gif", "hop/1.gif", "hop/2.gif", "hop/new.gif", "run/0.gif", "run/1.gif"}
    assert frames_of(store, "hop/0.gif").equal(square(222))
    assert frames_of(store, "run/1.gif").equal(hv.read(root / "run" / "1.gif").frames)


def test_a_touched_or_renamed_clip_is_not_decoded_again(root: Path) -> None:
    store_of(root)
    os.utime(root / "hop" / "0.gif", (1, 1))
    (root / "hop" / "1.gif").rename(root / "hop" / "renamed.gif")
    store = store_of(root)
    assert store.decoded == 0
    assert frames_of(store, "hop/renamed.gif").equal(square(20, step=2))


def test_a_frame_replaced_in_a_folder_of_frames_is_noticed(tmp_path: Path) -> None:
    root = write_folder(tmp_path)
    (root / "hop" / "frames").mkdir()
    for number, frame in enumerate(square(5)):
        hv.write(root / "hop" / "frames" / f"{number}.png", frame[None])
    store_of(root)
    hv.write(root / "hop" / "frames" / "3.png", square(200)[:1])
    store = store_of(root)
    assert store.decoded == 1
    assert frames_of(store, "hop/frames")[3].equal(square(200)[0])


def test_another_size_or_framing_is_another_store(root: Path) -> None:
    assert store_of(root).folder != store_of(root, size=16).folder
    assert store_of(root, framing=FramingConfig(background=(9, 9, 9))).decoded == 6


def test_a_store_of_which_most_is_waste_is_written_afresh(root: Path) -> None:
    store = store_of(root)
    for name in ("hop/0.gif", "hop/1.gif", "run/0.gif", "run/1.gif"):
        (root / name).unlink()
    hv.write(root / "hop" / "new.gif", square(111))
    after = store_of(root)
    assert [path.name for path in after.folder.glob("*.u8")] == after.shards
    assert after.shards != store.shards
    assert frames_of(after, "run/2.gif").equal(frames_of(store, "run/2.gif"))


@pytest.mark.parametrize("damage", [b"", b"{", b"[1, 2]", b'{"hop/0.gif": {"count": 8}}'])
def test_a_damaged_index_is_made_again(root: Path, damage: bytes) -> None:
    store = store_of(root)
    (store.folder / "index.json").write_bytes(damage)
    assert store_of(root).decoded == 6


def test_frames_that_are_gone_or_cut_short_are_decoded_again(root: Path) -> None:
    store = store_of(root)
    shard = store.folder / store.shards[0]
    os.truncate(shard, 3 * 32 * 32 * 20 + 100)  # two clips and a half
    again = store_of(root)
    assert again.decoded == 4
    assert frames_of(again, "run/2.gif").equal(hv.read(root / "run" / "2.gif").frames)


def stops_with(error: type[BaseException], root: Path) -> Callable[[Path], Iterator[hv.Clip]]:
    """A reader that hands over something and then fails in a way nobody foresaw."""

    def read(reference: Path) -> Iterator[hv.Clip]:
        yield hv.read(root / "hop" / "0.gif")
        raise error

    return read


def test_a_crash_while_decoding_leaves_the_old_store(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store_of(root)
    hv.write(root / "hop" / "new.gif", square(111))
    with monkeypatch.context() as patch:
        patch.setattr("hamvae_model.media.stream", stops_with(RuntimeError, root))
        with pytest.raises(RuntimeError):
            store_of(root)
    (root / "hop" / "new.gif").unlink()
    after = store_of(root)
    assert (after.decoded, after.clips) == (0, before.clips)
    assert sorted(path.name for path in after.folder.iterdir()) == sorted([*before.shards, "index.json"])


def test_ctrl_c_keeps_what_was_decoded_by_then(root: Path) -> None:
    recordings = list(list_folder(root).recordings)
    stopping = replace(recordings[3], decode=lambda: stops_with(KeyboardInterrupt, root)(root))
    with pytest.raises(KeyboardInterrupt):
        open_store(root, [*recordings[:3], stopping, *recordings[4:]], framing=FramingConfig(), size=32)
    store = store_of(root)
    assert store.decoded == 3
    assert all(frames_of(store, name).equal(hv.read(root / name).frames) for name in store.clips)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RuntimeError])
@pytest.mark.parametrize("while_told", [True, False])
def test_whatever_stops_it_what_was_decoded_by_then_is_kept(
    root: Path, error: type[BaseException], while_told: bool
) -> None:
    recordings = list(list_folder(root).recordings)

    def told(done: int, every: int) -> None:
        if while_told and done == 3:
            raise error

    if not while_told:
        recordings[3] = replace(recordings[3], decode=lambda: stops_with(error, root)(root))
    with pytest.raises(error):
        open_store(root, recordings, framing=FramingConfig(), size=32, progress=told)
    assert store_of(root).decoded == 3


def test_a_file_that_vanishes_while_it_is_read_is_a_problem_of_its_clip(root: Path) -> None:
    recordings = list(list_folder(root).recordings)
    recordings[0] = replace(recordings[0], decode=lambda: (root / "gone.gif").read_bytes())  # type: ignore[return-value]
    store = open_store(root, recordings, framing=FramingConfig(), size=32)
    assert str(store.problems["hop/0.gif"]) == f"{root / 'gone.gif'} cannot be read (No such file or directory)."
    assert len(store.clips) == 5


def test_a_recording_of_nothing_is_remembered_and_never_read(root: Path) -> None:
    (first, *_) = list_folder(root).recordings
    for decoded in (1, 0):
        store = open_store(root, [replace(first, decode=list)], framing=FramingConfig(), size=32)
        assert (store.clips[first.name].count, store.shards, store.decoded) == (0, [], decoded)


def test_a_clip_that_cannot_be_decoded_is_remembered_until_it_changes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "hop" / "0.gif").write_bytes(b"no picture")
    first = store_of(root)
    index = (first.folder / "index.json").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("hamvae_model.media.stream", None)  # whoever called it would fail
        second = store_of(root)
    assert (first.decoded, second.decoded, set(second.problems)) == (6, 0, {"hop/0.gif"})
    before, after = first.problems["hop/0.gif"], second.problems["hop/0.gif"]
    assert (type(before), str(before)) == (type(after), str(after))
    assert (first.folder / "index.json").read_bytes() == index
    hv.write(root / "hop" / "0.gif", square(222))
    mended = store_of(root)
    assert (mended.decoded, mended.problems) == (1, {})


def test_a_folder_that_was_moved_names_its_bad_clip_where_it_is_now(root: Path) -> None:
    (root / "hop" / "0.gif").write_bytes(b"no picture")
    store_of(root)
    moved = root.rename(root.parent / "elsewhere")
    assert str(store_of(moved).problems["hop/0.gif"]).startswith(str(moved))


def test_a_full_disk_is_one_sentence_and_leaves_the_old_store(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store_of(root)
    hv.write(root / "hop" / "new.gif", square(111))

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", refuse)
        with pytest.raises(HamvaeError, match="could not be written"):
            store_of(root)
    (root / "hop" / "new.gif").unlink()
    assert store_of(root).clips == before.clips


def test_a_clip_that_breaks_off_in_the_middle_leaves_no_trace_among_the_others(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = list(list_folder(root).recordings)

    def breaks() -> Iterator[hv.Clip]:
        yield hv.read(root / "hop" / "0.gif")
        raise HamvaeError("hop/0.gif is cut short.")

    recordings[0] = replace(recordings[0], decode=breaks)
    store = open_store(root, recordings, framing=FramingConfig(), size=32)
    assert list(store.problems) == ["hop/0.gif"]
    assert frames_of(store, "hop/1.gif").equal(hv.read(root / "hop" / "1.gif").frames)
    assert (store.folder / store.shards[0]).stat().st_size == 5 * 8 * 3 * 32 * 32


BUILD = """
import sys
from pathlib import Path
from hamvae_model.config import FramingConfig
from hamvae_model.data.files.folder import list_folder
from hamvae_model.data.cache.shards import open_store

root = Path(sys.argv[1])
print(len(open_store(root, list_folder(root).recordings, framing=FramingConfig(), size=32).clips))
"""


def test_two_processes_at_once_leave_a_whole_store(root: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(root)]
    rivals = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [rival.communicate(timeout=120)[0].strip() for rival in rivals] == ["6", "6"]
    store = store_of(root)
    assert store.decoded == 0
    assert all(frames_of(store, name).equal(hv.read(root / name).frames) for name in store.clips)


def test_a_shard_that_nobody_knows_is_swept_away_when_it_is_old(root: Path) -> None:
    folder = store_of(root).folder
    for name, age in (("frames-old.u8", ABANDONED + 60), ("frames-young.u8", 0)):
        (folder / name).touch()
        os.utime(folder / name, (folder.stat().st_mtime - age,) * 2)
    hv.write(root / "hop" / "new.gif", square(111))
    store_of(root)
    assert not (folder / "frames-old.u8").exists() and (folder / "frames-young.u8").exists()


def test_frames_that_vanish_while_the_store_is_opened_are_one_sentence(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(root)
    monkeypatch.setattr("hamvae_model.data.cache.shards.load", lambda *_: store.clips)
    (store.folder / store.shards[0]).unlink()
    with pytest.raises(HamvaeError, match=r"changed while it was opened .*; try again\."):
        store_of(root)


def test_a_folder_that_cannot_be_written_is_cached_elsewhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / ".hamvae").touch()  # no folder can be made there, whoever asks
    monkeypatch.setattr("hamvae_model.data.cache.shards.user_cache_path", lambda *_, **__: tmp_path / "cache")
    assert store_of(root).folder.is_relative_to(tmp_path / "cache")
    assert store_of(root).decoded == 0


def test_the_cache_variable_names_the_place(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAMVAE_CACHE", str(tmp_path / "mine"))
    assert store_of(root).folder.is_relative_to(tmp_path / "mine")
    assert not (root / ".hamvae").exists()


def test_without_any_place_to_write_the_way_out_is_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HAMVAE_CACHE", str(tmp_path / "file"))
    with pytest.raises(hv.UsageError, match="set HAMVAE_CACHE to a folder that can be written to"):
        store_of(root)


def test_more_clips_than_an_index_that_is_read_again_can_list_are_refused_and_leave_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hamvae_model.data.cache.index.INDEX_LIMIT", 1000)
    with pytest.raises(UsageError, match="the most that is read; of the 6 clips put some into another folder"):
        store_of(root)
    assert not [path for path in (root / ".hamvae").rglob("*") if path.is_file()]


def test_the_index_says_what_a_clip_looks_like(root: Path) -> None:
    hv.write(root / "hop" / "black.gif", torch.zeros(4, 3, 20, 30, dtype=torch.uint8), fps=20)
    clip = store_of(root).clips["hop/black.gif"]
    assert (clip.count, clip.height, clip.width, clip.brightness, clip.moving) == (4, 20, 30, 0, 0)
    assert clip.frame_seconds == pytest.approx(0.05)
    assert json.loads((store_of(root).folder / "index.json").read_text())["hop/black.gif"]["count"] == 4


def test_a_name_that_is_not_text_and_has_a_number_sign_is_stored(root: Path) -> None:
    name = os.fsdecode(b"take#\xff.gif")
    (root / "hop" / "0.gif").rename(root / "hop" / name)
    assert f"hop/{name}" in store_of(root).clips


def test_the_layout_of_sheets_is_no_part_of_the_videos_and_animations_beside_it(root: Path) -> None:
    (root / "hop" / "sheet.toml").write_text("cell = [32, 32]\n[actions.hop]\nrow = 0\n")
    store_of(root)
    assert all(len(recording.files) == 1 for recording in list_folder(root).recordings)
