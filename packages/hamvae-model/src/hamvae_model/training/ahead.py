"""Batches prepared ahead: threads draw those of the next steps while this one is computed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from .views import Draw


class Ahead:
    """What steps look at, in their order.

    Threads, because a clip's frames lie in memory that processes would copy, and composing or reading them holds
    Python's lock for moments only.

    Args:
        draw: makes the draw of a step, from its number alone; so it does not matter who makes it, and when.
        workers: how many threads; with none, a draw is made when it is asked for.
        last: the number of the last step.
    """

    def __init__(self, draw: Callable[[int], Draw], workers: int, last: int) -> None:
        self._draw, self._workers, self._last = draw, workers, last
        self._pool = ThreadPoolExecutor(workers, "draw") if workers else None
        self._coming: dict[int, Future[Draw]] = {}

    def __call__(self, step: int) -> Draw:
        """The draw of a step. Raises: what making it raised."""
        if self._pool is None:
            return self._draw(step)
        for number in range(step, min(step + self._workers, self._last) + 1):
            if number not in self._coming:
                self._coming[number] = self._pool.submit(self._draw, number)
        return self._coming.pop(step).result()

    def close(self) -> None:
        """Let the threads finish what they are at, and end them."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
