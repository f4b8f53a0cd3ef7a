"""Pictures of any size become square frames and come back."""

import dataclasses
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image

from hamvae_model.clips.clip import Clip
from hamvae_model.clips.framing import composited, framed, resized, restored, straight
from hamvae_model.config.choices import FITS, RESAMPLES
from hamvae_model.config.run import FramingConfig
from hamvae_model.data import Characters
from hamvae_model.errors import HamvaeError

SIZE = 32


def clip(height: int, width: int, *, alpha: torch.Tensor | None = None, frames: int = 2) -> Clip:
    generator = torch.Generator().manual_seed(height * 1000 + width)
    pixels = torch.randint(256, (frames, 3, height, width), dtype=torch.uint8, generator=generator)
    if alpha is not None:
        pixels = (pixels.int() * alpha // 255).byte()
    return Clip(frames=pixels, times=torch.arange(float(frames)), label="walk", source="a.gif", alpha=alpha)


@pytest.mark.parametrize(("fit", "resample"), [*product(FITS, RESAMPLES)])
def test_a_clip_of_the_right_size_keeps_every_bit(fit: str, resample: str) -> None:
    given = clip(SIZE, SIZE)
    assert framed(given, FramingConfig(fit=fit, resample=resample), SIZE).frames.equal(given.frames)


def test_a_character_of_a_source_keeps_every_bit(builtin: Characters) -> None:
    given = builtin.clip("test", "3/walk-left")
    assert framed(given, FramingConfig(), 64).frames.equal(given.frames)


@pytest.mark.parametrize(("fit", "resample"), [*product(FITS, RESAMPLES)])
@pytest.mark.parametrize(("height", "width"), [(20, 48), (48, 20), (33, 31), (200, 3), (1, 1)])
def test_any_picture_becomes_square_and_opaque(fit: str, resample: str, height: int, width: int) -> None:
    result = framed(clip(height, width), FramingConfig(fit=fit, resample=resample), SIZE)
    assert result.frames.shape == (2, 3, SIZE, SIZE)
    assert result.alpha is None
    assert (result.label, result.times.tolist()) == ("walk", [0, 1])


def test_a_letterbox_shows_everything_between_two_margins_of_the_background() -> None:
    given = clip(SIZE // 2, SIZE)
    frames = framed(given, FramingConfig(background=(10, 20, 30)), SIZE).frames
    assert frames[:, :, 8:24].equal(given.frames)
    for margin in (frames[:, :, :8], frames[:, :, 24:]):
        assert margin.eq(torch.tensor([10, 20, 30]).view(1, 3, 1, 1)).all()


def test_a_crop_is_the_middle_of_the_picture() -> None:
    given = clip(SIZE, SIZE + 10)
    assert framed(given, FramingConfig(fit="crop"), SIZE).frames.equal(given.frames[..., 5 : 5 + SIZE])


def test_nearest_invents_no_colour_and_smooth_averages() -> None:
    checks = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 255
    given = dataclasses.replace(clip(64, 64), frames=checks.expand(1, 3, -1, -1).byte())
    nearest = framed(given, FramingConfig(), SIZE).frames
    smooth = framed(given, FramingConfig(resample="smooth"), SIZE).frames
    assert set(nearest.unique().tolist()) <= {0, 255}
    assert (smooth[..., 2:-2, 2:-2].int() - 127).abs().max() <= 2


def test_smooth_is_the_antialiased_resizing_of_other_programs() -> None:
    given = clip(100, 100)
    ours = framed(given, FramingConfig(resample="smooth"), SIZE).frames[0]
    picture = Image.fromarray(given.frames[0].permute(1, 2, 0).contiguous().numpy())
    theirs = torch.from_numpy(np.array(picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR))).permute(2, 0, 1)
    assert (ours.int() - theirs.int()).abs().max() <= 1


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("height", "width"), [(SIZE, SIZE), (24, 24), (20, 31), (7, 5), (1, 32)])
def test_pixel_art_that_was_enlarged_comes_back_exactly(fit: str, height: int, width: int) -> None:
    given, config = clip(height, width), FramingConfig(fit=fit)
    back = restored(framed(given, config, SIZE).frames, given, config)
    whole = given.frames
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    assert back.equal(whole[..., top : top + side, left : left + side] if fit == "crop" else whole)


@pytest.mark.parametrize("resample", RESAMPLES)
@pytest.mark.parametrize(("fit", "size"), [("letterbox", (90, 120)), ("stretch", (90, 120)), ("crop", (90, 90))])
def test_what_comes_back_has_the_size_of_the_input(fit: str, size: tuple[int, int], resample: str) -> None:
    given, config = clip(90, 120), FramingConfig(fit=fit, resample=resample)
    assert restored(framed(given, config, SIZE).frames, given, config).shape[-2:] == size


def test_transparency_shows_the_background_as_pillow_composites_it() -> None:
    alpha = torch.randint(256, (2, 1, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))
    straight = torch.randint(256, (2, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(6))
    over_black = ((straight.int() * alpha.int() + 127) // 255).byte()
    given = dataclasses.replace(clip(SIZE, SIZE), frames=over_black, alpha=alpha)
    ours = composited(given, (200, 100, 50))[0]
    layer = Image.fromarray(torch.cat([straight[0], alpha[0]]).permute(1, 2, 0).contiguous().numpy())
    theirs = Image.alpha_composite(Image.new("RGBA", (SIZE, SIZE), (200, 100, 50, 255)), layer).convert("RGB")
    assert (ours.int() - torch.from_numpy(np.array(theirs)).permute(2, 0, 1).int()).abs().max() <= 1


@pytest.mark.parametrize("wrong", [{"fit": "zoom"}, {"resample": "cubic"}, {"background": (0, 0)}])
def test_a_framing_that_does_not_exist_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(HamvaeError, match=f"framing configuration is not usable: {next(iter(wrong))} must be"):
        FramingConfig(**wrong)


def test_straight_colours_are_those_that_were_laid_over_black() -> None:
    alpha = (torch.arange(SIZE * SIZE) % 2 * 255).byte().view(1, 1, SIZE, SIZE).expand(2, -1, -1, -1)
    given = clip(SIZE, SIZE, alpha=alpha)
    assert straight(given)[:, 3:].equal(alpha)
    assert straight(given)[:, :3].equal(given.frames)
    assert straight(clip(SIZE, SIZE))[:, 3].min() == 255


def test_half_transparent_colours_come_back_within_a_rounding() -> None:
    alpha = torch.full((2, 1, SIZE, SIZE), 128, dtype=torch.uint8)
    colour = torch.randint(256, (2, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(7))
    over_black = ((colour.int() * 128 + 127) // 255).byte()
    given = dataclasses.replace(clip(SIZE, SIZE), frames=over_black, alpha=alpha)
    assert (straight(given)[:, :3].int() - colour.int()).abs().max() <= 2


def test_a_clip_takes_its_transparency_along_to_another_size() -> None:
    alpha = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    alpha[..., 2:6, 2:6] = 255
    larger = resized(clip(8, 8, alpha=alpha), 16, 32)
    assert larger.frames.shape == (2, 3, 16, 32) and larger.alpha is not None
    assert larger.alpha[0, 0, :, 8:24].equal(alpha[0, 0].repeat_interleave(2, 0).repeat_interleave(2, 1))
    assert larger.alpha[..., :8].max() == larger.alpha[..., 24:].max() == 0
