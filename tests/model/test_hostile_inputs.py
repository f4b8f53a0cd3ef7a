"""What strangers may have made to harm: pipes, links, lying headers, tiny files that ask for everything."""

import json
import os
import shutil
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import hamvae_model as hv
from hamvae_model import HamvaeError, UsageError, runs
from hamvae_model.config.run import Config
from hamvae_model.data import Characters, StoredClips
from hamvae_model.files.bounded import parse_json
from hamvae_model.files.tensors import HASH, content_hash
from hamvae_model.limits import (
    ACTION_LIMIT,
    CLASS_LIMIT,
    FILE_LIMIT,
    FRAME_LIMIT,
    HEADER_LIMIT,
    INDEX_LIMIT,
    LAYOUT_LIMIT,
    NAME_LIMIT,
    NESTS_LIMIT,
    SIZE_LIMIT,
    TABLE_LIMIT,
)
from hamvae_model.media import read, read_sheet, stream
from hamvae_model.words import is_plain, printable

FRAMES = torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def copied(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "run"))


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    root = tmp_path / "clips"
    for motion in ("walk", "jump"):
        (root / motion).mkdir(parents=True)
        for number in range(3):
            hv.write(root / motion / f"{number}.gif", FRAMES.roll(number, 0), fps=10)
    return root


def opened(root: Path) -> StoredClips:
    source = hv.open_source("folder", root, length=2, size=16, skip_bad=True)
    assert isinstance(source, StoredClips)
    return source


def rewrite(path: Path, change: Callable[[dict[str, torch.Tensor], dict[str, str]], None]) -> None:
    """Change tensors and words of a file, with a hash that is right."""
    data = path.read_bytes()
    words = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    tensors = load_file(path)
    change(tensors, words)
    words.pop(HASH, None)
    save_file(tensors, path, metadata=words | {HASH: content_hash(tensors, words)})


# Sentences ---------------------------------------------------------------------------------------------------------


def test_a_sentence_is_one_line_without_what_a_terminal_obeys() -> None:
    assert str(HamvaeError("a\nb \x1b[31mred\x07 \u202eback \udcff.")) == r"a b \x1b[31mred\x07 \u202eback \udcff."
    assert str(UsageError("walk 歩く 👩‍🚀 été")) == "walk 歩く 👩‍🚀 été"
    assert len(str(HamvaeError("x" * 10**6))) < 2100
    assert not is_plain("a\tb") and printable("a\tb") == r"a\tb"


@pytest.mark.parametrize(
    "text",
    ["[" * 10**5, '{"a":' * 10**5, "[" + "[]," * NESTS_LIMIT + "[]]", "NaN", "[Infinity]"],
    ids=lambda text: text[:9],
)
def test_json_that_is_nested_too_deep_or_too_often_or_holds_no_numbers_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"nested too deep|lists and objects|is not a number"):
        parse_json(text)


# Weights -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weights.safetensors", "a.gif", "a.mp4", "a.png"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    for look in (hv.load, read, lambda path: list(stream(path))) if name[0] == "a" else (hv.load,):
        with pytest.raises(UsageError, match=r"cannot be read \(it is a pipe or a device, and no file\)"):
            look(tmp_path / name)


@pytest.mark.parametrize("length", [HEADER_LIMIT + 1, 2**63, 2**64 - 1])
def test_a_header_is_not_read_for_as_long_as_it_says(tmp_path: Path, length: int) -> None:
    path = tmp_path / "weights.safetensors"
    with path.open("wb") as file:
        file.write(length.to_bytes(8, "little") + b"{")
        file.truncate(10**9)
    with pytest.raises(HamvaeError, match="is damaged and cannot be read"):
        hv.load(path)


