"""Which frames the momentum is read from: those that stand whole units of time before the reference frame.

A clip at twice the model's rate is looked at every other frame, so that what the model takes for speed is speed.
"""

import torch
from torch import Tensor

NEAR = 0.5  # units: a frame stands for a moment that is nearer than this


def lookback(times: Tensor, reference: Tensor, history: int) -> tuple[Tensor, Tensor]:
    """The frames nearest to 0, 1, …, `history` − 1 units before the reference frame.

    Args:
        times: float (b, t), ascending.
        reference: int64 (b,), the number of a frame.
        history: w, how many.

    Returns:
        indices: int64 (b, w), oldest first; the last is `reference`.
        seen: bool (b, w), whether a frame stands within half a unit of that moment, not after the reference.
    """
    moments = times.gather(1, reference.unsqueeze(1)) - torch.arange(history - 1, -1, -1).to(times)
    distance = (times.unsqueeze(1) - moments.unsqueeze(2)).abs()  # (b, w, t)
    later = torch.arange(times.shape[1], device=times.device) > reference.unsqueeze(1)
    nearest = distance.masked_fill(later.unsqueeze(1), torch.inf).min(2)
    return nearest.indices, nearest.values < NEAR
