"""What goes wrong with files is said in one sentence, and leaves no file behind."""

import os
from pathlib import Path

import pytest
import torch

from hamvae_model.errors import HamvaeError, UsageError
from hamvae_model.media import read, write

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
@pytest.mark.parametrize("content", [b"", b"not a picture\n"])
def test_text_under_a_picture_name_is_refused(tmp_path: Path, name: str, format: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"does not hold a {format} picture"):
        read(tmp_path / name)


def test_one_format_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "clip.png", FRAMES)
    (tmp_path / "clip.png").rename(tmp_path / "clip.gif")
    with pytest.raises(UsageError, match="does not hold a GIF picture"):
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
