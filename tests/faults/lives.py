"""A process that has everything loaded and forks into a training process on request, so that hundreds can die.

Each life begins or resumes the run in a folder, and goes on until the run is finished or the fault of its order comes:
killed at a call or after a time, or refused by the disk at a call.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
SAVE_EVERY = 2
FAILING = ("open", "write", "flush", "close", "fsync", "ftruncate", "replace", "mkdir")  # what a full disk refuses


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to a life.

    Args:
        kill_at: number of the call, counted from 1, at which it is killed; of a write the first half is done.
        kill_after: seconds after its beginning at which it is killed.
        kill_after_step: the step after whose report it is killed.
        fail_at: number of the call, of those that a full disk refuses, that raises; half a write is done.
        error: the number of that error.
        lasting: whether all calls after it raise too.
        largest: bytes that a file may have: the system stops the write that would make it longer, half done.
    """

    kill_at: int | None = None
    kill_after: float | None = None
    kill_after_step: int | None = None
    fail_at: int | None = None
    error: int = 0
    lasting: bool = False
    largest: int | None = None


@dataclass(frozen=True, kw_only=True)
class End:
    """How a life ended.

    Args:
        killed: whether a signal ended it.
        said: "finished", the sentence of a HamvaeError, or a traceback.
        saved: the last step that it knew to be saved; 0 if none.
        calls: the names of the calls to the disk, in turn; of a killed life none.
        memory: MiB that were resident at each report, likewise.
        seconds: that it lasted.
    """

    killed: bool
    said: str = ""
    saved: int = 0
    calls: tuple[str, ...] = ()
    memory: tuple[float, ...] = ()
    seconds: float = 0.0


class Lives:
    """The process that forks, seen from a test."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None and process.stdout is not None
        self._orders: IO[str] = process.stdin
        self._ends: IO[str] = process.stdout

    def live(self, run: Path, steps: int, fault: Fault = Fault(), *, save_every: int = SAVE_EVERY) -> End:
        """Begin or resume the run of so many steps in a folder."""
        order = {"run": str(run), "steps": steps, "save_every": save_every, "fault": asdict(fault)}
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()
        end = json.loads(self._ends.readline())
        return End(**{name: tuple(value) if isinstance(value, list) else value for name, value in end.items()})


@contextmanager
def lives() -> Iterator[Lives]:
    """Such a process, for the time of the block."""
    command = [sys.executable, "-m", "tests.faults.lives"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_DISABLE_JIT": "1"}  # it is there sooner
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield Lives(process)
        process.kill()  # which is quicker than letting it tidy up


def tiny(source: Any, steps: int, save_every: int) -> Any:
    """A configuration that trains in a second."""
    import hamvae_model as hv

    config = hv.build("demo", source=source, steps=steps, seed=3)
    sizes = {"content_dim": 8, "feature_dim": 16, "pairs": 2}
    widths = {"encoder_widths": (4, 4, 4), "decoder_hidden": (16,), "decoder_widths": (4,)}
    rhythm = {"save_every": save_every, "sample_every": 2 * save_every, "warmup": 2}
    return replace(
        config,
        model=replace(config.model, **sizes, **widths),
        training=replace(config.training, batch=2, decoded_frames=1, horizon=16, **rhythm),
    )


def main() -> None:
    import torch

    import hamvae_model as hv
    from hamvae_model.training import loop, preview

    torch.set_num_threads(1)
    preview.SHOWN, preview.SCORED, loop.PRIOR_CLIPS = 1, 6, 4  # a life is short
    source = hv.open_source("builtin", labels="action")
    for line in sys.stdin:
        order = json.loads(line)
        fault = Fault(**order["fault"])
        began = time.perf_counter()
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reading)
            with os.fdopen(writing, "w", buffering=1) as told:
                config = tiny(source, order["steps"], order["save_every"])
                _live(source, config, Path(order["run"]), fault, lambda **known: _tell(told, known))
            os._exit(0)
        os.close(writing)
        if fault.kill_after is not None:
            while time.perf_counter() < began + fault.kill_after and _lives(child):
                time.sleep(0.001)
            os.kill(child, signal.SIGKILL)  # a life that ended before is still there to be waited for
        with os.fdopen(reading) as told:
            known = {name: value for line in told for name, value in json.loads(line).items()}
        _, status = os.waitpid(child, 0)
        known |= {"killed": os.WIFSIGNALED(status), "seconds": time.perf_counter() - began}
        sys.stdout.write(json.dumps(known) + "\n")
        sys.stdout.flush()


def _lives(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _tell(told: IO[str], known: dict[str, object]) -> None:
    told.write(json.dumps(known) + "\n")


def _live(source: Any, config: Any, run: Path, fault: Fault, tell: Callable[..., None]) -> None:
    import hamvae_model as hv
    from hamvae_model.runs import load_config, steps_done

    from .disk import watched

    calls: list[str] = []
    memory: list[float] = []

    def act(name: str, half: Callable[[], object]) -> None:
        calls.append(name)
        if len(calls) == fault.kill_at:
            half()
            os.kill(os.getpid(), signal.SIGKILL)
        number = sum(name in FAILING for name in calls)
        if (
            fault.fail_at
            and name in FAILING
            and (number >= fault.fail_at if fault.lasting else number == fault.fail_at)
        ):
            if number == fault.fail_at:
                half()
            raise OSError(fault.error, os.strerror(fault.error))

    if fault.largest is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.largest, resource.RLIM_INFINITY))
    try:
        with watched(run, act):
            resume = steps_done(run) is not None
            config = load_config(run) if resume else config
            for report in hv.fit(config, run, source=source, resume=resume):
                memory.append(_resident())
                if report.step % config.training.save_every == 0:
                    tell(saved=report.step)
                if report.step == fault.kill_after_step:
                    os.kill(os.getpid(), signal.SIGKILL)
        tell(said="finished", calls=calls, memory=memory)
    except hv.HamvaeError as error:
        tell(said=str(error), calls=calls)
    except BaseException:
        tell(said=traceback.format_exc(), calls=calls)


def _resident() -> float:
    """MiB of this process that are in memory, once what it has freed is given back."""
    with suppress(OSError, AttributeError):  # only the C library of GNU keeps what is freed, and has this
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
