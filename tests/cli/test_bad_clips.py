"""A clip that cannot be used is refused by name, in one line that says what to do, and nothing is written."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import hamvae_model as hv

from .conftest import Command

Refusal = Callable[..., str]
LEFT = "builtin:test/3/walk-left"
FRAMES = torch.randint(256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def cut_short(name: str) -> None:
    hv.write(name, FRAMES)
    data = Path(name).read_bytes()
    Path(name).write_bytes(data[: len(data) // 2])


def bomb(name: str) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    Path(name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + bytes(4))


def mixed_sizes(name: str) -> None:
    Path(name).mkdir()
    hv.write(f"{name}/1.png", FRAMES[:1])
    hv.write(f"{name}/2.png", FRAMES[:1, :, :16])


def sheet(name: str) -> None:
    hv.write(name, FRAMES)
    Path(name).with_suffix(".toml").write_text("cell = [32, 32]\n[actions.walk-left]\nrow = 7\n")


# name: how it is made, the exit code (1: damaged, 2: the wrong thing), and what is said
BAD: dict[str, tuple[Callable[[str], object], int, str]] = {
    "truncated.gif": (cut_short, 1, "truncated.gif is cut short (its end marker is missing); make or fetch it again."),
    "truncated.mp4": (cut_short, 1, "truncated.mp4 is cut short, damaged or no video"),
    "empty.mp4": (lambda name: Path(name).touch(), 2, "empty.mp4 is empty; make or fetch it again."),
    "words.png": (lambda name: Path(name).write_text("words"), 2, "words.png does not hold a PNG picture"),
    "bomb.png": (bomb, 2, "bomb.png has pictures of more than 50 million pixels, the most that is read"),
    "loop.gif": (lambda name: Path(name).symlink_to(name), 2, "loop.gif is a link that leads back to itself"),
    "mixed": (mixed_sizes, 2, "mixed/2.png is 32×16 pixels and the frames before it 32×32; make them one size."),
    "nothing": (lambda name: Path(name).mkdir(), 2, "nothing is a folder without numbered PNG or JPG frames"),
    "absent.gif": (lambda name: None, 2, "absent.gif: there is no such file; check the spelling."),
    "sheet.png": (sheet, 2, "sheet.toml: action 'walk-left' is in row 7, and sheet.png has rows 0 to 0."),
    "film.ogv": (lambda name: Path(name).touch(), 2, "the extension '.ogv' names no supported format; use one of .gif"),
    "mein Läufer.gif": (cut_short, 1, "mein Läufer.gif is cut short"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("role", ["--content", "--motion"])
def test_a_bad_clip_is_refused_by_name(refusal: Refusal, run: Path, name: str, role: str) -> None:
    make, code, sentence = BAD[name]
    make(name)
    other = "--motion" if role == "--content" else "--content"
    words = ["swap", run, role, name, other, LEFT, "--action", "walk-left", "-o", "out.gif"]
    assert sentence in refusal(*words, code=code)


def test_an_action_that_the_model_does_not_know_is_answered_with_the_nearest(refusal: Refusal, run: Path) -> None:
    hv.write("walk.gif", FRAMES)
    words = ["swap", run, "--content", "walk.gif", "--motion", "walk.gif", "--action", "wlak-left", "-o", "out.gif"]
    assert "no action 'wlak-left'; did you mean 'walk-left'?" in refusal(*words, code=2)


def test_a_sheet_whose_name_for_an_action_is_not_the_models_takes_the_one_that_is_given(
    refusal: Refusal, hamvae: Command, run: Path
) -> None:
    hv.write("sheet.png", FRAMES)
    Path("sheet.toml").write_text("cell = [32, 32]\n[actions.Gehen]\nrow = 0\n")
    words = ["swap", run, "--content", LEFT, "--motion", "sheet.png", "-o"]
    assert "knows no action 'Gehen'; choose from walk-left" in refusal(*words, "out.gif", code=2)
    assert hamvae(*words, "out.gif", "--action", "walk-left").exit_code == 0


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--speed", "0", "speed must be above 0; got 0. To play backward, reverse."),
        ("--speed", "-1", "speed must be above 0; got -1. To play backward, reverse."),
        ("--fps", "nan", "fps must be above 0"),
        ("--fps", "90", "between 0.002 and 50 frames per second; got 90: leave frames out (speed 2 with fps 45), or"),
        ("--start", "image", "'image' is a pose, and --start a number of frames; use --pose image."),
        ("--start", "x", "'x' is not a valid float."),
        ("--start", "inf", "start must be a finite number"),
        ("--frames", "0", "0 is not in the range x>=1"),
        ("--loop", "70000", "70000 is not in the range 0<=x<=65535"),
    ],
)
def test_a_time_that_means_nothing_is_refused(
    refusal: Refusal, run: Path, option: str, value: str, sentence: str
) -> None:
    words = ["generate", run, "--image", LEFT, "--action", "walk-left", option, value, "-o", "out.gif"]
    assert sentence in refusal(*words, code=2)


def test_what_no_gif_could_show_is_refused_before_anything_is_drawn(
    refusal: Refusal, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("hamvae_model.network.hamvae.HamVAE.rendered")
    words = ["swap", run, "--content", LEFT, "--motion", "film.mp4", "--action", "walk-left", "-o"]
    hv.write("film.mp4", FRAMES, fps=60)
    for more in (["out.gif"], ["out.gif", "--side-by-side"], ["out-{action}.gif"]):
        assert "speed 2 with fps 30), or write a .webp or .mp4." in refusal(*words, *more, code=2)


def test_the_way_out_for_a_fast_film_is_one(hamvae: Command, run: Path) -> None:
    hv.write("film.mp4", FRAMES, fps=60)
    words = ["swap", run, "--content", LEFT, "--motion", "film.mp4", "--action", "walk-left", "-o", "out.gif"]
    result = hamvae(*words, "--speed", "2", "--fps", "30")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "words",
    [["swap", "--content", LEFT, "--motion", LEFT], ["reconstruct", "--clip", LEFT]],
    ids=lambda words: words[0],
)
def test_what_stands_side_by_side_is_not_one_file_for_each_action(
    refusal: Refusal, run: Path, words: list[str]
) -> None:
    sentence = refusal(words[0], run, *words[1:], "--side-by-side", "-o", "x-{action}.gif", code=2)
    assert "--side-by-side puts everything into one file; leave {action} out of 'x-{action}.gif'." in sentence
