"""The built-in characters: every value looks different, every motion moves, every frame fits its cell."""

import hashlib
import itertools
import subprocess
import sys

import pytest
import torch

from hamvae_model.data.composed.builtin import ACTIONS, ATTRIBUTES, DIRECTIONS, FRAMES, SIZE, VALUES, draw_layers

MOTIONS = [f"{action}-{direction}" for action in ACTIONS for direction in DIRECTIONS]


@pytest.fixture(scope="module")
def layers() -> torch.Tensor:
    return draw_layers()


def composite(layers: torch.Tensor, character: tuple[int, ...]) -> torch.Tensor:
    """(motions, frames, 3, h, w) of one character over black, one value for each attribute."""
    canvas = torch.zeros(*layers.shape[2:4], 3, SIZE, SIZE, dtype=torch.uint8)
    for layer, value in zip(layers, character, strict=True):
        canvas = torch.where(layer[value, :, :, 3:] == 255, layer[value, :, :, :3], canvas)
    return canvas


def changed(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """How many pixels differ, for each leading index of two sets of pictures (..., c, h, w)."""
    return (a != b).any(dim=-3).sum(dim=(-2, -1))


def test_there_is_a_name_for_every_cell(layers: torch.Tensor) -> None:
    assert tuple(VALUES) == ATTRIBUTES
    assert {len(set(names)) for names in VALUES.values()} == {6}
    assert layers.shape == (len(ATTRIBUTES), 6, len(MOTIONS), FRAMES, 4, SIZE, SIZE)
    assert layers.dtype == torch.uint8


def test_a_pixel_is_opaque_or_absent_and_colourless_when_absent(layers: torch.Tensor) -> None:
    alpha = layers[..., 3:, :, :]
    assert ((alpha == 0) | (alpha == 255)).all()
    assert (layers[..., :3, :, :] * (alpha == 0)).max() == 0


def test_drawing_again_gives_the_same_cells_and_a_caller_may_write_into_them(layers: torch.Tensor) -> None:
    draw_layers().zero_()
    assert torch.equal(draw_layers(), layers)


DRAW_AND_REPORT = """
import hashlib, time
from hamvae_model.data.composed.builtin import draw_layers
start = time.process_time()
cells = draw_layers()
print(time.process_time() - start, hashlib.sha256(cells.numpy().tobytes()).hexdigest())
"""


def test_a_fresh_process_draws_the_same_cells_within_three_seconds(layers: torch.Tensor) -> None:
    command = [sys.executable, "-c", DRAW_AND_REPORT]
    seconds, digest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert digest == hashlib.sha256(layers.numpy().tobytes()).hexdigest()
    assert float(seconds) < 3


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_value_changes_the_character_in_every_frame_of_every_motion(layers: torch.Tensor, attribute: str) -> None:
    position = ATTRIBUTES.index(attribute)
    for others in ((0, 0, 0, 0), (1, 2, 3, 4), (4, 5, 1, 2)):
        looks = [composite(layers, (*others[:position], value, *others[position + 1 :])) for value in range(6)]
        for one, other in itertools.combinations(looks, 2):
            assert changed(one, other).min() >= 25


@pytest.mark.parametrize("motion", range(len(MOTIONS)), ids=MOTIONS)
def test_no_two_frames_of_a_clip_are_alike(layers: torch.Tensor, motion: int) -> None:
    clip = composite(layers, (0, 0, 0, 0))[motion]
    for one, other in itertools.combinations(clip, 2):
        assert changed(one, other) >= 40


@pytest.mark.parametrize("motion", range(len(MOTIONS)), ids=MOTIONS)
def test_a_clip_is_a_smooth_loop(layers: torch.Tensor, motion: int) -> None:
    """The silhouettes of neighbouring frames overlap, those of the last and the first as much as the others."""
    figure = (composite(layers, (0, 0, 0, 0))[motion] > 0).any(dim=1)
    following = figure.roll(-1, dims=0)
    overlap = (figure & following).sum(dim=(1, 2)) / (figure | following).sum(dim=(1, 2))
    assert overlap.min() > 0.45
    assert overlap[-1] >= 0.9 * overlap[:-1].min()


def test_motions_differ_at_every_phase(layers: torch.Tensor) -> None:
    clips = composite(layers, (0, 0, 0, 0))
    for one, other in itertools.combinations(clips, 2):
        for shift in range(FRAMES):
            assert changed(one, other.roll(shift, dims=0)).float().mean() > 150


def test_right_is_left_in_a_mirror(layers: torch.Tensor) -> None:
    left, right = (layers[:, :, DIRECTIONS.index(name) :: len(DIRECTIONS)] for name in ("left", "right"))
    assert torch.equal(right, left.flip(-1))


def test_every_figure_stays_inside_its_cell(layers: torch.Tensor) -> None:
    covered = (layers[..., 3, :, :] > 0).flatten(0, -3).any(dim=0)
    border = torch.ones(SIZE, SIZE, dtype=torch.bool)
    border[1:-1, 1:-1] = False
    assert not (covered & border).any()


def test_the_figure_is_about_fifty_pixels_tall_and_stands_on_one_ground(layers: torch.Tensor) -> None:
    rows = (composite(layers, (0, 0, 0, 0)) > 0).any(dim=2).any(dim=3)  # (motions, frames, rows)
    top = rows.int().argmax(dim=2)
    bottom = SIZE - 1 - rows.flip(2).int().argmax(dim=2)
    walking = [MOTIONS.index(f"walk-{direction}") for direction in DIRECTIONS]
    assert ((bottom - top)[walking] >= 46).all() and ((bottom - top)[walking] <= 56).all()
    assert bottom.max() - bottom.min() <= 3
