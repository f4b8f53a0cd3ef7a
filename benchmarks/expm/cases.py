"""What the benchmarks of the exponential exponentiate, and what with."""

import os
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import symplectic_ops

SIZES = ((3, 16), (9, 8), (9, 24), (64, 16), (64, 32), (256, 32), (1024, 16), (9, 72), (16, 128))  # K matrices n × n
NORMS = (0.1, 10.0)  # ‖H‖₁ of every matrix
DTYPES = {"float32": torch.float32, "float64": torch.float64}

Call = Callable[[], object]


def hamiltonian_batch(K: int, n: int, norm: float, dtype: torch.dtype, seed: int = 0) -> Tensor:
    """K random Hamiltonian matrices (K, n, n) of this 1-norm."""
    space = symplectic_ops.Hamiltonian(n // 2)
    generator = torch.Generator().manual_seed(seed)
    H: Tensor = space(torch.randn(K, space.dim, dtype=torch.float64, generator=generator))
    return (H * norm / H.abs().sum(-2).amax(-1)[:, None, None]).to(dtype)


def direction(A: Tensor) -> Tensor:
    """An incoming gradient for exp(A)."""
    return torch.randn(A.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(A.dtype)


def forward_calls(A: Tensor) -> dict[str, Call]:
    """exp(A) by every contender that is installed."""
    calls: dict[str, Call] = {
        "torch": lambda: torch.linalg.matrix_exp(A),
        "plain": lambda: symplectic_ops.expm(A, backend="torch"),
    }
    if find_spec("numba"):
        calls["ours"] = lambda: symplectic_ops.expm(A)
    if find_spec("scipy"):
        import scipy.linalg

        array = A.numpy()
        calls["scipy"] = lambda: scipy.linalg.expm(array)
    if find_spec("jax"):
        jax = _jax()
        compiled, there = jax.jit(jax.vmap(jax.scipy.linalg.expm)), jax.numpy.asarray(A.numpy())
        calls["jax"] = lambda: compiled(there).block_until_ready()
    return calls


def backward_calls(A: Tensor, G: Tensor) -> dict[str, Call]:
    """exp(A) and the gradient of ⟨G, exp(A)⟩ by every contender that has one."""
    leaf = A.clone().requires_grad_()

    def gradient(expm: Callable[[Tensor], Tensor]) -> Call:
        return lambda: torch.autograd.grad(expm(leaf), leaf, G)[0]

    calls = {
        "torch": gradient(torch.linalg.matrix_exp),
        "plain": gradient(lambda A: symplectic_ops.expm(A, backend="torch")),
    }
    if find_spec("numba"):
        calls["ours"] = gradient(symplectic_ops.expm)
    if find_spec("jax"):
        jax = _jax()

        def pulled_back(A: object, G: object) -> object:
            value, pull = jax.vjp(jax.vmap(jax.scipy.linalg.expm), A)
            return value, pull(G)[0]

        compiled = jax.jit(pulled_back)
        there, incoming = jax.numpy.asarray(A.numpy()), jax.numpy.asarray(G.numpy())
        calls["jax"] = lambda: compiled(there, incoming)[1].block_until_ready()
    return calls


def reference(A: NDArray[np.float64]) -> NDArray[np.longdouble]:
    """exp(A) (n, n) in extended precision: 30 terms of the series of A / 2ˢ, squared s times."""
    squarings = max(0, int(np.ceil(np.log2(np.abs(A).sum(0).max() + 1e-300))) + 1)
    scaled = A.astype(np.longdouble) / 2**squarings
    X = term = np.eye(len(A), dtype=np.longdouble)
    for k in range(1, 31):
        term = term @ scaled / k
        X = X + term
    for _ in range(squarings):
        X = X @ X
    return X


def reference_gradient(A: NDArray[np.float64], G: NDArray[np.float64]) -> NDArray[np.longdouble]:
    """The gradient of ⟨G, exp(A)⟩ in extended precision: the corner of exp([[Aᵀ, G], [0, Aᵀ]])."""
    n = len(A)
    return reference(np.block([[A.T, G], [np.zeros_like(A), A.T]]))[:n, n:]


def error(found: object, exact: NDArray[np.longdouble]) -> float:
    """Of the first matrix of a batch, relative, in the Frobenius norm."""
    first = np.asarray(found.detach() if isinstance(found, Tensor) else found)[0].astype(np.longdouble)
    return float(np.sqrt(((first - exact) ** 2).sum() / (exact**2).sum()))


def _jax():  # type: ignore[no-untyped-def]
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    import jax.scipy.linalg

    jax.config.update("jax_enable_x64", True)
    return jax
