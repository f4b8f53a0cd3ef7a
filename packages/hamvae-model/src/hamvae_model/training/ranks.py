"""The processes that train one model together: which rows of a batch each takes, and what they tell each other.

torchrun starts them; the group is torch.distributed's, with NCCL between GPUs and gloo between CPUs. A process that was
not started so is alone, and asks nobody.
"""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as group
from torch import Tensor, nn

from ..errors import OtherProcessError, UsageError
from .meeting import fresh_part
from .views import share

Result = TypeVar("Result")

TOLD_BY_TORCHRUN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
PATIENCE = timedelta(hours=2)  # the first process of a machine may decode for long; torchrun tells of those that died


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process among those of the run.

    Args:
        rank: its number; number 0 alone writes and speaks.
        size: how many there are.
        device: where tensors must be to be exchanged.
    """

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @classmethod
    def current(cls) -> "Ranks":
        """Those of the process group that was joined; else one alone."""
        if not (group.is_available() and group.is_initialized()):
            return cls()
        device = "cuda" if group.get_backend() == "nccl" else "cpu"
        return cls(rank=group.get_rank(), size=group.get_world_size(), device=device)

    @property
    def command(self) -> str:
        """`hamvae train` as it is started in so many processes; what torchrun needs on several machines is left out."""
        if self.size == 1:
            return "hamvae train"
        here = os.environ.get("GROUP_WORLD_SIZE", "1") == "1"
        return f"torchrun {f'--standalone --nproc-per-node {self.size}' if here else '...'} -m hamvae_cli train"

    def rows(self, batch: int) -> slice:
        """Its rows of a batch.

        Raises: UsageError: there are not as many rows as processes.
        """
        if batch < self.size:
            raise UsageError(
                f"A batch of {batch} cannot be shared among {self.size} processes; start at most {batch}, or begin a "
                "run with a larger --batch."
            )
        return share(batch, self.size, self.rank)

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model, whose gradients are then averaged over the processes while they are computed."""
        if self.size == 1:
            return model
        return nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True)

    def total(self, values: Tensor) -> Tensor:
        """The sum over the processes; the same to the bit in each."""
        if self.size == 1:
            return values
        summed = values.to(self.device)
        with lost_connections():
            group.all_reduce(summed)
        return summed

    def agreed(self, answer: int) -> int:
        """What number 0 answers."""
        return int(self.total(torch.tensor(int(answer) if self.rank == 0 else 0)))  # of one type, whatever is asked

    def first(self, action: Callable[[], object]) -> None:
        """Number 0 acts, and the others wait.

        Raises: what the action raises; in the others, OtherProcessError.
        """
        self._together(action if self.rank == 0 else lambda: None)

    def in_turn(self, action: Callable[[], Result]) -> Result:
        """The first process of each machine acts, then the others on what that left on its disk.

        Raises: what the action raises; in the others, OtherProcessError.
        """
        if self.size == 1:
            return action()
        leads = os.environ.get("LOCAL_RANK", "0") == "0"
        made: list[Result] = []
        for turn in (True, False):
            self._together(lambda: made.append(action()) if leads is turn else None)  # noqa: B023
        return made[0]

    def _together(self, action: Callable[[], object]) -> None:
        """Act, and learn whether all the others could."""
        failure: Exception | None = None
        try:
            action()
        except Exception as error:
            failure = error
        failed = self.total(torch.tensor(float(failure is not None)))
        if failure is not None:
            raise failure
        if failed:
            raise OtherProcessError("Another process of this run failed and says why; this one ends with it.")


ALONE = Ranks()


@contextmanager
def joined(device: str) -> Generator[Ranks, None, None]:
    """Join the processes that torchrun started, and leave them at the end; alone when it started none.

    Args: device: as `choose_device` names it; of several GPUs, each process takes the one of its number.

    Raises: UsageError: the device cannot be shared, or there are fewer GPUs than processes on this machine.
    """
    if not all(name in os.environ for name in TOLD_BY_TORCHRUN):
        yield ALONE
        return
    backend = {"cuda": "nccl", "cpu": "gloo"}.get(device)
    if backend is None:
        raise UsageError(f"Processes cannot train together on {device}; use --device cpu, or one process.")
    if device == "cuda":
        local, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= there:
            raise UsageError(f"This machine has {there} GPUs, one for each process; start no more with torchrun.")
        torch.cuda.set_device(local)
    with lost_connections():
        store, rank, size = next(group.rendezvous("env://", timeout=PATIENCE))  # type: ignore[attr-defined]
        part = fresh_part(store, rank, size)
        group.init_process_group(backend, store=part, rank=rank, world_size=size, timeout=PATIENCE)
    yield Ranks.current()
    group.destroy_process_group()  # after an error it could wait for processes that wait for this one: end with it


@contextmanager
def lost_connections() -> Generator[None, None, None]:
    """Raises: OtherProcessError: instead of what torch raises when a process of the group has ended."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, group.DistError) and not any(word in str(error) for word in ("gloo", "NCCL")):
            raise
        raise OtherProcessError(
            "Another process of this run has ended, and so does this one; what was saved is kept."
        ) from None
