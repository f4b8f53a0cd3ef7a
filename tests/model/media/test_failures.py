"""What goes wrong with files is said in one sentence, and leaves no file behind."""

import io
import os
import random
import re
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from hamvae_model import open_clip
from hamvae_model.errors import HamvaeError, UsageError
from hamvae_model.media import probe, read, stream, write
from hamvae_model.media.video import INSTALL

FRAMES = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)


@pytest.mark.parametrize("name", ["clip.gif", "clip.png", "CLIP.GIF"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name}: there is no such file"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["clip.gif", "clip.png"])
def test_a_folder_is_not_a_clip(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        read(tmp_path / name)
    with pytest.raises(UsageError, match="is a folder"):
        write(tmp_path / name, FRAMES)
    assert list((tmp_path).iterdir()) == [tmp_path / name]


@pytest.mark.parametrize(("name", "format"), [("clip.gif", "GIF"), ("clip.png", "PNG")])
@pytest.mark.parametrize(
    ("content", "why"), [(b"", "it is empty"), (b"not a picture\n", "it does not begin as a picture does")]
)
def test_text_under_a_picture_name_is_refused(tmp_path: Path, name: str, format: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"does not hold a {format} picture, whatever its name says: {why}; make or"):
        read(tmp_path / name)


def test_one_format_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "clip.png", FRAMES)
    (tmp_path / "clip.png").rename(tmp_path / "clip.gif")
    with pytest.raises(UsageError, match="does not hold a GIF picture, whatever its name says; name it after what it"):
        read(tmp_path / "clip.gif")


@pytest.mark.parametrize("name", ["clip.webm", "clip", ".gif"])
def test_an_unknown_extension_is_answered_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"names no format that is written; use \.gif \.apng"):
        write(tmp_path / name, FRAMES)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "frames",
    [FRAMES[:0], FRAMES[:, :, :0], FRAMES.float(), FRAMES[0]],
    ids=["no frames", "no pixels", "floats", "one dimension short"],
)
def test_frames_that_cannot_be_written_are_refused(tmp_path: Path, frames: torch.Tensor) -> None:
    with pytest.raises(UsageError, match="frames"):
        write(tmp_path / "clip.gif", frames)
    assert not list(tmp_path.iterdir())


def test_a_scale_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scale must be"):
        write(tmp_path / "clip.png", FRAMES, scale=0)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the folder .*nowhere does not exist"):
        write(tmp_path / "nowhere" / "clip.gif", FRAMES)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match="is not a folder"):
        write(tmp_path / "file" / "clip.gif", FRAMES)
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("failure", "expected", "sentence"),
    [
        (PermissionError(13, "Permission denied"), UsageError, "may not be written to"),
        (OSError(28, "No space left on device"), HamvaeError, "No space left on device"),
        (KeyboardInterrupt("enough"), KeyboardInterrupt, "enough"),
    ],
    ids=["forbidden", "disk full", "interrupted"],
)
def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    failure: BaseException,
    expected: type[BaseException],
    sentence: str,
) -> None:
    def fail(*_: object) -> None:
        raise failure

    (tmp_path / "clip.gif").write_bytes(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(expected, match=sentence):
            write(tmp_path / "clip.gif", FRAMES)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.gif"]
    assert (tmp_path / "clip.gif").read_bytes() == b"old"


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write(tmp_path / "clip.gif", FRAMES)
    assert (tmp_path / "clip.gif").stat().st_mode == (tmp_path / "plain").stat().st_mode


# What users really have lying about --------------------------------------------------------------------------------

READERS = {"read": read, "probe": probe, "stream": lambda path: list(stream(path))}
every_reader = pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
ALL = ["a.gif", "a.png", "a.apng", "a.webp", "a.jpg", "a.mp4", "a.mov", "a.webm", "a.mkv", "a.avi"]


@every_reader
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("content", [b"", b"only words, whatever the name says\n"], ids=["empty", "text"])
def test_a_file_of_no_pictures_is_refused_by_its_name(
    tmp_path: Path, reader: Callable[[Path], object], name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(HamvaeError, match=rf"{name} (is empty|is cut short, damaged or no video|does not hold a)"):
        reader(tmp_path / name)


@every_reader
@pytest.mark.parametrize("name", [*ALL, "folder"])
def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path, reader: Callable[[Path], object], name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name}: there is no such file; check the spelling"):
        reader(tmp_path / name)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file is not a folder; check the spelling"):
        reader(tmp_path / "file" / name)


@every_reader
@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "frames"])
def test_a_link_that_leads_back_to_itself_is_refused(
    tmp_path: Path, reader: Callable[[Path], object], name: str
) -> None:
    (tmp_path / name).symlink_to(tmp_path / name)
    with pytest.raises(UsageError, match=rf"{name} is a link that leads back to itself; name the real file"):
        reader(tmp_path / name)


