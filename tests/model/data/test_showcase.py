"""Clips put together: every clip in its place, for as long as the longest plays."""

import dataclasses

import pytest
import torch

from hamvae_model.clips.clip import Clip
from hamvae_model.data import clip_rows, grid, in_step, side_by_side
from hamvae_model.errors import UsageError


def clip(frames: int, height: int = 4, width: int = 4, *, period: int | None = None) -> Clip:
    pixels = torch.randint(
        256, (frames, 3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(frames)
    )
    return Clip(frames=pixels, times=torch.arange(float(frames)), label="walk", source="a.gif", period=period)


def test_clips_beside_each_other_play_together() -> None:
    one, other = clip(3), clip(3)
    frames = side_by_side([one, other])
    assert frames[..., :4].equal(one.frames) and frames[..., 4:].equal(other.frames)


def test_a_shorter_clip_repeats_when_it_is_periodic_and_stands_still_otherwise() -> None:
    frames = side_by_side([clip(5), clip(2, period=2), clip(2)])
    short = clip(2).frames
    assert frames[..., 4:8].equal(short[[0, 1, 0, 1, 0]])
    assert frames[..., 8:].equal(short[[0, 1, 1, 1, 1]])


def test_clips_that_change_frames_together_keep_their_durations() -> None:
    shown, durations = in_step([clip(2, period=2), clip(3)], [[0.1, 0.25], [0.1, 0.25, 0.4]])
    assert [frames.tolist() for frames in shown] == [[0, 1, 0], [0, 1, 2]]
    assert durations == [0.1, 0.25, 0.4]


def test_clips_of_different_rates_play_beside_each_other_each_at_its_own() -> None:
    slow, fast, turning = clip(2), clip(6), clip(3, period=3)
    shown, durations = in_step([slow, fast, turning], [[0.3, 0.3], [0.1] * 6, [0.1] * 3])
    assert [frames.tolist() for frames in shown] == [[0, 0, 0, 1, 1, 1], [0, 1, 2, 3, 4, 5], [0, 1, 2, 0, 1, 2]]
    assert durations == [0.1] * 6
    assert grid([[slow, fast, turning]], shown)[..., :4].equal(slow.frames[[0, 0, 0, 1, 1, 1]])


def test_a_clip_that_ends_holds_its_last_frame_while_a_slower_one_goes_on() -> None:
    shown, _ = in_step([clip(2), clip(3)], [[0.1, 0.1], [0.2, 0.2, 0.2]])
    assert shown[0].tolist() == [0, 1, 1, 1, 1, 1]


def test_a_table_has_its_rows_below_each_other_and_its_empty_places_black() -> None:
    a, b, c = clip(2), clip(3), clip(4)
    frames = grid([[None, a], [b, c]])
    assert frames.shape == (4, 3, 8, 8)
    assert frames[:, :, :4, :4].max() == 0
    assert frames[:3, :, 4:, :4].equal(b.frames) and frames[:, :, 4:, 4:].equal(c.frames)


def test_a_smaller_clip_is_enlarged_in_its_proportions() -> None:
    small = clip(2, 2, 4)
    frames = side_by_side([clip(2, 8, 8), small])
    enlarged = small.frames.repeat_interleave(2, -1).repeat_interleave(2, -2)
    assert frames[:, :, 2:6, 8:].equal(enlarged)
    assert frames[:, :, :2, 8:].max() == 0


def test_transparency_is_kept_only_if_it_is_asked_for() -> None:
    alpha = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    alpha[..., :2] = 255
    hole = dataclasses.replace(clip(2), frames=clip(2).frames * (alpha > 0), alpha=alpha)
    assert grid([[hole, None]]).shape[1] == 3
    clear = grid([[hole, None, clip(2)]], transparent=True)
    assert clear[:, 3:, :, :4].equal(alpha)
    assert clear[:, 3, :, 4:8].max() == 0 and clear[:, 3, :, 8:].min() == 255


def test_clips_of_any_size_stand_in_rows() -> None:
    assert clip_rows([clip(3), clip(2, 8, 8)]).shape[-2] == 2 * 8 + 3


def test_nothing_is_nothing_to_show() -> None:
    with pytest.raises(UsageError, match="no clip to show"):
        grid([[None]])
