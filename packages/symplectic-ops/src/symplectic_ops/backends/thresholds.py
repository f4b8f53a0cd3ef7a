"""From the norms of a batch to the degree of its polynomial and the number of squarings of each matrix.

exp(A) is replaced by the exponential of a matrix within one rounding u of A. With h(x) = log(e⁻ˣ T_m(x)) =
Σ c_k x^k, k > m, the bounds below are the largest x with

    value      Σ |c_k| x^(k−1) ≤ u                (Bader, Blanes and Casas, Mathematics 7(12), 1174, 2019)
    gradient   Σ k |c_k| x^(k−1) ≤ u              (Al-Mohy and Higham, SIAM J. Matrix Anal. Appl. 30, 1639, 2009)
    higher     Σ k(k−1)(k−2) |c_k| x^(k−3) ≤ u    the same for a third derivative, at degree 18
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

DEGREES = (1, 2, 4, 8, 12, 18)

Bounds = Mapping[torch.dtype, tuple[float, ...]]

VALUE: Bounds = {
    torch.float32: (1.192092e-7, 5.978858e-4, 5.116619e-2, 5.800524e-1, 1.461661, 3.010066),
    torch.float64: (2.220446e-16, 2.580956e-8, 3.397168e-4, 4.991228e-2, 2.996158e-1, 1.090863),
}
GRADIENT: Bounds = {
    torch.float32: (5.960464e-8, 3.452073e-4, 3.428861e-2, 4.450800e-1, 1.196715, 2.595044),
    torch.float64: (1.110223e-16, 1.490116e-8, 2.271855e-4, 3.795820e-2, 2.426774e-1, 9.317169e-1),
}
# Squarings that degree 12 may take before degree 18 takes over, where it has as many products to make. In float32 the
# gradient of degree 18 loses digits between its large coefficients, for small matrices of norms near its bound.
SQUARINGS_12: Mapping[torch.dtype, int] = {torch.float32: 2, torch.float64: 0}
HIGHER = {torch.float32: 2.080937, torch.float64: 6.540001e-1}


def degree_for(norm: float, bounds: tuple[float, ...]) -> int:
    """The least of DEGREES whose bound covers this norm, or the highest there is."""
    return next((degree for degree, bound in zip(DEGREES, bounds, strict=True) if norm <= bound), DEGREES[-1])


def squarings_for(norm: Tensor, bound: float) -> Tensor:
    """How often each norm must be halved to come below `bound`: int64, the shape of `norm`.

    A norm that is NaN or infinite is not halved; what it belongs to is lost either way.
    """
    return torch.log2(norm / bound).ceil().clamp(min=0).nan_to_num(posinf=0.0).to(torch.int64)


def squarings_under(norm: float, bound: float) -> int:
    """`squarings_for` one number known beforehand."""
    return max(0, math.ceil(math.log2(norm / bound))) if norm > bound else 0


def one_norm(A: Tensor) -> Tensor:
    """‖A‖₁, the largest column sum of moduli, of matrices (..., n, n): (...)."""
    return A.abs().sum(-2).amax(-1)


def power_norm(A: Tensor, A2: Tensor, A3: Tensor) -> Tensor:
    """α₂ = max(‖A²‖₁^½, ‖A³‖₁^⅓) of matrices (..., n, n), given with their powers: (...).

    Never more than ‖A‖₁, and much less far from normal. Σ ‖c_k A^k‖ over k ≥ 2 is bounded by Σ |c_k| α₂^k just as it
    is by Σ |c_k| ‖A‖₁^k (Al-Mohy and Higham, SIAM J. Matrix Anal. Appl. 31, 970, 2009).
    """
    return torch.maximum(one_norm(A2).sqrt(), one_norm(A3).pow(1 / 3))
