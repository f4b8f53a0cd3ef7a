"""What a PNG keeps: one frame, or a row of frames that comes apart again."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hamvae_model.errors import HamvaeError, UsageError
from hamvae_model.media import read, write


def noise(*shape: int) -> torch.Tensor:
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


SHAPES = [(1, 3, 8, 8), (1, 3, 8, 16), (5, 3, 8, 8), (3, 3, 8, 12), (4, 3, 12, 8), (2, 1, 8, 8)]


@pytest.mark.parametrize("shape", SHAPES)
def test_frames_come_back_exactly_whatever_their_number_and_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    frames = noise(*shape)
    write(tmp_path / "clip.png", frames)
    clip = read(tmp_path / "clip.png")
    assert torch.equal(clip.frames, frames.expand(-1, 3, -1, -1))
    assert clip.times.tolist() == list(range(shape[0]))


def test_other_programs_see_the_frames_side_by_side(tmp_path: Path) -> None:
    frames = noise(3, 3, 8, 8)
    write(tmp_path / "clip.png", frames)
    with Image.open(tmp_path / "clip.png") as image:
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    assert torch.equal(pixels, torch.cat(frames.unbind(), dim=2))


def save_with_pillow(path: Path, pixels: torch.Tensor) -> None:
    Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy()).save(path)


def test_a_foreign_strip_of_squares_is_cut_into_frames(tmp_path: Path) -> None:
    pixels = noise(3, 8, 32)
    save_with_pillow(tmp_path / "strip.png", pixels)
    assert torch.equal(read(tmp_path / "strip.png").frames, torch.stack(pixels.chunk(4, dim=2)))


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 20), (16, 8)])
def test_any_other_foreign_picture_is_one_frame(tmp_path: Path, height: int, width: int) -> None:
    pixels = noise(3, height, width)
    save_with_pillow(tmp_path / "picture.png", pixels)
    assert torch.equal(read(tmp_path / "picture.png").frames, pixels[None])


def test_partial_transparency_is_kept_in_alpha_and_shown_over_black(tmp_path: Path) -> None:
    pixels = torch.tensor([200, 100, 0, 128], dtype=torch.uint8)[:, None, None].expand(4, 4, 4)
    save_with_pillow(tmp_path / "glass.png", pixels)
    clip = read(tmp_path / "glass.png")
    assert clip.alpha is not None
    assert clip.alpha.min() == clip.alpha.max() == 128
    assert clip.frames[0, :, 0, 0].tolist() == [100, 50, 0]


def test_every_pixel_becomes_a_square_of_the_given_scale(tmp_path: Path) -> None:
    frames = noise(2, 3, 4, 4)
    write(tmp_path / "large.png", frames, scale=3)
    large = read(tmp_path / "large.png").frames
    assert large.shape == (2, 3, 12, 12)
    for dy in range(3):
        for dx in range(3):
            assert torch.equal(large[:, :, dy::3, dx::3], frames)


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "whole.png", noise(1, 3, 32, 32))
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:600])
    with pytest.raises(HamvaeError, match=r"cut\.png is cut short or damaged"):
        read(tmp_path / "cut.png")


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000])
def test_a_picture_that_unpacks_to_too_many_pixels_is_refused_before_it_does(tmp_path: Path, side: int) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + data)
    with pytest.raises(UsageError, match="more than 50 million pixels"):
        read(tmp_path / "bomb.png")
