"""What a batch needs that does not fit: how torch says so, and how few rows at a time would fit."""

from collections.abc import Callable

import torch

SAID = (
    "allocate memory",  # a CPU
    "a primitive",  # the same of oneDNN's convolutions, which "could not create" or "execute" one and tell no reason
    "bad_alloc",  # the same of the rest of C++
    "out of memory",  # Apple's GPUs
    "ALLOC_FAILED",  # NVIDIA's libraries
)


class NotEnoughMemory(Exception):
    """A step needs more memory than there is; the weights are as before it.

    Args:
        batch: its rows, in all processes together.
        parts: in so many parts a process's rows were found to fit; None when no number was.
    """

    def __init__(self, batch: int, parts: int | None) -> None:
        super().__init__(batch, parts)
        self.batch, self.parts = batch, parts


def is_out_of_memory(error: Exception) -> bool:
    """Whether it says that memory could not be had."""
    said = isinstance(error, RuntimeError) and any(words in str(error) for words in SAID)
    return said or isinstance(error, MemoryError | torch.OutOfMemoryError)


def parts_that_fit(attempt: Callable[[int], None], parts: int, rows: int) -> int | None:
    """In how many parts `rows` fit: twice as many until the attempt at one goes well, at most one for each row.

    Args:
        attempt: to do the work of one of so many parts; raises where memory does not suffice.
        parts: too few.
    """
    while parts < rows:
        parts = min(2 * parts, rows)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        try:
            attempt(parts)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            return parts
    return None
