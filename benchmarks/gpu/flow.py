"""How fast a flow along evenly spaced times and its gradient are on a GPU, beside stepping it in torch.

    python benchmarks/gpu/flow.py [--result FILE]

float32 states, float64 inside, as flow does by itself on a GPU (`ours`); `loop` is one product for each step into a
buffer made beforehand, in float32; `exponentials` one torch.linalg.matrix_exp for each time. Before a case is timed the
states and gradients of its first states are compared with one exponential for each time in float64; too large an error
ends it all. Writes benchmarks/results/gpu-flow.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
from collections.abc import Callable
from importlib import import_module

import torch
from expm.cases import hamiltonian_batch
from machine import provenance
from torch import Tensor

from gpu.timing import Elapsed, by_events, measured, require_gpu
from symplectic_ops import flow

RESULT = Path(__file__).parents[1] / "results" / "gpu-flow.json"
BLOCKS = 16
CASES = [(n, b, t) for n in (8, 16, 32) for b in (32, 1024) for t in (16, 128, 1000)]
FIRST = 4  # states that are compared with float64
ALLOWED = 1e-5  # of states and gradients: 80 roundings of float32

Follow = Callable[[Tensor, Tensor, Tensor], Tensor]


def loop(H: Tensor, s0: Tensor, times: Tensor) -> Tensor:
    """(b, t, k, n), by one product for each step from time 0 on."""
    step = torch.linalg.matrix_exp(H * (times[1] - times[0])).mT
    states = s0.new_empty(len(times), len(H), len(s0), H.shape[-1])  # blocks before the batch, as products want them
    states[0] = s0.movedim(1, 0)
    for i in range(1, len(times)):
        torch.bmm(states[i - 1], step, out=states[i])
    return states.permute(2, 0, 1, 3)


def exponentials(H: Tensor, s0: Tensor, times: Tensor) -> Tensor:
    return torch.einsum("tkij,bkj->btki", torch.linalg.matrix_exp(times[:, None, None, None] * H), s0)


def gradient(follow: Follow, H: Tensor, s0: Tensor, times: Tensor) -> tuple[Tensor, ...]:
    leaves = [x.clone().requires_grad_() for x in (H, s0)]
    return torch.autograd.grad(follow(*leaves, times).square().sum(), leaves)


def error(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).abs().max() / exact.abs().max())


def row(n: int, b: int, t: int, device: str, elapsed: Elapsed) -> dict[str, object]:
    H = (hamiltonian_batch(BLOCKS, n, 1.0, torch.float64) / t).to(device, torch.float32)  # no orbit grows far
    s0 = torch.randn(b, BLOCKS, n, generator=torch.Generator().manual_seed(0)).to(device)
    times = torch.arange(t, device=device, dtype=torch.float32)

    forward = {
        name: (lambda f=f: f(H, s0, times))
        for name, f in (("loop", loop), ("exponentials", exponentials), ("ours", flow))
    }
    backward = {
        name: (lambda f=f: gradient(f, H, s0, times)) for name, f in (("exponentials", exponentials), ("ours", flow))
    }
    exact = exponentials(H.double(), s0[:FIRST].double(), times.double())
    derivatives = gradient(exponentials, H.double(), s0[:FIRST].double(), times.double())
    first = s0[:FIRST]
    pairs = [(flow(H, first, times), exact), *zip(gradient(flow, H, first, times), derivatives, strict=True)]
    wrong = max(error(found, true) for found, true in pairs)
    if not wrong <= ALLOWED:
        raise SystemExit(f"{wrong:.1e} from float64 at n = {n}, {b} states, {t} times, so it was not timed")
    cells: dict[str, dict[str, float | None]] = {}
    for what, contenders in (("forward", forward), ("forward and backward", backward)):
        seconds = measured(contenders, elapsed)  # type: ignore[arg-type]
        cells[what] = {name: None if own is None else round(own * 1e6, 2) for name, own in seconds.items()}
    errors = {name: error(forward[name]()[:FIRST], exact) for name, own in cells["forward"].items() if own is not None}
    return {"blocks": BLOCKS, "n": n, "batch": b, "times": t, "us": cells, "error": errors}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--result", type=Path, default=RESULT)
    arguments = parser.parse_args()
    require_gpu("gpu/flow.py")
    torch.backends.cuda.matmul.allow_tf32 = False
    triton = import_module("triton").__version__
    rows = []
    for case in CASES:
        rows.append(row(*case, "cuda", by_events))
        print(json.dumps(rows[-1]), flush=True)
    result = {
        "command": "python benchmarks/gpu/flow.py",
        "measured": "microseconds; medians over rounds in which all take turns; largest error over the largest number",
        "triton": triton,
        "rows": rows,
        "measured_on": provenance(),
    }
    arguments.result.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
