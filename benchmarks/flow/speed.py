"""How fast a flow over an even grid of times is beside a loop of steps and beside one exponential for each time.

    python benchmarks/flow/speed.py [--seconds S] [--only n,b,T ...]

K = 16 skew-symmetric Hamiltonian blocks n × n, b states, T times 0, 1, ..., T − 1, float32, one thread, and every shape
whose result fits in 1 GiB. Contenders take turns in one process (see expm/speed.py); a ratio is the median of the
ratios within each round. `loop` has the exponential of this package, a buffer of the result's size, and multiplies from
one place in it to the next; `torch` is one torch.linalg.matrix_exp of all times at once, and `each` one for each time;
`plain` is `flow` without the extra `cpu`. Where `torch` would hold more than 2²⁵ numbers of exponentials it and `each`
are left out, and gradients of more than 2²⁴ states' numbers are not measured. Writes
benchmarks/results/flow-speed.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
from collections.abc import Callable

from expm.speed import installed, measured  # first: it says how many threads the libraries may have
from machine import provenance

# isort: split
import torch
from torch import Tensor

import symplectic_ops
from symplectic_ops.backends import cpu

RESULT = Path(__file__).parents[1] / "results" / "flow-speed.json"
K = 16
SHAPES = [(n, b, T) for n in (8, 16, 64) for b in (32, 1024) for T in (8, 16, 128, 1000) if 4 * K * n * b * T <= 2**30]
MOST_EXPONENTIALS = 2**25  # numbers
MOST_GRADIENTS = 2**24  # numbers of the result, beyond which no gradient is measured

Call = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each case, or nine rounds if they take longer")
    parser.add_argument("--only", nargs="*", metavar="n,b,T", help="shapes, and write only where --result says")
    parser.add_argument("--result", type=Path)
    arguments = parser.parse_args()
    shapes = [tuple(map(int, shape.split(","))) for shape in arguments.only or []] or SHAPES

    torch.set_num_threads(1)
    rows = []
    for n, b, T in shapes:
        for what, calls in (("forward", forward_calls(n, b, T)), ("forward and backward", backward_calls(n, b, T))):
            if calls:
                found = compared(calls, arguments.seconds)
                rows.append({"n": n, "b": b, "T": T, "what": what, "contenders": found})
                print(line(rows[-1]), flush=True)
    target = arguments.result or (None if arguments.only else RESULT)
    if target:
        result = {
            "command": "python benchmarks/flow/speed.py",
            "measured": "microseconds, median over rounds in which all take turns; loop or torch time / own, median",
            "K": K,
            "rows": rows,
            "versions": {name: installed(name) for name in ("torch", "numba")},
            "measured_on": provenance(),
        }
        target.write_text(json.dumps(result, indent=1) + "\n")


def compared(calls: dict[str, Call], seconds: float) -> dict[str, dict[str, float]]:
    """All in turns, but `each`, whose many small results disturb the memory of the next: it takes turns with ours."""
    found = measured(
        {name: call for name, call in calls.items() if name != "each"}, seconds, least=3, beside=("loop", "torch")
    )
    if "each" in calls:
        two = measured({name: calls[name] for name in ("ours", "each")}, seconds, least=3, beside=("each",))
        found["ours"]["each_over_it"], found["each"] = two["ours"]["each_over_it"], two["each"]
    return found


def forward_calls(n: int, b: int, T: int) -> dict[str, Call]:
    """The states by every contender."""
    H, s0, times = problem(n, b, T)
    calls: dict[str, Call] = {name: lambda way=way: way(H, s0, times) for name, way in contenders(n, T).items()}
    calls["loop"] = lambda: stepped(H, s0, T)
    return calls


def backward_calls(n: int, b: int, T: int) -> dict[str, Call]:
    """The states and the gradient of ⟨G, states⟩ in H and s0 by every contender."""
    if K * n * b * T > MOST_GRADIENTS:
        return {}
    H, s0, times = problem(n, b, T)
    leaves = H.requires_grad_(), s0.requires_grad_()
    G = torch.randn(b, T, K, n, generator=torch.Generator().manual_seed(2))

    def gradient(way: Way) -> Call:
        return lambda: torch.autograd.grad(way(H, s0, times), leaves, G)

    return {name: gradient(way) for name, way in contenders(n, T).items()}


Way = Callable[[Tensor, Tensor, Tensor], Tensor]


def contenders(n: int, T: int) -> dict[str, Way]:
    ways: dict[str, Way] = {"ours": symplectic_ops.flow, "plain": without_numba}
    if T * K * n**2 <= MOST_EXPONENTIALS:
        ways |= {"torch": all_exponentials, "each": each_exponential}
    return ways


def problem(n: int, b: int, T: int) -> tuple[Tensor, Tensor, Tensor]:
    """H (K, n, n), s0 (b, K, n) and T times."""
    H = symplectic_ops.SkewSymmetricHamiltonian(n // 2)
    source = torch.Generator().manual_seed(0)
    generators = H(torch.randn(K, H.dim, generator=source)) / (2 * n**0.5)  # frequencies of up to about 1
    return generators.contiguous(), torch.randn(b, K, n, generator=source), torch.arange(float(T))


def stepped(H: Tensor, s0: Tensor, T: int) -> Tensor:
    """The loop: each state from the one before, written to its place in one buffer."""
    R = symplectic_ops.expm(H.mT)
    states = torch.empty(T, *s0.transpose(0, 1).shape)
    states[0] = s0.transpose(0, 1)
    for i in range(1, T):
        torch.bmm(states[i - 1], R, out=states[i])
    return states.permute(2, 0, 1, 3)


def all_exponentials(H: Tensor, s0: Tensor, times: Tensor) -> Tensor:
    return torch.einsum("tkij,bkj->btki", torch.linalg.matrix_exp(times[:, None, None, None] * H), s0)


def each_exponential(H: Tensor, s0: Tensor, times: Tensor) -> Tensor:
    states = [torch.einsum("kij,bkj->bki", torch.linalg.matrix_exp(time * H), s0) for time in times]
    return torch.stack(states, dim=1)


def without_numba(H: Tensor, s0: Tensor, times: Tensor) -> Tensor:
    missing = cpu.loading.missing
    cpu.loading.missing = lambda: "it is switched off"
    try:
        return symplectic_ops.flow(H, s0, times)
    finally:
        cpu.loading.missing = missing


def line(row: dict) -> str:
    cells = [
        f"{name} {cell['us']:.0f} µs" + "".join(f" {key[:5]}×{value:.2f}" for key, value in cell.items() if key != "us")
        for name, cell in row["contenders"].items()
    ]
    return f"n={row['n']} b={row['b']} T={row['T']} {row['what']}: " + ", ".join(cells)


if __name__ == "__main__":
    main()
