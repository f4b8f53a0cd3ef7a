"""Operations whose result is the same every time, for as long as it is wanted."""

import os
from collections.abc import Generator
from contextlib import contextmanager

import torch

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # read when a GPU's first matrix product is made


@contextmanager
def deterministic(wanted: bool) -> Generator[None, None, None]:
    """Within the block torch uses deterministic operations only, if that is wanted; afterwards all is as before.

    Raises: RuntimeError: within the block, by torch, of an operation that has no deterministic way.
    """
    if not wanted:
        yield
        return
    cudnn = torch.backends.cudnn
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    before_cudnn = cudnn.deterministic, cudnn.benchmark
    workspace = os.environ.get(WORKSPACE)
    os.environ[WORKSPACE] = workspace or ":4096:8"
    torch.use_deterministic_algorithms(True)
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        cudnn.deterministic, cudnn.benchmark = before_cudnn
        if workspace is None:
            del os.environ[WORKSPACE]
