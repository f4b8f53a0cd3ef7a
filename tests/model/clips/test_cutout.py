"""A figure comes out of its background with everything that belongs to it."""

import torch

from hamvae_model.clips.cutout import cut_out


def picture() -> torch.Tensor:
    """A white ring (1, 3, 9, 9) on a black that is not quite black; its hole is as black."""
    frames = torch.full((1, 3, 9, 9), 12, dtype=torch.uint8)
    frames[..., 2:7, 2:7] = 255
    frames[..., 4, 4] = 12
    return frames


def test_what_is_around_the_figure_becomes_clear() -> None:
    cut = cut_out(picture(), (0, 0, 0))
    assert cut.shape == (1, 4, 9, 9)
    expected = torch.zeros(9, 9, dtype=torch.uint8)
    expected[2:7, 2:7] = 255
    assert cut[0, 3].equal(expected)


def test_colours_stay_as_they_are() -> None:
    assert cut_out(picture(), (0, 0, 0))[:, :3].equal(picture())


def test_a_hole_that_opens_to_the_border_is_background() -> None:
    frames = picture()
    frames[..., 4, 5:] = 12
    assert cut_out(frames, (0, 0, 0))[0, 3, 4, 4:].tolist() == [0] * 5


def test_only_the_colour_of_the_background_becomes_clear() -> None:
    assert cut_out(picture(), (200, 0, 0))[:, 3].min() == 255


def test_a_figure_that_fills_the_frame_stays_whole() -> None:
    assert cut_out(torch.full((2, 3, 4, 4), 255, dtype=torch.uint8), (0, 0, 0))[:, 3].min() == 255
