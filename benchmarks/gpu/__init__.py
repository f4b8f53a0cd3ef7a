"""The kernels for GPUs: speed, and what they ask of one."""
