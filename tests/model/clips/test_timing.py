"""Time as a real number: which moments are shown, and for how long."""

import dataclasses

import pytest
import torch

import hamvae_model as hv
from hamvae_model.clips.clip import Clip
from hamvae_model.clips.timing import FPS, Timing, in_units
from hamvae_model.errors import UsageError

EVEN = torch.arange(8.0)
UNEVEN = torch.tensor([0.0, 1.0, 4.0, 5.0])


def clip(times: torch.Tensor, frame_seconds: float | None) -> Clip:
    frames = torch.zeros(len(times), 3, 2, 2, dtype=torch.uint8)
    return Clip(frames=frames, times=times, label=None, source="", frame_seconds=frame_seconds)


@pytest.mark.parametrize(("seconds", "unit"), [(0.2, None), (None, 0.1), (None, None)])
def test_a_frame_is_a_unit_where_a_clock_is_missing(seconds: float | None, unit: float | None) -> None:
    times, _, lasting = in_units(clip(UNEVEN, seconds), unit, None)
    assert times.equal(UNEVEN) and lasting == (seconds or unit)


def test_real_time_decides_between_clocks() -> None:
    times, _, lasting = in_units(clip(UNEVEN, 0.2), 0.1, None)
    assert times.tolist() == [0, 2, 8, 10] and lasting == pytest.approx(0.1)


@pytest.mark.parametrize("seconds", [0.07, 0.08, 0.1, 0.125, 0.15])
def test_one_turn_at_about_the_tempo_of_the_model_is_one_turn_and_keeps_its_clock(seconds: float) -> None:
    times, _, lasting = in_units(clip(EVEN, seconds), 0.1, 8.0)
    assert times.tolist() == pytest.approx(EVEN.tolist())
    assert lasting == pytest.approx(seconds)


def test_one_turn_may_have_more_frames_than_the_model_has_units() -> None:
    times, _, lasting = in_units(clip(torch.arange(12.0), 0.08), 0.1, 8.0)
    assert times.tolist() == pytest.approx([t * 8 / 12 for t in range(12)])
    assert lasting * 8 / 12 == pytest.approx(0.08)


@pytest.mark.parametrize("frames", [3, 40])
def test_a_part_of_a_turn_or_many_turns_are_taken_by_the_clock(frames: int) -> None:
    times, *_ = in_units(clip(torch.arange(float(frames)), 0.1), 0.1, 8.0)
    assert times.tolist() == pytest.approx(list(range(frames)))


@pytest.mark.parametrize("times", [EVEN, UNEVEN])
def test_a_motion_is_shown_at_its_own_times_unless_something_else_is_asked_for(times: torch.Tensor) -> None:
    assert Timing().moments(times).equal(times)


def test_a_quarter_of_the_speed_has_three_new_moments_between_every_two() -> None:
    moments = Timing(speed=0.25).moments(EVEN)
    assert len(moments) == 32
    assert moments[::4].equal(EVEN) and moments.diff().unique().tolist() == [0.25]


def test_at_another_speed_uneven_times_become_even() -> None:
    assert Timing(speed=2.0).moments(UNEVEN).tolist() == [0, 2, 4]


def test_more_frames_go_on_and_fewer_stop_early() -> None:
    assert Timing(frames=6).moments(UNEVEN).tolist() == [0, 1, 4, 5, 6, 7]
    assert Timing(frames=2).moments(UNEVEN).tolist() == [0, 1]
    assert Timing(frames=3, speed=0.5).moments(EVEN).tolist() == [0, 0.5, 1]


def test_a_start_may_lie_between_frames_and_before_the_first() -> None:
    assert Timing(start=2.5, frames=3).moments(EVEN).tolist() == [2.5, 3.5, 4.5]
    assert Timing(start=-1.0).moments(UNEVEN).tolist() == [-1, 0, 3, 4]


def test_reverse_shows_the_same_moments_backward() -> None:
    asked = Timing(start=2.5, speed=0.5, frames=5)
    assert dataclasses.replace(asked, reverse=True).moments(EVEN).equal(asked.moments(EVEN).flip(0))


def test_thousands_of_moments_stay_where_they_belong() -> None:
    moments = Timing(frames=10_000, speed=0.1).moments(EVEN)
    assert moments[-1].item() == pytest.approx(999.9, abs=1e-4)


def test_a_frame_lasts_as_long_as_at_its_source() -> None:
    assert Timing().durations(UNEVEN, 0.1) == pytest.approx([0.1, 0.3, 0.1, 0.1])
    assert Timing().durations(EVEN, None) == pytest.approx([1 / FPS] * 8)


def test_the_last_frame_lasts_as_long_as_at_its_source_forward_and_backward() -> None:
    holding = dataclasses.replace(clip(EVEN, 0.1), lasting=5.0)
    for asked, durations in ((Timing(), [0.1] * 7 + [0.5]), (Timing(reverse=True), [0.5] + [0.1] * 7)):
        shown = asked.of(holding)
        assert asked.durations(shown.times, shown.frame_seconds, shown.lasting) == pytest.approx(durations)
    assert Timing(frames=6).of(holding).lasting == 1


def test_a_turn_is_over_when_its_last_frame_is() -> None:
    holding = dataclasses.replace(clip(torch.arange(6.0), 0.1), lasting=3.0)
    times, lasting, _ = in_units(holding, 0.1, 8.0)
    assert times.tolist() == pytest.approx(list(range(6))) and lasting == pytest.approx(3)


def test_fps_says_how_many_units_pass_in_a_second() -> None:
    assert Timing(fps=20).durations(UNEVEN, 0.1) == pytest.approx([0.05, 0.15, 0.05, 0.05])


def test_slow_motion_shows_each_of_its_frames_as_long_as_a_whole_one() -> None:
    asked = Timing(speed=0.25, reverse=True)
    assert asked.durations(asked.moments(EVEN), 0.1) == pytest.approx([0.1] * 32)


def test_a_single_frame_lasts_a_unit() -> None:
    assert Timing().durations(EVEN[:1], 0.1) == [0.1]


@pytest.mark.parametrize("wrong", [{"speed": 0.0}, {"speed": -1.0}, {"fps": 0.0}, {"fps": float("inf")}])
def test_a_speed_that_is_not_above_zero_is_refused_with_the_way_to_go_backward(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"must be above 0; got .* To play backward, reverse\."):
        Timing(**wrong)


def test_no_frames_are_refused() -> None:
    with pytest.raises(UsageError, match="at least one frame; got 0"):
        Timing(frames=0)


@pytest.mark.parametrize(
    "asked", [Timing(speed=1e-12), Timing(speed=5e-324), Timing(frames=10**12), Timing(frames=10**12, speed=1.0)]
)
def test_more_frames_than_anybody_watches_are_refused(asked: Timing) -> None:
    with pytest.raises(UsageError, match=r"would make .* frames, and at most 10 million are made"):
        asked.moments(EVEN)


def test_a_clip_is_shown_in_one_line() -> None:
    assert repr(hv.open_clip("builtin:test/3/walk-left")) == (
        "<Clip 'walk-left', 8 frames of 64x64, from 'builtin:test/3/walk-left'>"
    )
