"""Time on a GPU: calls between two events of its own clock, and the roofline they are seen against."""

import statistics
import sys
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from symplectic_ops import explain

Call = Callable[[], object]
Elapsed = Callable[[Call, int], float]  # seconds of one of so many calls

ROUNDS = 15
BLOCK = 5e-3  # seconds a contender runs before the next one's turn


def require_gpu(script: str) -> None:
    """Leave with exit code 2 and one sentence where there is nothing to measure."""
    if not torch.cuda.is_available():
        reason = "torch sees no CUDA GPU here: run it on a machine that has one"
    elif explain(torch.zeros(1, 2, 2, device="cuda")).backend != "gpu":
        reason = 'the kernels do not run here: install the extra `gpu` (pip install "./packages/symplectic-ops[gpu]")'
    else:
        return
    print(f"{script} measures kernels on a GPU, and {reason}.", file=sys.stderr)
    raise SystemExit(2)


def by_events(call: Call, count: int) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(count):
        call()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) * 1e-3 / count


def measured(calls: dict[str, Call], elapsed: Elapsed) -> dict[str, float | None]:
    """Median seconds of each contender, all taking turns; None for one that does not find the memory."""
    counts: dict[str, int] = {}
    for name, call in calls.items():
        try:
            elapsed(call, 2)  # compiles, and fills caches
            counts[name] = max(1, round(BLOCK / elapsed(call, 2)))
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
    times: dict[str, list[float]] = {name: [] for name in counts}
    for _ in range(ROUNDS):
        for name, own in times.items():
            own.append(elapsed(calls[name], counts[name]))
    return {name: statistics.median(times[name]) if name in times else None for name in calls}


def recorded(call: Call) -> Call:
    """The same call as a recorded graph of kernels: launching costs next to nothing, so what is left is the kernels."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kept = call()

    def replay() -> object:
        graph.replay()
        return kept

    return replay


class Roofline(NamedTuple):
    """Bytes copied and multiply-adds done in a second: as `copy_` and `matmul` in full precision reach them here."""

    bytes: float
    multiply_adds: dict[str, float]


def roofline(dtypes: dict[str, torch.dtype], device: str, elapsed: Elapsed, *, size: int = 8192) -> Roofline:
    source = torch.zeros(4 * size, size, device=device)
    target = torch.empty_like(source)
    seconds = measured({"copy": lambda: target.copy_(source)}, elapsed)["copy"]
    assert seconds is not None
    rates = {}
    for name, dtype in dtypes.items():
        A = torch.ones(size, size, dtype=dtype, device=device)
        product = measured({"product": lambda A=A: A @ A}, elapsed)["product"]  # type: ignore[misc]
        assert product is not None
        rates[name] = size**3 / product
    return Roofline(2 * source.nbytes / seconds, rates)


def relative_error(found: Tensor, exact: Tensor) -> float:
    """The largest of a batch (B, n, n), in the Frobenius norm."""
    difference = torch.linalg.matrix_norm(found.double() - exact)
    return float((difference / torch.linalg.matrix_norm(exact).clamp(min=1e-300)).max())
