"""Every format, across libraries: what we write others read, what others write we read; to the bit where it can be."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import imageio.v3 as iio
import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from hamvae_model import media
from hamvae_model.data import Characters

Frames = torch.Tensor
EXACT = ["gif", "apng", "webp"]
MILLISECONDS = [100, 250, 100, 60, 100, 120]


@pytest.fixture(scope="module")
def art(builtin: Characters) -> Frames:
    """Pixel art (6, 3, 64, 64) on black; two neighbours are equal."""
    frames = builtin.clip("test", "3/walk-left").frames[:6].clone()
    frames[3] = frames[2]
    return frames


@pytest.fixture(scope="module")
def film() -> Frames:
    """Smooth moving colours (6, 3, 64, 80), as a camera sees them."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 80), indexing="ij")
    waves = [torch.stack([(3 * x + t / 6).sin(), (2 * y - t / 6).cos(), (x + y + t / 6).sin()]) for t in range(6)]
    return ((torch.stack(waves) + 1) * 100 + 20).round().byte()


def channels_first(pixels: np.ndarray) -> Frames:
    return torch.from_numpy(np.ascontiguousarray(pixels)).movedim(-1, -3)


def channels_last(frames: Frames) -> np.ndarray:
    return frames.movedim(-3, -1).contiguous().numpy()


def psnr(one: Frames, other: Frames) -> float:
    return float(10 * torch.log10(255**2 / (one.float() - other.float()).square().mean()))


def with_pillow(path: Path) -> tuple[Frames, list[float]]:
    """Frames (t, 4, h, w) and durations in milliseconds."""
    frames, durations = [], []
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            frames.append(np.array(frame.convert("RGBA")))
            durations.append(frame.info["duration"])
    return channels_first(np.stack(frames)), durations


def with_av(path: Path) -> tuple[Frames, list[float]]:
    """Frames (t, 3, h, w) and starts in milliseconds."""
    with av.open(path) as container:
        shown = [(frame.to_ndarray(format="rgb24"), 1000 * frame.time) for frame in container.decode(video=0)]
    return channels_first(np.stack([pixels for pixels, _ in shown])), [start for _, start in shown]


