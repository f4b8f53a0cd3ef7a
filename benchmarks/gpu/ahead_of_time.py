"""What the kernels for GPUs ask of one, compiled ahead of time for compute capability 9.0: no GPU is needed.

    python benchmarks/gpu/ahead_of_time.py [--sizes N ...] [--warps N ...] [--result FILE]

For each kernel, dtype and size: registers and spilled bytes of a thread, shared memory of a program, and how many of
the instructions multiply and add (a warp does 32 by one FFMA or DFMA, 256 by a DMMA). Writes
benchmarks/results/gpu-kernels.json, or where --result says; only there with some of the sizes or other warps.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

os.environ["TRITON_INTERPRET"] = "0"  # read when Triton is loaded

import argparse
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import triton
from machine import provenance
from triton import knobs
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from symplectic_ops.backends.gpu import expm as kernels
from symplectic_ops.backends.gpu import launches
from symplectic_ops.backends.gpu.recurrence import recurrences

RESULT = Path(__file__).parents[1] / "results" / "gpu-kernels.json"
TARGET = GPUTarget("cuda", 90, 32)
POINTERS = {torch.float32: "*fp32", torch.float64: "*fp64"}
MULTIPLYING = ("FFMA", "DFMA", "DMMA")


class Variant(NamedTuple):
    """A kernel as it is launched for contiguous matrices of full size: types of its arguments, or their values."""

    kernel: Any
    dtype: torch.dtype
    size: int
    warps: int
    arguments: dict[str, object]


def variants() -> Iterator[Variant]:
    """A gradient of the exponential reads its matrix transposed; so does a flow, and then its adjoint does not."""
    for (name, dtype), shapes in launches.SHAPES.items():
        rows, constant, _ = launches.POLYNOMIALS[dtype]
        for n, pack, warps in shapes:
            matrices = dict.fromkeys("AEXL", POINTERS[dtype])
            steps = of_matrix("", n, transposed=name == "derivatives") | of_matrix("E_", n)
            values = {"log2_bound": "fp32", "ROWS": rows, "LEFT_CONSTANT": constant, "SIZE": n, "PACK": pack}
            yield Variant(getattr(kernels, name), dtype, n, warps, {**matrices, **steps, **values})
    for dtype in launches.POLYNOMIALS:
        for n, warps in launches.WARPS.items():
            for adjoint in (False, True):
                pointers = {"P": POINTERS[torch.float64], **dict.fromkeys("uy", POINTERS[dtype])}
                steps = of_matrix("P_", n, transposed=not adjoint) | {"u_column_step": 1}
                steps |= dict.fromkeys([f"{x}_step" for x in ("u_batch", "u_time", "u_block", "y_batch", "y_time")], n)
                values = {"ADDED": adjoint, "SIZE": n, "ROWS": launches.ROWS}
                yield Variant(recurrences, dtype, n, warps, {**pointers, **steps, **values})


def of_matrix(prefix: str, n: int, *, transposed: bool = False) -> dict[str, object]:
    """The steps of contiguous matrices n × n, or of what `mT` makes of them."""
    row, column = (1, n) if transposed else (n, 1)
    batch = "block" if prefix == "P_" else "batch"
    return {f"{prefix}{batch}_step": n * n, f"{prefix}row_step": row, f"{prefix}column_step": column}


def compiled(variant: Variant) -> Any:
    """The code of a variant, with what a launch tells the compiler: which steps are 1 or, like pointers, divide by 16.

    Numbers of states, blocks and times could be anything.
    """
    names = variant.kernel.arg_names
    given = {name: variant.arguments.get(name, "i32") for name in names}
    steps = {name: value for name, value in given.items() if name.endswith("step") and value != 1}
    given |= dict.fromkeys(steps, "i32")
    signature = {name: kind if isinstance(kind, str) else "constexpr" for name, kind in given.items()}
    values = {name: value for name, value in given.items() if not isinstance(value, str)}
    sizes = {**steps, "n": variant.size}
    even = [name for name, kind in signature.items() if kind.startswith("*") or sizes.get(name, 1) % 16 == 0]
    attributes = {(names.index(name),): [["tt.divisibility", 16]] for name in even}
    source = ASTSource(fn=variant.kernel, signature=signature, constexprs=values, attrs=attributes)
    return triton.compile(source, target=TARGET, options={"num_warps": variant.warps})


def measured(variant: Variant) -> dict[str, object]:
    code = compiled(variant)
    with tempfile.TemporaryDirectory() as folder:
        assembly, binary = Path(folder, "kernel.ptx"), Path(folder, "kernel.cubin")
        assembly.write_text(code.asm["ptx"])
        options = ["-v", f"--gpu-name=sm_{TARGET.arch}a", str(assembly), "-o", str(binary)]
        said = run(knobs.nvidia.ptxas.path, *options)
        listing = run(knobs.nvidia.nvdisasm.path, str(binary))
    instructions = Counter(re.findall(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+ )?([A-Z]\w+)", listing))
    spilled = re.findall(r"(\d+) bytes spill (?:stores|loads)", said)
    return {
        "kernel": variant.kernel.__name__,
        "dtype": str(variant.dtype).removeprefix("torch."),
        "n": variant.size,
        **({"added": variant.arguments["ADDED"]} if variant.kernel is recurrences else {}),
        "pack": variant.arguments.get("PACK", 1),
        "warps": variant.warps,
        "registers": int(re.findall(r"Used (\d+) registers", said)[0]),
        "spilled_bytes": sum(map(int, spilled)),
        "shared_bytes": code.metadata.shared,
        "instructions": instructions.total(),
        **{name: instructions[name] for name in MULTIPLYING if instructions[name]},
    }


def run(*command: str) -> str:
    outcome = subprocess.run(command, check=True, capture_output=True, text=True)
    return outcome.stdout + outcome.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="these alone, of 8, 16 and 32")
    parser.add_argument("--warps", type=int, nargs="*", default=[], help="instead of the chosen numbers of warps")
    parser.add_argument("--result", type=Path)
    arguments = parser.parse_args()
    partly = bool(arguments.sizes or arguments.warps)
    rows = []
    for chosen in variants():
        if arguments.sizes and chosen.size not in arguments.sizes:
            continue
        for warps in arguments.warps or [chosen.warps]:
            rows.append(measured(chosen._replace(warps=warps)))
            print(*(f"{name} {value}" for name, value in rows[-1].items()), sep=", ", flush=True)
    if arguments.result or not partly:
        result = {
            "command": "python benchmarks/gpu/ahead_of_time.py",
            "target": f"compute capability {TARGET.arch / 10}",
            "triton": triton.__version__,
            "rows": rows,
            "measured_on": provenance(),
        }
        (arguments.result or RESULT).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
