"""The momentum looks back over whole units of time, whatever the clip's rate."""

import torch

from hamvae_model.network.history import lookback


def test_an_evenly_sampled_clip_is_looked_at_frame_by_frame() -> None:
    indices, seen = lookback(torch.arange(8.0).expand(1, -1), torch.tensor([5]), 3)
    assert (indices.tolist(), seen.tolist()) == ([[3, 4, 5]], [[True, True, True]])


def test_what_lies_before_the_first_frame_is_not_seen() -> None:
    indices, seen = lookback(torch.arange(8.0).expand(1, -1), torch.tensor([1]), 3)
    assert (indices.tolist(), seen.tolist()) == ([[0, 0, 1]], [[False, True, True]])


def test_a_clip_at_twice_the_rate_is_looked_at_every_other_frame() -> None:
    indices, seen = lookback(torch.arange(12.0).expand(1, -1) / 2, torch.tensor([9]), 3)
    assert (indices.tolist(), seen.tolist()) == ([[5, 7, 9]], [[True, True, True]])


def test_a_clip_too_slow_for_a_frame_in_each_unit_is_seen_through_holes() -> None:
    _, seen = lookback(3 * torch.arange(6.0).expand(1, -1), torch.tensor([4]), 4)
    assert seen.tolist() == [[True, False, False, True]]


def test_no_frame_after_the_reference_is_looked_at() -> None:
    times = torch.tensor([[0.0, 1.0, 1.9, 2.1, 3.0]])
    indices, _ = lookback(times, torch.tensor([2]), 1)
    assert indices.tolist() == [[2]]