@every_reader
@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.mp4"])
def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, reader: Callable[[Path], object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / name, FRAMES)
    opens = io.open

    def forbidden(path: object, *rest: object, **options: object) -> object:
        if str(path).endswith(name):  # the superuser, who may run this test, can read everything
            raise PermissionError(13, "Permission denied", str(path))
        return opens(path, *rest, **options)

    monkeypatch.setattr("builtins.open", forbidden)
    monkeypatch.setattr("io.open", forbidden)
    with pytest.raises(UsageError, match=rf"{name} may not be read; change its permissions"):
        reader(tmp_path / name)


@pytest.mark.parametrize("name", ["a.gif", "a.apng", "a.webp", "a.mp4"])
def test_a_file_that_was_cut_short_is_never_taken_for_a_shorter_clip(tmp_path: Path, name: str) -> None:
    frames = torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    write(tmp_path / name, frames)
    whole = (tmp_path / name).read_bytes()
    for length in range(1, len(whole) - 1, len(whole) // 60):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(HamvaeError, match=name):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.apng", "a.webp", "a.mp4"])
def test_damaged_bytes_give_a_clip_or_a_sentence(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    noise = torch.Generator().manual_seed(0)
    write(tmp_path / name, torch.randint(256, (3, 4, 12, 12), dtype=torch.uint8, generator=noise))
    whole = (tmp_path / name).read_bytes()
    refused = 0
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 3, 20])):
            data[chance.randrange(len(data) if chance.random() < 0.5 else 60)] = chance.randrange(256)
        (tmp_path / name).write_bytes(data)
        sentence = refusal(tmp_path / name)
        assert sentence is None or (name in sentence and "\n" not in sentence)
        refused += sentence is not None
    assert refused > 10


def refusal(path: Path) -> str | None:
    """What is said of a file that cannot be read; None for one that gives a clip."""
    try:
        read(path)
    except HamvaeError as error:
        return str(error)
    return None


def test_an_animation_that_denies_being_one_is_not_taken_for_a_picture(tmp_path: Path) -> None:
    write(tmp_path / "a.apng", FRAMES)
    data = (tmp_path / "a.apng").read_bytes()
    (tmp_path / "a.apng").write_bytes(data.replace(b"acTL" + (2).to_bytes(4, "big"), b"acTL" + bytes(4)))
    with pytest.raises(HamvaeError, match=r"a\.apng is cut short or damaged"):
        read(tmp_path / "a.apng")


def test_words_in_a_video_may_be_in_any_encoding(tmp_path: Path) -> None:
    with av.open(tmp_path / "a.avi", "w") as file:
        file.metadata["title"] = "Laeufer"
        video = file.add_stream("mpeg4", rate=10)
        video.width = video.height = 32
        video.pix_fmt = "yuv420p"
        file.mux(video.encode(av.VideoFrame(32, 32, "yuv420p")))
        file.mux(video.encode(None))
    data = (tmp_path / "a.avi").read_bytes()
    assert b"Laeufer" in data
    (tmp_path / "a.avi").write_bytes(data.replace(b"Laeufer", "L\xe4\xfcfer!".encode("latin-1")))
    assert len(read(tmp_path / "a.avi")) == 1


@pytest.mark.parametrize("container", ["mkv", "webm", "avi", "mov"])
def test_a_video_of_another_kind_that_was_cut_short_is_noticed(tmp_path: Path, container: str) -> None:
    path = tmp_path / f"a.{container}"
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(container, "libx264")
    with av.open(path, "w") as file:
        video = file.add_stream(codec, rate=10)
        video.width = video.height = 32
        video.pix_fmt = "yuv420p"
        for number in range(12):
            pixels = np.full((32, 32, 3), 20 * number, dtype=np.uint8)
            file.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")))
        file.mux(video.encode(None))
    whole = path.read_bytes()
    assert len(read(path)) == 12
    for share in (0.3, 0.5, 0.7):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(HamvaeError, match=r"is cut short|holds no video that can be decoded"):
            read(path)


