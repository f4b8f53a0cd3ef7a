"""Your own clips in, animations out: any format, any size, any time."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

import hamvae_model as hv
from hamvae_model import media

from .conftest import Command

LEFT, SLASH = "builtin:test/3/walk-left", "builtin:test/8/slash-left"


@pytest.fixture
def hero(here: Path) -> torch.Tensor:
    """A character of 32×40 pixels in hero.gif at 20 frames per second, hero.png (one frame) and frames/."""
    frames = hv.open_clip(LEFT).frames[:, :, 16:56, 16:48]
    hv.write("hero.gif", frames, fps=20)
    hv.write("hero.png", frames[:1])
    Path("frames").mkdir()
    for number, frame in enumerate(frames):
        hv.write(f"frames/{number}.png", frame[None])
    return frames


@pytest.fixture
def walk(here: Path) -> None:
    """A motion in walk.mp4, 96×96, at 10 frames per second."""
    frames = hv.open_clip(SLASH).frames
    hv.write("walk.mp4", torch.nn.functional.pad(frames, (16, 16, 16, 16)), fps=10)


def durations(path: str) -> list[float]:
    with Image.open(path) as image:
        return [frame.info["duration"] for frame in ImageSequence.Iterator(image)]


def size(path: str) -> tuple[int, ...]:
    """(frames, height, width)"""
    frames = hv.read(path).frames
    return (len(frames), *frames.shape[-2:])


@pytest.mark.usefixtures("hero", "walk")
@pytest.mark.parametrize("content", ["hero.gif", "hero.png", "frames", "hero.gif#2:5"])
def test_the_result_has_the_size_of_the_content_and_the_clock_of_the_motion(
    hamvae: Command, run: Path, content: str
) -> None:
    words = ["--content", content, "--motion", "walk.mp4", "--action", "slash-left"]
    result = hamvae("swap", run, *words, "-o", "out.gif")
    assert (result.exit_code, result.output) == (0, "Wrote out.gif\n")
    assert size("out.gif") == (8, 40, 32)
    assert durations("out.gif") == [100] * 8


@pytest.mark.usefixtures("hero")
def test_a_motion_of_varying_rate_is_shown_at_its_real_times(hamvae: Command, run: Path) -> None:
    frames = hv.open_clip(SLASH).frames[:4]
    hv.write("uneven.webp", frames, durations=[0.1, 0.3, 0.1, 0.2])
    words = ["--content", "hero.png", "--motion", "uneven.webp", "--action", "slash-left"]
    assert hamvae("swap", run, *words, "-o", "out.webp").exit_code == 0
    clip, motion = hv.read("out.webp"), hv.read("uneven.webp")
    assert clip.times.tolist() == pytest.approx(motion.times.tolist())
    model = hv.load(run)
    expected = model.swap(hv.read("hero.png"), motion, "slash-left")
    assert clip.frames.equal(expected.frames)


@pytest.mark.usefixtures("hero")
def test_an_action_of_a_sprite_sheet_is_a_clip_that_knows_its_name(hamvae: Command, run: Path) -> None:
    motions = [hv.open_clip(f"builtin:test/8/{name}").frames for name in ("walk-left", "slash-left")]
    hv.write("sheet.png", torch.cat(motions, dim=2))
    text = "cell = [64, 64]\nduration = 80\n[actions.walk-left]\nrow = 0\n[actions.slash-left]\nrow = 1\n"
    Path("sheet.toml").write_text(text)
    words = ["--content", "sheet.png#walk-left", "--motion", "sheet.png#slash-left"]
    assert hamvae("swap", run, *words, "-o", "out.gif").exit_code == 0
    assert durations("out.gif") == [80] * 8


@pytest.mark.usefixtures("hero")
def test_several_contents_and_motions_make_a_grid(hamvae: Command, run: Path) -> None:
    words = ["swap", run, "--content", "hero.gif", "--content", LEFT, "--motion", SLASH, "--motion", LEFT, "--motion",
             "builtin:test/5/wave-front"]  # fmt: skip
    assert hamvae(*words, "-o", "out.gif").exit_code == 0
    assert size("out.gif") == (8, 2 * 64, 3 * 64)
    assert hamvae(*words, "--side-by-side", "-o", "out.mp4").exit_code == 0
    assert size("out.mp4") == (8, 3 * 64, 4 * 64)
    assert hamvae(*words, "-o", "out.png").exit_code == 0
    _, height, width = size("out.png")
    assert 6 * 64 < height < 7 * 64 and width > 8 * 64


@pytest.mark.usefixtures("hero")
def test_a_cell_of_the_grid_is_the_swap_of_its_row_and_column(hamvae: Command, run: Path) -> None:
    words = ["--content", LEFT, "--content", SLASH, "--motion", LEFT, "--motion", SLASH]
    hamvae("swap", run, *words, "-o", "out.webp")
    clips, frames = [hv.open_clip(name) for name in (LEFT, SLASH)], hv.read("out.webp").frames
    model = hv.load(run)
    for i, content in enumerate(clips):
        for j, motion in enumerate(clips):
            cell = frames[:, :, 64 * i : 64 * (i + 1), 64 * j : 64 * (j + 1)]
            assert cell.equal(model.swap(content, motion).frames)


@pytest.mark.usefixtures("walk")
def test_each_motion_may_have_its_own_action(hamvae: Command, run: Path) -> None:
    words = ["swap", run, "--content", LEFT, "--motion", "walk.mp4", "--motion", "walk.mp4"]
    assert hamvae(*words, "--action", "walk-left", "--action", "slash-left", "-o", "out.gif").exit_code == 0
    result = hamvae(*words, *["--action", "walk-left"] * 3, "-o", "out.gif")
    assert result.exit_code == 2
    assert "There are 2 motions and 3 actions; name one, or one for each." in result.stderr


@pytest.mark.parametrize("name", ["out.gif", "out.apng", "out.webp", "out.mp4", "out.png", "out.json"])
def test_the_extension_chooses_the_format(hamvae: Command, run: Path, name: str) -> None:
    words = ["generate", run, "--image", LEFT, "--action", "slash-left", "--frames", "5", "--scale", "2"]
    assert hamvae(*words, "-o", name).output == f"Wrote {name}\n"
    if name == "out.json":
        tags = json.loads(Path(name).read_text("utf-8"))["meta"]["frameTags"]
        assert [(tag["name"], tag["from"], tag["to"]) for tag in tags] == [("slash-left", 0, 4)]
        with Image.open("out.png") as image:
            assert image.size == (5 * 128, 128)
    else:
        assert size(name) == (5, 128, 128)


def test_a_sprite_sheet_has_a_tag_for_every_action(hamvae: Command, run: Path) -> None:
    words = ["--image", LEFT, "--action", "walk-left", "--action", "slash-left", "--frames", "4", "--fps", "10"]
    assert hamvae("generate", run, *words, "-o", "hero.json").exit_code == 0
    sheet = json.loads(Path("hero.json").read_text("utf-8"))
    assert [tag["name"] for tag in sheet["meta"]["frameTags"]] == ["walk-left", "slash-left"]
    assert {frame["duration"] for frame in sheet["frames"].values()} == {100}


def test_slow_motion_makes_frames_between_frames(hamvae: Command, run: Path) -> None:
    words = ["generate", run, "--image", LEFT, "--action", "slash-left"]
    hamvae(*words, "--frames", "8", "-o", "usual.webp")
    hamvae(*words, "--frames", "32", "--speed", "0.25", "-o", "slow.webp")
    usual, slow = hv.read("usual.webp").frames, hv.read("slow.webp").frames
    assert len(slow) == 32
    assert (slow[::4].int() - usual.int()).abs().max() <= 1
    assert hv.read("slow.webp").frame_seconds == pytest.approx(0.125)


def test_reverse_plays_the_same_frames_backward_and_start_begins_later(hamvae: Command, run: Path) -> None:
    words = ["generate", run, "--image", LEFT, "--action", "slash-left", "--frames", "4", "-o"]
    hamvae(*words, "forward.webp", "--start", "2.5")
    hamvae(*words, "backward.webp", "--start", "2.5", "--reverse")
    forward = hv.read("forward.webp").frames
    assert hv.read("backward.webp").frames.equal(forward.flip(0))
    expected = hv.load(run).generate(hv.open_clip(LEFT), "slash-left", [2.5, 3.5, 4.5, 5.5])
    assert forward.equal(expected.frames)


def test_a_given_clip_beside_the_result_keeps_step_with_it(hamvae: Command, run: Path) -> None:
    words = ["--content", LEFT, "--motion", LEFT, "--side-by-side", "--speed", "0.5", "-o", "out.webp"]
    assert hamvae("swap", run, *words).exit_code == 0
    frames = hv.read("out.webp").frames
    assert len(frames) == 16
    assert frames[:, :, :, :64].equal(hv.open_clip(LEFT).frames.repeat_interleave(2, dim=0))


def test_frames_per_second_and_repeats_are_written(hamvae: Command, run: Path) -> None:
    words = ["generate", run, "--image", LEFT, "--action", "slash-left", "--fps", "25", "--loop", "2", "-o", "out.gif"]
    assert hamvae(*words).exit_code == 0
    with Image.open("out.gif") as image:
        assert (image.info["duration"], image.info["loop"]) == (40, 2)


@pytest.mark.parametrize("name", ["out.gif", "out.webp", "out.apng", "out.json"])
def test_the_background_can_be_made_clear(hamvae: Command, run: Path, name: str) -> None:
    words = ["generate", run, "--image", LEFT, "--action", "slash-left", "--frames", "2", "--transparent", "-o", name]
    assert hamvae(*words).exit_code == 0
    with Image.open(name.replace(".json", ".png")) as image:
        alpha = np.array(image.convert("RGBA"))[..., 3]
    expected = hv.load(run).plan_generation(hv.open_clip(LEFT), "slash-left").clip(torch.arange(2.0), transparent=True)
    assert expected.alpha is not None
    assert torch.from_numpy(alpha[:, :64]).equal(expected.alpha[0, 0])


def test_a_video_has_no_transparency(hamvae: Command, run: Path) -> None:
    result = hamvae("sample", run, "--transparent", "-o", "out.mp4")
    assert (result.exit_code, list(Path().iterdir())) == (2, [])
    assert "'out.mp4' cannot be transparent: an MP4 has no transparency; write a WebP or a GIF." in result.stderr


@pytest.mark.parametrize("name", ["out.mp4", "out.gif"])
def test_a_roll_of_thousands_of_frames_is_written_as_it_is_drawn(
    hamvae: Command, run: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    write = media.writing.write

    def watched(path: Path, frames: object, **options: object) -> None:
        def passing() -> object:
            for part in frames:
                drawn.append(len(part))
                yield part

        assert not isinstance(frames, torch.Tensor)
        write(path, passing(), **options)

    monkeypatch.setattr(media, "write", watched)
    words = ["generate", run, "--image", LEFT, "--action", "slash-left", "--frames", "2000", "-o", name]
    assert hamvae(*words).exit_code == 0
    assert sum(drawn) == 2000 and max(drawn) <= 256
    if name == "out.mp4":
        with av.open(name) as container:
            assert container.streams.video[0].frames == 2000
