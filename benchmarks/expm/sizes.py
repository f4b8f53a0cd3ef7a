"""The exponential and its gradient under pytest-benchmark, for comparing one commit with another.

    python -m pytest benchmarks/expm/sizes.py --benchmark-only --benchmark-group-by=group,param:size

`expm/speed.py` compares contenders; this has the tools of pytest-benchmark (--benchmark-save, --benchmark-compare).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

from collections.abc import Callable

import pytest
import torch

from expm.cases import DTYPES, SIZES, backward_calls, direction, forward_calls, hamiltonian_batch

Benchmark = Callable[[Callable[[], object]], object]

pytestmark = [
    pytest.mark.parametrize("contender", ["torch", "plain", "ours"]),
    pytest.mark.parametrize("dtype", DTYPES),
    pytest.mark.parametrize("size", SIZES, ids=str),
]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.benchmark(group="value")
def test_the_value(benchmark: Benchmark, contender: str, dtype: str, size: tuple[int, int]) -> None:
    benchmark(forward_calls(hamiltonian_batch(*size, 1.0, DTYPES[dtype]))[contender])


@pytest.mark.benchmark(group="value and gradient")
def test_the_value_and_its_gradient(benchmark: Benchmark, contender: str, dtype: str, size: tuple[int, int]) -> None:
    A = hamiltonian_batch(*size, 1.0, DTYPES[dtype])
    benchmark(backward_calls(A, direction(A))[contender])