def av_writes(path: Path, codec: str, pixels: str, frames: Frames, milliseconds: list[int] | None = None) -> None:
    """A video, at 25 frames per second unless durations are given."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=25, options={"crf": "10", "b": "8M"})
        stream.height, stream.width = frames.shape[-2:]
        stream.pix_fmt, stream.codec_context.time_base = pixels, Fraction(1, 1000) if milliseconds else Fraction(1, 25)
        starts = np.cumsum([0, *(milliseconds or [1] * len(frames))])
        for start, pixels_of_one in zip(starts, channels_last(frames), strict=False):
            frame = av.VideoFrame.from_ndarray(pixels_of_one, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = int(start), stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


# Out -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", EXACT)
def test_pillow_reads_every_frame_that_we_write_exactly(tmp_path: Path, art: Frames, extension: str) -> None:
    media.write(tmp_path / f"clip.{extension}", art)
    frames, _ = with_pillow(tmp_path / f"clip.{extension}")
    assert frames[:, :3].equal(art) and frames[:, 3].min() == 255


@pytest.mark.parametrize("extension", EXACT)
def test_pillow_reads_the_durations_that_we_write(tmp_path: Path, art: Frames, extension: str) -> None:
    media.write(tmp_path / f"clip.{extension}", art, durations=[duration / 1000 for duration in MILLISECONDS])
    assert with_pillow(tmp_path / f"clip.{extension}")[1] == MILLISECONDS


@pytest.mark.parametrize("extension", EXACT)
def test_imageio_reads_every_frame_that_we_write_exactly(tmp_path: Path, art: Frames, extension: str) -> None:
    media.write(tmp_path / f"clip.{extension}", art)
    frames = np.stack(list(iio.imiter(tmp_path / f"clip.{extension}", plugin="pillow", mode="RGB")))
    assert channels_first(frames).equal(art)


@pytest.mark.parametrize("extension", ["gif", "apng"])
def test_ffmpeg_reads_every_frame_that_we_write_exactly(tmp_path: Path, art: Frames, extension: str) -> None:
    media.write(tmp_path / f"clip.{extension}", art, fps=10)
    frames, starts = with_av(tmp_path / f"clip.{extension}")
    assert frames.equal(art)
    assert starts == pytest.approx([0, 100, 200, 300, 400, 500])


@pytest.mark.parametrize("extension", [*EXACT, "png"])
@pytest.mark.parametrize("levels", [(0, 255), (0, 90, 128, 255)], ids=["clear or not", "half-transparent"])
def test_transparency_is_kept(tmp_path: Path, art: Frames, extension: str, levels: tuple[int, ...]) -> None:
    alpha = torch.tensor(levels, dtype=torch.uint8)[torch.arange(64 * 64).view(64, 64) // 7 % len(levels)]
    given = torch.cat([art[:2], alpha.expand(2, 1, -1, -1)], dim=1)
    media.write(tmp_path / f"clip.{extension}", given)
    if extension == "png":
        with Image.open(tmp_path / "clip.png") as image:
            frames = torch.stack(channels_first(np.array(image)).chunk(2, dim=2))
    else:
        frames, _ = with_pillow(tmp_path / f"clip.{extension}")
    expected = (alpha >= 128).byte() * 255 if extension == "gif" else alpha
    assert frames[:, 3].equal(expected.expand(2, -1, -1))
    seen = expected.bool().expand(2, 3, -1, -1)
    assert frames[:, :3][seen].equal(art[:2][seen])


def test_nothing_of_a_frame_is_seen_through_the_holes_of_the_next(tmp_path: Path) -> None:
    frames = torch.zeros(2, 4, 8, 8, dtype=torch.uint8)
    frames[0, :, :4], frames[1, :, 4:] = 255, 255
    for extension in EXACT:
        media.write(tmp_path / f"clip.{extension}", frames)
        assert with_pillow(tmp_path / f"clip.{extension}")[0][:, 3].equal(frames[:, 3])


@pytest.mark.parametrize("extension", EXACT)
def test_how_often_it_plays_is_written(tmp_path: Path, art: Frames, extension: str) -> None:
    media.write(tmp_path / f"clip.{extension}", art, loop=3)
    with Image.open(tmp_path / f"clip.{extension}") as image:
        assert image.info["loop"] == 3


def test_an_mp4_looks_like_what_was_written_and_keeps_its_clock(tmp_path: Path, film: Frames) -> None:
    media.write(tmp_path / "clip.mp4", film, durations=[duration / 1000 for duration in MILLISECONDS])
    frames, starts = with_av(tmp_path / "clip.mp4")
    assert psnr(frames, film) >= 35
    assert starts == pytest.approx(np.cumsum([0, *MILLISECONDS[:-1]]), abs=1)


def test_pixel_art_in_an_mp4_is_clear_once_it_is_enlarged(tmp_path: Path, art: Frames) -> None:
    media.write(tmp_path / "clip.mp4", art, scale=4)
    frames, _ = with_av(tmp_path / "clip.mp4")
    assert psnr(frames, art.repeat_interleave(4, -1).repeat_interleave(4, -2)) >= 35


def test_an_mp4_is_of_the_kind_that_plays_everywhere_with_its_index_first(tmp_path: Path, film: Frames) -> None:
    media.write(tmp_path / "clip.mp4", film)
    with av.open(tmp_path / "clip.mp4") as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    data = (tmp_path / "clip.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_an_odd_size_grows_by_a_repeated_edge_in_an_mp4(tmp_path: Path, film: Frames) -> None:
    media.write(tmp_path / "clip.mp4", film[:, :, :63, :77])
    frames, _ = with_av(tmp_path / "clip.mp4")
    assert frames.shape[-2:] == (64, 78)
    assert psnr(frames[:, :, :63, :77], film[:, :, :63, :77]) >= 35


@pytest.mark.parametrize("extension", [*EXACT, "mp4"])
def test_a_long_animation_may_come_in_parts(tmp_path: Path, art: Frames, extension: str) -> None:
    media.write(tmp_path / f"whole.{extension}", art)
    media.write(tmp_path / f"parts.{extension}", iter(art.split(2)))
    assert (tmp_path / f"whole.{extension}").read_bytes() == (tmp_path / f"parts.{extension}").read_bytes()


def test_a_sprite_sheet_says_where_every_frame_stands(tmp_path: Path, art: Frames) -> None:
    media.write_sheet(tmp_path / "hero.json", {"walk": art, "rest": art[:2]}, durations={"walk": [0.08] * 6})
    sheet = json.loads((tmp_path / "hero.json").read_text("utf-8"))
    assert sheet["meta"]["image"] == "hero.png"
    with Image.open(tmp_path / "hero.png") as image:
        assert sheet["meta"]["size"] == {"w": image.width, "h": image.height}
        for tag, clip, duration in zip(sheet["meta"]["frameTags"], (art, art[:2]), (80, 125), strict=True):
            cells = list(sheet["frames"].values())[tag["from"] : tag["to"] + 1]
            for cell, frame in zip(cells, clip, strict=True):
                x, y, width, height = cell["frame"].values()
                cut = image.crop((x, y, x + width, y + height)).convert("RGB")
                assert channels_first(np.array(cut)).equal(frame)
                assert cell["duration"] == duration
    assert [tag["name"] for tag in sheet["meta"]["frameTags"]] == ["walk", "rest"]


# In ------------------------------------------------------------------------------------------------------------------


def pillow_writes(path: Path, frames: Frames) -> None:
    images = [Image.fromarray(pixels) for pixels in channels_last(frames)]
    options = {"lossless": True} if path.suffix == ".webp" else {}
    form = {".apng": "PNG", ".webp": "WEBP", ".gif": "GIF"}[path.suffix]
    images[0].save(path, form, save_all=True, append_images=images[1:], duration=MILLISECONDS[: len(frames)], **options)


def imageio_writes(path: Path, frames: Frames) -> None:
    options = {"lossless": True} if path.suffix == ".webp" else {}
    form = {".apng": "PNG", ".webp": "WEBP", ".gif": "GIF"}[path.suffix]
    iio.imwrite(path, list(channels_last(frames)), plugin="pillow", format=form, duration=MILLISECONDS, **options)


@pytest.mark.parametrize("writes", [pillow_writes, imageio_writes])
@pytest.mark.parametrize("extension", EXACT)
def test_animations_of_others_are_read_exactly_with_their_clock(
    tmp_path: Path, builtin: Characters, extension: str, writes: Callable[[Path, Frames], None]
) -> None:
    frames = builtin.clip("test", "3/walk-left").frames[:6]  # no two neighbours are equal: those these writers merge
    writes(tmp_path / f"clip.{extension}", frames)
    clip = media.read(tmp_path / f"clip.{extension}")
    assert clip.frames.equal(frames)
    assert clip.frame_seconds == pytest.approx(0.1)
    starts = np.cumsum([0, *MILLISECONDS[:-1]]) / 1000
    assert (clip.times * clip.frame_seconds).tolist() == pytest.approx(starts, abs=0.01)
    assert clip.lasting * clip.frame_seconds == pytest.approx(MILLISECONDS[-1] / 1000, abs=0.01)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("clip.mp4", "libx264", "yuv420p"),
        ("clip.m4v", "libx264", "yuv420p"),
        ("clip.mov", "libx264", "yuv444p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.mkv", "libx264", "yuv420p"),
        ("clip.avi", "mpeg4", "yuv420p"),
    ],
)
def test_videos_of_others_are_read_with_their_clock(
    tmp_path: Path, film: Frames, name: str, codec: str, pixels: str
) -> None:
    av_writes(tmp_path / name, codec, pixels, film)
    clip = media.read(tmp_path / name)
    assert psnr(clip.frames, film) >= 35
    assert clip.times.tolist() == list(range(6))
    assert clip.frame_seconds == pytest.approx(0.04, abs=0.0005)


@pytest.mark.parametrize(("name", "codec", "pixels"), [("clip.mkv", "ffv1", "bgr0"), ("clip.avi", "png", "rgb24")])
def test_videos_without_loss_are_read_exactly(tmp_path: Path, art: Frames, name: str, codec: str, pixels: str) -> None:
    av_writes(tmp_path / name, codec, pixels, art)
    assert media.read(tmp_path / name).frames.equal(art)


def test_a_video_of_varying_rate_keeps_its_times(tmp_path: Path, film: Frames) -> None:
    av_writes(tmp_path / "clip.mkv", "libx264", "yuv420p", film, MILLISECONDS)
    clip = media.read(tmp_path / "clip.mkv")
    starts = (clip.times * clip.frame_seconds).tolist()
    assert starts == pytest.approx(np.cumsum([0, *MILLISECONDS[:-1]]) / 1000, abs=0.01)


def test_a_video_of_odd_size_loses_no_pixel(tmp_path: Path, art: Frames) -> None:
    av_writes(tmp_path / "clip.mkv", "ffv1", "bgr0", art[:, :, :63, :61])
    assert media.read(tmp_path / "clip.mkv").frames.equal(art[:, :, :63, :61])


def test_a_video_that_was_filmed_sideways_is_turned_upright(tmp_path: Path, film: Frames) -> None:
    av_writes(tmp_path / "clip.mp4", "libx264", "yuv420p", film)
    data = bytearray((tmp_path / "clip.mp4").read_bytes())
    matrix = data.index(b"tkhd") + 44  # of the track header: ISO/IEC 14496-12, 8.3.2
    one = 1 << 16
    turned = (0, one, 0, -one & 0xFFFFFFFF, 0, 0, 0, 0, 1 << 30)  # a quarter turn clockwise
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big") for value in turned)
    (tmp_path / "clip.mp4").write_bytes(data)
    assert psnr(media.read(tmp_path / "clip.mp4").frames, film.rot90(-1, (-2, -1))) >= 35


def test_a_video_with_transparency_keeps_it(tmp_path: Path, art: Frames) -> None:
    alpha = torch.zeros(64, 64, dtype=torch.uint8)
    alpha[16:48] = 255
    with av.open(tmp_path / "clip.mov", "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.height, stream.width, stream.pix_fmt = 64, 64, "rgba"
        for one in art:
            pixels = channels_last(torch.cat([one, alpha[None]]))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgba")))
        container.mux(stream.encode(None))
    clip = media.read(tmp_path / "clip.mov")
    assert clip.alpha is not None and clip.alpha.equal(alpha.expand(6, 1, -1, -1))
    assert clip.frames.equal(art * (alpha > 0))


def test_a_folder_of_numbered_frames_is_played_in_the_order_of_the_numbers(tmp_path: Path, art: Frames) -> None:
    folder = tmp_path / "mein Läufer"
    folder.mkdir()
    for number, pixels in zip((1, 2, 10, 11, 100, 101), channels_last(art), strict=True):
        Image.fromarray(pixels).save(folder / f"frame {number}.png")
    (folder / "notes.txt").write_text("not a frame")
    clip = media.read(folder)
    assert clip.frames.equal(art)
    assert clip.times.tolist() == list(range(6)) and clip.frame_seconds is None


# Parts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", [*EXACT, "mp4", "png"])
def test_some_frames_of_a_clip_can_be_named(tmp_path: Path, art: Frames, extension: str) -> None:
    media.write(tmp_path / f"clip.{extension}", art)
    whole = media.read(tmp_path / f"clip.{extension}").frames
    for part, frames in (("2:5", whole[2:5]), (":2", whole[:2]), ("4:", whole[4:])):
        clip = media.read(f"{tmp_path}/clip.{extension}#{part}")
        assert clip.frames.equal(frames) and clip.times.tolist() == list(range(len(frames)))


@pytest.mark.parametrize("extension", [*EXACT, "mp4", "png"])
def test_a_clip_in_parts_is_the_whole_clip(
    tmp_path: Path, art: Frames, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    media.write(tmp_path / f"clip.{extension}", art, fps=10)
    whole = media.read(tmp_path / f"clip.{extension}")
    monkeypatch.setattr("hamvae_model.media.shown._AT_ONCE", 2 * 64 * 64)
    parts = list(media.stream(tmp_path / f"clip.{extension}"))
    assert [len(part) for part in parts] == [2, 2, 2]
    assert torch.cat([part.frames for part in parts]).equal(whole.frames)
    clock = 0.1 if extension != "png" else 1.0
    assert torch.cat([part.times for part in parts]).tolist() == pytest.approx([clock * t for t in range(6)])
    assert {part.frame_seconds for part in parts} == ({1.0} if extension != "png" else {None})


@pytest.mark.parametrize(("extension", "form"), [("gif", "GIF"), ("apng", "APNG"), ("webp", "WEBP"), ("mp4", "MP4")])
def test_a_probe_tells_what_a_file_says_of_itself(tmp_path: Path, art: Frames, extension: str, form: str) -> None:
    media.write(tmp_path / f"clip.{extension}", art, fps=10)
    facts = media.probe(tmp_path / f"clip.{extension}")
    assert (facts.format, facts.width, facts.height, facts.frames) == (form, 64, 64, 6)
    assert facts.fps == pytest.approx(10, rel=0.01)


def test_a_probe_of_pictures_and_folders_tells_their_frames(tmp_path: Path, art: Frames) -> None:
    media.write(tmp_path / "strip.png", art)
    media.write(tmp_path / "frames 7.png", art[:1])
    strip = media.probe(tmp_path / "strip.png")
    assert (strip.format, strip.width, strip.height, strip.frames, strip.fps) == ("PNG", 64, 64, 6, None)
    (tmp_path / "strip.png").unlink()
    folder = media.probe(tmp_path)
    assert (folder.format, folder.width, folder.frames, folder.fps) == ("frames", 64, 1, None)
