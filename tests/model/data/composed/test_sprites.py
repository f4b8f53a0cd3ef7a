"""The real Sprites sheets, cut and composed as the data set's own generator does it."""

import numpy as np
import pytest
import torch
from PIL import Image

from hamvae_model.data import Characters
from hamvae_model.data.composed.sprites import CELLS, sprites_root

SHEETS = ("body", "bottomwear", "topwear", "hair")

# Cells in playing order, written out as the protocol states them.
PROTOCOL = {
    "walk-left": [125, 118, 119, 120, 121, 122, 123, 124],
    "walk-front": [138, 131, 132, 133, 134, 135, 136, 137],
    "walk-right": [151, 144, 145, 146, 147, 148, 149, 150],
    "spellcard-left": [13, 14, 15, 16, 17, 18, 17, 19],
    "spellcard-front": [26, 27, 28, 29, 30, 31, 30, 32],
    "spellcard-right": [39, 40, 41, 42, 43, 44, 43, 45],
    "slash-left": [169, 170, 171, 172, 173, 174, 173, 169],
    "slash-front": [182, 183, 184, 185, 186, 187, 186, 182],
    "slash-right": [195, 196, 197, 198, 199, 200, 199, 195],
}


def rendered_by_pillow(values: list[int], cells: list[int]) -> np.ndarray:
    """(t, 64, 64, 3): whole sheets laid over black by Pillow, then cut."""
    sheet = Image.new("RGBA", (832, 1344), (0, 0, 0, 255))
    for name, value in [*zip(SHEETS, values, strict=True), ("shoes", 1)]:
        sheet = Image.alpha_composite(sheet, Image.open(sprites_root() / name / f"{value}.png").convert("RGBA"))
    pixels = np.asarray(sheet)[..., :3]
    corners = [(cell // 13 * 64, cell % 13 * 64) for cell in cells]
    return np.stack([pixels[y : y + 64, x : x + 64] for y, x in corners])


def test_the_cells_follow_the_protocol(sprites: Characters) -> None:
    assert {motion: list(cells) for motion, cells in zip(sprites.motions, CELLS, strict=True)} == PROTOCOL


def test_there_are_9000_clips_to_learn_from_and_2664_to_test_of_nine_classes(sprites: Characters) -> None:
    assert sprites.splits == {"train": 8550, "validation": 450, "test": 2664}
    assert sprites.classes == tuple(PROTOCOL)


@pytest.mark.parametrize("character", [0, 17, 101, 295])
def test_a_composed_clip_equals_pillows_render_to_the_last_bit(sprites: Characters, character: int) -> None:
    code = int(np.random.RandomState(423).permutation(1296)[1000 + character])
    values = [code // 216, code // 36 % 6, code // 6 % 6, code % 6]
    for motion, cells in PROTOCOL.items():
        clip = sprites.clip("test", f"{character}/{motion}")
        np.testing.assert_array_equal(
            clip.frames.permute(0, 2, 3, 1).numpy(), rendered_by_pillow(values, cells), err_msg=motion
        )


def test_no_value_of_an_attribute_repeats_another(sprites: Characters) -> None:
    for attribute, cells in zip(SHEETS, sprites._cells, strict=False):
        assert len({cells[value].numpy().tobytes() for value in range(6)}) == 6, attribute


def test_frame_numbers_wrap_around_with_the_period(sprites: Characters) -> None:
    clips = torch.arange(9)
    later = sprites.frames("train", clips, torch.arange(8, 16).expand(9, -1))
    assert later.equal(sprites.clips("train", clips).frames)
