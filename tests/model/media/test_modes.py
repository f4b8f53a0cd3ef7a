"""Every kind of picture comes out as eight bits of red, green and blue, the right way up."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hamvae_model.media import read

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def saved(path: Path, image: Image.Image, **options: object) -> torch.Tensor:
    image.save(path, **options)
    return read(path).frames[0]


def test_grey_is_the_same_in_every_channel(tmp_path: Path) -> None:
    frame = saved(tmp_path / "a.png", Image.fromarray(RAMP))
    assert frame.equal(torch.from_numpy(RAMP).expand(3, -1, -1))


def test_sixteen_bits_of_grey_are_rounded_to_eight_and_not_cut_off(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    frame = saved(tmp_path / "a.png", Image.fromarray(deep))
    assert frame[0].equal(torch.from_numpy((deep / 257).round().astype(np.uint8)))


def test_grey_with_alpha_is_shown_over_black(tmp_path: Path) -> None:
    frame = saved(tmp_path / "a.png", Image.merge("LA", [Image.new("L", (4, 4), 200), Image.new("L", (4, 4), 128)]))
    assert frame.unique().tolist() == [100]


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    frame = saved(tmp_path / "a.png", Image.fromarray(RAMP > 100))
    assert frame.equal((torch.from_numpy(RAMP) > 100).byte().expand(3, -1, -1) * 255)


def test_palettes_are_resolved_with_their_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(RAMP % 2, mode="P")
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.save(tmp_path / "a.png", transparency=1)
    clip = read(tmp_path / "a.png")
    assert clip.frames[0, :, 0, :2].T.tolist() == [[255, 0, 0], [0, 0, 0]]
    assert clip.alpha is not None and clip.alpha[0, 0, 0, :2].tolist() == [255, 0]


def test_a_colour_named_transparent_is_transparent(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (10, 20, 30)).save(tmp_path / "a.png", transparency=(10, 20, 30))
    clip = read(tmp_path / "a.png")
    assert clip.alpha is not None and clip.alpha.max() == 0


def test_printers_colours_become_a_screens(tmp_path: Path) -> None:
    frame = saved(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), quality=95)
    red, green, blue = frame.float().mean((1, 2)).tolist()
    assert red > 200 and green < 60 and blue < 60


@pytest.mark.parametrize("interlaced", [False, True])
def test_a_gif_may_be_interlaced(tmp_path: Path, interlaced: bool) -> None:
    frame = saved(tmp_path / "a.gif", Image.fromarray(RAMP), interlace=interlaced)
    assert frame[0].equal(torch.from_numpy(RAMP))


# What a camera wrote and how it was held, by the EXIF standard's numbers: the upright picture is always the same.
HELD = {
    1: lambda upright: upright,
    2: lambda upright: upright.flip(-1),
    3: lambda upright: upright.rot90(2, (-2, -1)),
    4: lambda upright: upright.flip(-2),
    6: lambda upright: upright.rot90(1, (-2, -1)),
    8: lambda upright: upright.rot90(-1, (-2, -1)),
}


@pytest.mark.parametrize("orientation", HELD)
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_a_picture_is_turned_the_way_the_camera_was_held(tmp_path: Path, name: str, orientation: int) -> None:
    upright = torch.zeros(3, 24, 40, dtype=torch.uint8)
    upright[0, :12], upright[1, :, :20] = 255, 255
    stored = HELD[orientation](upright).permute(1, 2, 0).contiguous().numpy()
    exif = Image.Exif()
    exif[0x0112] = orientation
    frame = saved(tmp_path / name, Image.fromarray(stored), exif=exif, quality=95)
    assert frame.shape == upright.shape
    assert (frame.int() - upright.int()).abs().float().mean() < 12
