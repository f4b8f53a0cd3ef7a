"""What a GIF keeps: every frame, every colour it can hold, its clock, its transparency."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from hamvae_model.errors import HamvaeError, UsageError
from hamvae_model.media import read, write


def pixel_art(frames: int, *, colours: int, size: int = 16, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    palette = torch.randperm(2**24, generator=generator)[:colours]
    chosen = palette[torch.randint(colours, (frames, size, size), generator=generator)]
    return torch.stack([chosen >> 16, chosen >> 8 & 255, chosen & 255], dim=1).to(torch.uint8)


def pillow_frames(path: Path) -> torch.Tensor:
    with Image.open(path) as image:
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)


def pillow_durations(path: Path) -> list[int]:
    with Image.open(path) as image:
        return [frame.info["duration"] for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize("colours", [1, 2, 3, 255, 256])
def test_frames_of_up_to_256_colours_come_back_exactly(tmp_path: Path, colours: int) -> None:
    frames = pixel_art(5, colours=colours)
    write(tmp_path / "clip.gif", frames)
    assert torch.equal(read(tmp_path / "clip.gif").frames, frames)


def test_each_frame_has_256_colours_of_its_own(tmp_path: Path) -> None:
    frames = torch.cat([pixel_art(1, colours=256, seed=seed) for seed in range(4)])
    write(tmp_path / "clip.gif", frames)
    assert torch.equal(read(tmp_path / "clip.gif").frames, frames)


def test_other_programs_see_the_same_frames(tmp_path: Path) -> None:
    frames = pixel_art(4, colours=30)
    write(tmp_path / "clip.gif", frames)
    assert torch.equal(pillow_frames(tmp_path / "clip.gif"), frames)


def test_equal_neighbours_stay_separate_frames(tmp_path: Path) -> None:
    frames = pixel_art(1, colours=9).expand(6, -1, -1, -1)
    write(tmp_path / "still.gif", frames)
    assert torch.equal(pillow_frames(tmp_path / "still.gif"), frames)
    assert torch.equal(read(tmp_path / "still.gif").frames, frames)


def test_frames_richer_than_a_palette_come_back_close(tmp_path: Path) -> None:
    ramp = torch.linspace(0, 255, 64).to(torch.uint8)
    frames = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64), torch.full((64, 64), 90).byte()])[None]
    write(tmp_path / "rich.gif", frames)
    assert (read(tmp_path / "rich.gif").frames.int() - frames.int()).abs().float().mean() < 6


def test_grey_frames_come_back_as_equal_channels(tmp_path: Path) -> None:
    frames = pixel_art(3, colours=20)[:, :1]
    write(tmp_path / "grey.gif", frames)
    assert torch.equal(read(tmp_path / "grey.gif").frames, frames.expand(-1, 3, -1, -1))


@pytest.mark.parametrize(("fps", "milliseconds"), [(10.0, 100), (25.0, 40), (50.0, 20), (1.0, 1000)])
def test_whole_ticks_of_ten_milliseconds_are_kept(tmp_path: Path, fps: float, milliseconds: int) -> None:
    write(tmp_path / "clip.gif", pixel_art(4, colours=4), fps=fps)
    assert pillow_durations(tmp_path / "clip.gif") == [milliseconds] * 4


@pytest.mark.parametrize("fps", [8.0, 30.0, 24.0, 7.0, 49.0])
def test_frames_of_any_speed_start_within_a_tick_of_their_time_however_many_they_are(
    tmp_path: Path, fps: float
) -> None:
    write(tmp_path / "clip.gif", pixel_art(80, colours=4, size=2), fps=fps)
    ends = np.cumsum(pillow_durations(tmp_path / "clip.gif")) / 1000
    assert np.abs(ends - np.arange(1, 81) / fps).max() <= 0.005 + 1e-9


def test_uneven_durations_do_not_drift_either(tmp_path: Path) -> None:
    durations = [0.024, 0.046, 0.133] * 20
    write(tmp_path / "clip.gif", pixel_art(60, colours=4, size=2), durations=durations)
    ends = np.cumsum(pillow_durations(tmp_path / "clip.gif")) / 1000
    assert np.abs(ends - np.cumsum(durations)).max() <= 0.005 + 1e-9


@pytest.mark.parametrize("fps", [0.001, 51.0])
def test_a_speed_that_a_gif_cannot_show_is_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(UsageError, match=r"between 0\.002 and 50 frames per second"):
        write(tmp_path / "clip.gif", pixel_art(2, colours=4), fps=fps)


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan")])
def test_a_speed_that_is_none_is_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(UsageError, match=r"fps must be above 0"):
        write(tmp_path / "clip.gif", pixel_art(2, colours=4), fps=fps)


@pytest.mark.parametrize("fps", [20.0, 8.0, 29.97, 49.0])
def test_evenly_timed_frames_have_times_0_1_2_whatever_the_ticks_made_of_them(tmp_path: Path, fps: float) -> None:
    write(tmp_path / "clip.gif", pixel_art(7, colours=4), fps=fps)
    clip = read(tmp_path / "clip.gif")
    assert clip.times.tolist() == list(range(7))
    assert clip.frame_seconds is not None and abs(7 * clip.frame_seconds - 7 / fps) <= 0.01


def save_with_pillow(path: Path, images: list[Image.Image], durations: list[int] | int = 0) -> None:
    images[0].save(path, save_all=True, append_images=images[1:], duration=durations)


def solid(colour: tuple[int, ...]) -> Image.Image:
    return Image.new("RGB" if len(colour) == 3 else "RGBA", (8, 8), colour)


def test_unevenly_timed_frames_keep_their_starts_in_median_durations(tmp_path: Path) -> None:
    images = [solid((60 * i, 0, 0)) for i in range(4)]
    save_with_pillow(tmp_path / "clip.gif", images, durations=[100, 300, 100, 50])
    clip = read(tmp_path / "clip.gif")
    assert (clip.times.tolist(), clip.lasting) == ([0, 1, 4, 5], 0.5)


def test_frames_without_a_duration_are_evenly_timed(tmp_path: Path) -> None:
    save_with_pillow(tmp_path / "clip.gif", [solid((60 * i, 0, 0)) for i in range(3)])
    assert read(tmp_path / "clip.gif").times.tolist() == [0, 1, 2]


def test_transparency_is_kept_in_alpha_and_shown_over_black(tmp_path: Path) -> None:
    image = solid((200, 100, 50, 255))
    image.paste((0, 0, 0, 0), (0, 0, 4, 8))
    save_with_pillow(tmp_path / "clip.gif", [image])
    clip = read(tmp_path / "clip.gif")
    assert clip.alpha is not None
    assert clip.alpha.shape == (1, 1, 8, 8)
    assert clip.alpha[0, 0, :, :4].max() == 0 and clip.alpha[0, 0, :, 4:].min() == 255
    assert clip.frames[0, :, :, :4].max() == 0
    assert clip.frames[0, :, 0, 7].tolist() == [200, 100, 50]


def test_an_opaque_clip_has_no_alpha_no_label_and_names_its_file(tmp_path: Path) -> None:
    write(tmp_path / "clip.gif", pixel_art(2, colours=4))
    clip = read(tmp_path / "clip.gif")
    assert clip.alpha is None
    assert clip.label is None
    assert clip.source == str(tmp_path / "clip.gif")


@pytest.mark.parametrize("loop", [0, 3])
def test_the_number_of_repeats_is_written(tmp_path: Path, loop: int) -> None:
    write(tmp_path / "clip.gif", pixel_art(2, colours=4), loop=loop)
    with Image.open(tmp_path / "clip.gif") as image:
        assert image.info["loop"] == loop


def test_a_negative_number_of_repeats_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="loop must be between 0"):
        write(tmp_path / "clip.gif", pixel_art(2, colours=4), loop=-1)


def test_a_gif_cut_anywhere_is_never_taken_for_a_shorter_clip(tmp_path: Path) -> None:
    write(tmp_path / "whole.gif", pixel_art(3, colours=4, size=6))
    whole = (tmp_path / "whole.gif").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.gif").write_bytes(whole[:length])
        with pytest.raises(HamvaeError, match=r"cut short|does not hold a GIF"):
            read(tmp_path / "cut.gif")


@pytest.mark.parametrize("padding", [b"\0", b"\r\n", b"\0" * 500])
def test_padding_after_the_end_of_a_gif_is_overlooked(tmp_path: Path, padding: bytes) -> None:
    frames = pixel_art(3, colours=4)
    write(tmp_path / "clip.gif", frames)
    (tmp_path / "clip.gif").write_bytes((tmp_path / "clip.gif").read_bytes() + padding)
    assert torch.equal(read(tmp_path / "clip.gif").frames, frames)


def test_a_gif_without_frames_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.gif").write_bytes(b"GIF89a\x08\x00\x08\x00\x00\x00\x00;")
    with pytest.raises(HamvaeError, match=r"empty\.gif"):
        read(tmp_path / "empty.gif")


def test_a_canvas_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    write(tmp_path / "huge.gif", pixel_art(2, colours=4))
    data = bytearray((tmp_path / "huge.gif").read_bytes())
    data[6:10] = struct.pack("<HH", 9000, 9000)  # the canvas on which both small frames lie
    (tmp_path / "huge.gif").write_bytes(data)
    with pytest.raises(UsageError, match="more than 50 million pixels"):
        read(tmp_path / "huge.gif")
