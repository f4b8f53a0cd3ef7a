"""What has to be said before anything is loaded."""

import os

import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # then the kernels for GPUs run on the CPU, for their tests
