"""How training is carried out: what changes its speed and memory, and nothing of what is learned. No torch here."""

from dataclasses import dataclass

from ..errors import UsageError

WORKERS_LIMIT = 64  # threads of one process, each with a batch in hand


@dataclass(frozen=True, kw_only=True)
class Execution:
    """What a run may change whenever it is resumed.

    Args:
        accumulate: the parts in which a process takes its rows of a batch, one after the other, to need less memory.
        workers: threads that prepare the batches of the next steps meanwhile.
        compile: compile the network before the first step.
        deterministic: use only operations whose result is the same every time; slower on a GPU.
    """

    accumulate: int = 1
    workers: int = 0
    compile: bool = False
    deterministic: bool = False

    def __post_init__(self) -> None:
        """Raises: UsageError: no part at all, fewer threads than none, or more than `WORKERS_LIMIT`."""
        if self.accumulate < 1 or not 0 <= self.workers <= WORKERS_LIMIT:
            raise UsageError(
                f"A batch is taken in at least one part and prepared by 0 to {WORKERS_LIMIT} workers; got accumulate "
                f"{self.accumulate} and workers {self.workers}."
            )