def test_a_file_longer_than_its_configuration_says_is_not_read(copied: Path) -> None:
    path = copied / "weights.safetensors"
    rewrite(path, lambda tensors, words: tensors.update(more=torch.zeros(HEADER_LIMIT // 2)))
    with pytest.raises(HamvaeError, match="is longer than its configuration says"):
        hv.load(path)


def test_weights_that_are_no_numbers_are_refused(copied: Path) -> None:
    rewrite(copied / "weights.safetensors", lambda tensors, words: next(iter(tensors.values())).fill_(torch.nan))
    with pytest.raises(HamvaeError, match="holds numbers that are not finite"):
        hv.load(copied)


@pytest.mark.parametrize(
    ("part", "field", "value", "what"),
    [
        ("model", "classes", [f"motion {n}" for n in range(CLASS_LIMIT + 1)], "classes must be at most"),
        ("model", "classes", ["walk", "w" * (NAME_LIMIT + 1)], "classes must be distinct names"),
        ("model", "feature_dim", SIZE_LIMIT + 1, "must be from 1 to"),
        ("model", "classes", ["walk", "walk"], "classes must be distinct names"),
        ("model", "classes", ["walk", "../../up"], "classes must be distinct names"),
        ("model", "classes", ["walk", "\x1b[2J"], "which cannot be shown"),
        ("model", "feature_dim", 2**40, "must be from 1 to"),
        ("model", "feature_dim", 10**400, "holds a number that is too large"),
        ("model", "decoder_hidden", [2**14] * 20_000, "must be from 1 to"),
        ("training", "save_every", 0, "must be at least 1"),
        ("training", "batch", -1, "must be at least 1"),
        ("training", "seed", -1, "must not be negative"),
        ("training", "gradient_clip", 10**400, "holds a number that is too large"),
        ("objective", "variance", 0.0, "the variance must be positive"),
        ("data", "frame_seconds", 0.0, "frame_seconds must be positive"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    tiny: Config, part: str, field: str, value: object, what: str
) -> None:
    said = json.loads(tiny.to_json())
    said[part][field] = value
    with pytest.raises(HamvaeError, match=what):
        Config.from_json(json.dumps(said))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_what_is_no_number_is_no_part_of_a_configuration(tiny: Config, number: str) -> None:
    text = tiny.to_json().replace('"learning_rate": 0.003', f'"learning_rate": {number}')
    assert number in text
    with pytest.raises(HamvaeError, match=r"is not a number|too large"):
        Config.from_json(text)


# Runs ----------------------------------------------------------------------------------------------------------------


def continued(run: Path, source: Characters) -> None:
    hv.fit(runs.load_config(run), run, source=source, resume=True).close()


@pytest.mark.parametrize("part", ["state", "samples"])
def test_a_part_of_a_run_that_leads_out_of_it_is_not_followed(copied: Path, builtin: Characters, part: str) -> None:
    (copied / part).rename(copied.parent / "elsewhere")
    (copied / part).symlink_to(copied.parent / "elsewhere")
    before = sorted((copied.parent / "elsewhere").iterdir())
    with pytest.raises(UsageError, match=rf"{part}' is a link, and a run keeps to its own folder"):
        continued(copied, builtin)
    assert sorted((copied.parent / "elsewhere").iterdir()) == before


def test_a_lock_that_is_a_link_empties_nothing(copied: Path, builtin: Characters) -> None:
    victim = copied.parent / "letter.txt"
    victim.write_text("dear")
    (copied / "run.lock").symlink_to(victim)
    with pytest.raises(HamvaeError, match=r"run\.lock could not be written"):
        continued(copied, builtin)
    assert victim.read_text() == "dear"


@pytest.mark.parametrize("text", ['{"resumed": [1]}', "[" * 10**5, "[]", '{"resumed": 3}'], ids=lambda text: text[:14])
def test_a_damaged_record_of_the_environment_keeps_no_run_from_going_on(
    copied: Path, builtin: Characters, text: str
) -> None:
    (copied / "environment.json").write_text(text)
    continued(copied, builtin)


def test_a_log_that_is_a_pipe_or_a_folder_is_named(copied: Path, builtin: Characters) -> None:
    for make in (os.mkfifo, Path.mkdir):
        (copied / "metrics.jsonl").unlink()
        make(copied / "metrics.jsonl")
        with pytest.raises(UsageError, match=r"metrics\.jsonl' cannot be read"):
            continued(copied, builtin)
        os.rename(copied / "metrics.jsonl", copied.parent / f"was-{make.__name__}")
        (copied / "metrics.jsonl").touch()


def test_a_state_after_more_steps_than_the_run_has_is_refused(copied: Path, builtin: Characters) -> None:
    for state in (copied / "state").iterdir():
        rewrite(state, lambda tensors, words: words.update(step="1000000"))
    with pytest.raises(HamvaeError, match="is not a state of a run of 6 steps"):
        continued(copied, builtin)


# Clips ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noted", [None, "20000000"])
def test_a_line_of_pixels_is_no_strip_of_millions_of_frames(tmp_path: Path, noted: str | None) -> None:
    width = 20_000_000
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, 1, 1, 0, 0, 0, 0))]
    chunks += [(b"tEXt", b"hamvae-frames\0" + noted.encode())] if noted else []
    chunks += [(b"IDAT", zlib.compress(bytes(1 + width // 8))), (b"IEND", b"")]
    data = b"".join(struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    assert (tmp_path / "a.png").stat().st_size < 10_000
    with pytest.raises(UsageError, match=rf"has 20000000 frames, and at most {FRAME_LIMIT} are read"):
        read(tmp_path / "a.png")


def test_a_photo_of_a_phone_is_read_and_no_animation_of_such_pictures(tmp_path: Path) -> None:
    Image.new("RGB", (8064, 6048)).save(tmp_path / "photo.jpg")
    assert read(tmp_path / "photo.jpg").frames.shape == (1, 3, 6048, 8064)
    hv.write(tmp_path / "a.gif", FRAMES, fps=10)
    data = bytearray((tmp_path / "a.gif").read_bytes())
    data[6:10] = struct.pack("<HH", 5001, 5000)
    (tmp_path / "a.gif").write_bytes(data)
    with pytest.raises(UsageError, match=r"a\.gif has pictures of more than 25 million pixels"):
        read(tmp_path / "a.gif")


def test_a_video_whose_frames_take_too_many_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hv.write(tmp_path / "a.mp4", FRAMES, fps=10)
    monkeypatch.setattr("hamvae_model.media.video.DECODED_LIMIT", 16 * 16 * 12 // 8)
    assert len(read(tmp_path / "a.mp4")) == 4
    monkeypatch.setattr("hamvae_model.media.video.DECODED_LIMIT", 16 * 16 * 12 // 8 - 1)
    with pytest.raises(UsageError, match=r"a\.mp4 has frames of 16×16 pixels of 12 bits"):
        read(tmp_path / "a.mp4")


def test_a_video_that_grows_on_its_way_is_refused_before_there_is_room_for_a_frame(tmp_path: Path) -> None:
    frame = av.VideoFrame.from_ndarray(FRAMES[0].permute(1, 2, 0).numpy(), format="rgb24")
    with av.open(tmp_path / "a.mkv", "w") as file:
        video = file.add_stream("libvpx", rate=10, options={"g": "1"})
        video.width = video.height = 16
        packets = [packet for one in (frame, frame, None) for packet in video.encode(one)]
        for number, packet in enumerate(packets):
            data = bytearray(bytes(packet))
            if number:
                data[6:10] = struct.pack("<HH", 8000, 8000)  # of a key frame of VP8
            grown = av.Packet(bytes(data))
            grown.stream, grown.pts, grown.dts, grown.is_keyframe = video, packet.pts, packet.dts, True
            file.mux(grown)
    with pytest.raises(HamvaeError, match=r"a\.mkv is cut short, damaged or no video \(Invalid argument\)"):
        read(tmp_path / "a.mkv")


@pytest.mark.parametrize("name", ["http:127.0.0.1:9?.mp4", "concat:b.mp4", "pipe:0.mp4"])
def test_the_name_of_a_video_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    hv.write(name, FRAMES, fps=10)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(read(name)) == 4


@pytest.mark.parametrize("text", ["ffconcat version 1.0\nfile b.mp4\n", "#EXTM3U\n#EXTINF:1,\nb.mp4\n#EXT-X-ENDLIST\n"])
def test_a_playlist_is_no_video(tmp_path: Path, text: str) -> None:
    hv.write(tmp_path / "b.mp4", FRAMES, fps=10)
    (tmp_path / "a.mp4").write_text(text)
    with pytest.raises(HamvaeError, match=r"a\.mp4 is cut short, damaged or no video"):
        read(tmp_path / "a.mp4")


def test_an_animation_of_too_many_pixels_over_all_its_frames_is_refused(tmp_path: Path) -> None:
    hv.write(tmp_path / "a.gif", FRAMES.repeat(20, 1, 1, 1), fps=10)
    data = bytearray((tmp_path / "a.gif").read_bytes())
    data[6:10] = struct.pack("<HH", 4900, 5000)
    (tmp_path / "a.gif").write_bytes(data)
    with pytest.raises(UsageError, match="has more than 250 million pixels over its 80 frames"):
        list(stream(tmp_path / "a.gif"))


def test_a_sheet_of_tiny_cells_takes_the_memory_of_the_frames_that_are_asked_for(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((1, 2_000_000, 3), dtype=np.uint8)).save(tmp_path / "hero.png")
    (tmp_path / "hero.toml").write_text("cell = [1, 1]\n[actions.walk]\nrow = 0\nframes = [0, 1]\n")
    tracemalloc.start()
    try:
        assert len(read(tmp_path / "hero.png")) == 2
        assert tracemalloc.get_traced_memory()[1] < 60 * 10**6  # two million cells would take four times as much
    finally:
        tracemalloc.stop()
    (tmp_path / "hero.toml").write_text("cell = [1, 1]\n[actions.walk]\nrow = 0\n")
    with pytest.raises(UsageError, match=f"more than {FRAME_LIMIT} frames"):
        read(tmp_path / "hero.png")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("cell = " + "[" * 10**5, "is not TOML"),
        ("#" * (LAYOUT_LIMIT + 1), "longer than 1 MiB"),
        (".".join("a" * 100_000) + " = 1", "is not TOML"),
        ("[" + ".".join("a" * 3000) + "]\n" + "".join(f"a{n} = 1\n" for n in range(90_000)), "is not TOML"),
        (f"cell = [8, 8]\n[actions.{'a' * (NAME_LIMIT + 1)}]\nrow = 0\n", "is not a name for an action"),
        (
            "cell = [8, 8]\n" + "".join(f"[actions.a{n}]\nrow = 0\n" for n in range(ACTION_LIMIT + 1)),
            "at most 1000 actions",
        ),
        ('cell = [8, 8]\n[actions."\\u001b[2J"]\nrow = 0\n', "is not a name for an action"),
        ('cell = [8, 8]\n[actions."../up"]\nrow = 0\n', "is not a name for an action"),
    ],
    ids=["deep", "long", "dotted", "dotted table", "name", "many", "escape", "path"],
)
def test_a_layout_that_means_harm_is_refused(tmp_path: Path, text: str, what: str) -> None:
    hv.write(tmp_path / "hero.png", FRAMES)
    (tmp_path / "hero.toml").write_text(text)
    with pytest.raises(UsageError, match=what):
        read_sheet(tmp_path / "hero.png")


@pytest.mark.parametrize(
    "reference",
    ["#1:2", ".#1:2", "a\0b.gif", "\ud800.gif", "x.gif#\udcff", "a.gif#\0", f"builtin:test/{'9' * 5000}/walk-left"],
)
def test_a_reference_that_no_file_can_have_is_refused(reference: str) -> None:
    with pytest.raises(UsageError):
        hv.open_clip(reference)


# Folders of clips ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["walk/a.gif", "a.png", "walk/frames/1.png", "walk/b\x1b[2J.gif", "walk/\u202ec.gif"])
def test_pipes_and_names_that_cannot_be_shown_are_problems_and_no_clips(clips: Path, name: str) -> None:
    path = clips / name
    path.parent.mkdir(exist_ok=True)
    shutil.copy(clips / "walk" / "0.gif", path) if not is_plain(name) else os.mkfifo(path)
    source = opened(clips)
    assert len(source.skipped) == 1
    assert all(map(is_plain, [*source.skipped, *map(str, source.skipped.values())]))
    assert sum(source.splits.values()) == 6


def test_a_table_with_signs_that_cannot_be_shown_is_refused_by_line_and_column(clips: Path) -> None:
    (clips / "clips.csv").write_text("clip,identity\nwalk/0.gif,\x1b[2Jme\n")
    with pytest.raises(UsageError, match=r"clips\.csv, line 2, column 'identity': it is too long, or has signs"):
        opened(clips)
    (clips / "clips.csv").unlink()
    os.mkfifo(clips / "clips.csv")
    with pytest.raises(UsageError, match=r"clips\.csv cannot be read \(it is a pipe"):
        opened(clips)


def test_a_table_takes_no_memory_for_rows_after_a_wrong_one(clips: Path) -> None:
    (clips / "clips.csv").write_text("clip\n" + "a\n" * 500_000)
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="line 2, column 'clip': there is no clip 'a'"):
            opened(clips)
        assert tracemalloc.get_traced_memory()[1] < 20 * 10**6
    finally:
        tracemalloc.stop()


def test_a_table_of_many_columns_is_read_in_time_that_grows_with_them(clips: Path) -> None:
    (clips / "clips.csv").write_text(f"clip,{','.join(map(str, range(200_000)))}\n")
    assert sum(opened(clips).splits.values()) == 6


@pytest.mark.parametrize(
    ("name", "length"),
    [("walk/0.gif", FILE_LIMIT), ("clips.csv", TABLE_LIMIT), (".hamvae/*/index.json", INDEX_LIMIT)],
)
def test_a_file_longer_than_is_read_is_not_opened(clips: Path, name: str, length: int) -> None:
    opened(clips)
    (path,) = clips.glob(name) if "*" in name else [clips / name]
    path.touch()
    os.truncate(path, length + 1)  # of holes, which take no room
    if path.name == "clips.csv":
        with pytest.raises(UsageError, match=r"clips\.csv cannot be read \(it is longer than 16 MiB"):
            opened(clips)
    else:
        source = opened(clips)
        assert list(source.skipped) == ([] if path.suffix == ".json" else [name])
        assert source.store.decoded == (6 if path.suffix == ".json" else 0)


def store_of(clips: Path) -> Path:
    (folder,) = (clips / ".hamvae").iterdir()
    return folder


@pytest.mark.parametrize(
    "lie",
    [
        {"shard": "../../../secret.u8"},
        {"shard": "index.json"},
        {"start": -3},
        {"start": 10**18},
        {"count": -1},
        {"count": 2.5},
        {"lasting": 0.0},
        {"frame_seconds": -1.0},
        {"times": [0.0, 2.0, 1.0, 3.0]},
        {"times": [0.0]},
        {"height": "tall"},
        {"problem": ["no", True, 3]},
        {"problem": []},
    ],
    ids=str,
)
def test_clips_of_an_index_that_lies_are_decoded_again(clips: Path, lie: dict[str, object]) -> None:
    (clips.parent / "secret.u8").write_bytes(bytes(10**5))
    whole = torch.arange(2)
    before = opened(clips).clips("train", whole)
    index = store_of(clips) / "index.json"
    index.write_text(json.dumps({name: clip | lie for name, clip in json.loads(index.read_text()).items()}))
    source = opened(clips)
    assert source.store.decoded == 6
    assert source.clips("train", whole).frames.equal(before.frames)


def test_a_store_that_leads_elsewhere_is_not_used(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(clips)
    name, elsewhere = store_of(clips).name, clips.parent / "elsewhere"
    shutil.rmtree(clips / ".hamvae")
    (elsewhere / name).mkdir(parents=True)
    (elsewhere / name / "index.json").write_text("somebody's own")
    monkeypatch.setenv("XDG_CACHE_HOME", str(clips.parent / "cache"))
    for link, target in ((clips / ".hamvae", elsewhere), (clips / ".hamvae" / name, elsewhere / name)):
        if link.parent != clips:
            (clips / ".hamvae").unlink()
            link.parent.mkdir()
        link.symlink_to(target)
        assert sum(opened(clips).splits.values()) == 6
        assert [path.name for path in (elsewhere / name).iterdir()] == ["index.json"]
        assert (elsewhere / name / "index.json").read_text() == "somebody's own"


def test_a_picture_that_is_large_comes_back_in_parts(model: hv.Model) -> None:
    large = hv.Clip(
        frames=torch.zeros(1, 3, 2500, 2000, dtype=torch.uint8), times=torch.zeros(1), label=None, source="a.png"
    )
    plan = model.plan_generate(large, model.classes[0])
    assert [len(part) for part in plan.parts(torch.arange(3.0))] == [1, 1, 1]
    with pytest.raises(UsageError, match="30 frames of 2000×2500 are more than 96 million pixels"):
        plan.clip(torch.arange(30.0))
    assert len(replace(plan, like=None).clip(torch.arange(30.0))) == 30


def test_a_window_of_frames_that_no_clip_has_is_refused(tmp_path: Path) -> None:
    hv.write(tmp_path / "a.gif", FRAMES, fps=10)
    for window in (f"0:{'9' * 5000}", f"{'9' * 15}:", "٣:٤"):
        with pytest.raises(UsageError):
            read(f"{tmp_path}/a.gif#{window}")
    assert len(read(f"{tmp_path}/a.gif#1:{'9' * 15}")) == 3
