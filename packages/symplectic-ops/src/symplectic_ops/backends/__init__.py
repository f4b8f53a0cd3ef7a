"""What computes exponentials and recurrences: plain torch, kernels for the CPU (numba), kernels for GPUs (Triton)."""