@every_reader
def test_a_picture_of_900_million_pixels_is_refused_by_its_header(
    tmp_path: Path, reader: Callable[[Path], object]
) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + b"5\xaf\x06\x1e"
    )
    with pytest.raises(UsageError, match=r"bomb\.png has pictures of more than 50 million pixels"):
        reader(tmp_path / "bomb.png")


def test_a_clip_too_long_for_memory_is_refused_with_a_part_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hamvae_model.media.shown.CLIP_LIMIT", 3 * 64)
    write(tmp_path / "long.gif", FRAMES.repeat(3, 1, 1, 1))
    with pytest.raises(UsageError, match=r"take some of its frames, as in 'long\.gif#0:3', or make it smaller"):
        read(tmp_path / "long.gif")
    assert len(read(f"{tmp_path}/long.gif#0:3")) == 3
    assert sum(len(part) for part in stream(tmp_path / "long.gif")) == 6


def test_a_part_beyond_the_end_is_refused(tmp_path: Path) -> None:
    for name in ("a.gif", "a.png", "a.mp4"):
        write(tmp_path / name, FRAMES)
        with pytest.raises(UsageError, match=rf"{name} holds no frames where they are looked for"):
            read(f"{tmp_path}/{name}#7:9")


def test_frames_of_mixed_sizes_are_refused_by_the_name_of_the_first_that_differs(tmp_path: Path) -> None:
    for number, side in enumerate((8, 8, 10)):
        write(tmp_path / f"{number}.png", torch.zeros(1, 3, side, side, dtype=torch.uint8))
    with pytest.raises(UsageError, match=r"2\.png is 10×10 pixels and the frames before it 8×8; make them one size"):
        read(tmp_path)


def test_a_folder_without_frames_or_with_one_without_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder without numbered PNG or JPG frames"):
        read(tmp_path)
    write(tmp_path / "1.png", FRAMES[:1])
    write(tmp_path / "cover.png", FRAMES[:1])
    with pytest.raises(UsageError, match=r"cover\.png has no number in its name"):
        read(tmp_path)


def test_a_damaged_frame_of_a_folder_is_named(tmp_path: Path) -> None:
    write(tmp_path / "1.png", FRAMES[:1])
    (tmp_path / "2.png").write_bytes((tmp_path / "1.png").read_bytes()[:50])
    with pytest.raises(HamvaeError, match=r"2\.png is cut short or damaged"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["mein Läufer 歩く.gif", "mein Läufer 歩く.mp4", "mein Läufer 歩く.webp", "a#b.gif"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, FRAMES)
    assert read(tmp_path / name).source == str(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_reading_and_writing_videos_without_pyav_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "av", None)
    for action in (read, lambda path: write(path, FRAMES)):
        with pytest.raises(UsageError, match=rf"needs PyAV.*{re.escape(INSTALL)}"):
            action(tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == b"anything"


@pytest.mark.parametrize("name", ["a.gif", "a.apng", "a.webp", "a.mp4", "a.png"])
def test_an_animation_that_fails_half_way_leaves_nothing(tmp_path: Path, name: str) -> None:
    def parts() -> Iterator[torch.Tensor]:
        yield FRAMES
        raise HamvaeError("The motion left the range of numbers.")

    (tmp_path / name).write_bytes(b"old")
    with pytest.raises(HamvaeError, match="left the range"):
        write(tmp_path / name, parts())
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"old"


def test_a_name_that_is_too_long_for_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.gif cannot be opened \(File name too long\); check the spelling\."):
        read(tmp_path / f"{'x' * 300}.gif")
    with pytest.raises(UsageError, match="no split"):
        open_clip(f"builtin:{'x' * 300}")


@pytest.mark.parametrize("name", ["clip.gif", "clip.apng", "clip.webp", "clip.mp4", "clip.png", "clip.json"])
def test_no_frames_are_nothing_to_write(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no frames to write"):
        write(tmp_path / name, iter([]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("durations", [[0.1], [0.1] * 3])
def test_parts_need_as_many_durations_as_they_have_frames(tmp_path: Path, durations: list[float]) -> None:
    with pytest.raises(UsageError, match="as many durations"):
        write(tmp_path / "clip.gif", iter([FRAMES]), durations=durations)
    assert not list(tmp_path.iterdir())
