"""Recognising times that are evenly spaced, and taking them apart into runs away from zero."""

import math
from typing import NamedTuple

from torch import Tensor

from ..backends.protocol import Run


class EvenGrid(NamedTuple):
    """Evenly spaced times: those below zero, from zero away, the others, and whether they were given falling.

    One of the runs may be missing.

    A flow is followed away from zero only. On the way back what grows would have decayed first, and lost its digits.
    """

    before: Run | None
    after: Run | None
    falling: bool


def even_grid(times: Tensor, epsilon: float) -> EvenGrid | None:
    """The grid that `times` (t,) are, each to within a rounding; None for other times, or none at all.

    Waits for the device.

    Args:
        times: of any real dtype.
        epsilon: the spacing of what times are rounded to, relative to each. Near zero some of a step is allowed, which
            is what a rounding of the ends leaves there, and nowhere more than an eighth of a step.
    """
    numbers = times.tolist()
    if not numbers:
        return None
    falling = numbers[-1] < numbers[0]
    if falling:
        numbers.reverse()
    count, first, last = len(numbers), numbers[0], numbers[-1]
    step = (last - first) / max(count - 1, 1)
    if not math.isfinite(step) or not math.isfinite(first):
        return None
    little, most, even = 16 * epsilon * step, step / 8, [first + i * step for i in range(count)]
    if numbers != even and any(
        not abs(e - t) <= min(2 * epsilon * abs(t) + little, most) for e, t in zip(even, numbers, strict=True)
    ):
        return None
    if first >= 0:
        return EvenGrid(None, Run(first, step, count), falling)
    below = next((i for i, t in enumerate(numbers) if t >= 0), count)
    after = Run(numbers[below], step, count - below) if below < count else None
    return EvenGrid(Run(numbers[below - 1], -step, below), after, falling)
