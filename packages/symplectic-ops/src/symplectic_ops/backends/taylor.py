"""Taylor polynomials of the exponential in few matrix products, and their derivatives.

Degrees 8, 12 and 18 take 3, 4 and 5 products (P. Bader, S. Blanes and F. Casas, "Computing the Matrix Exponential
with an Optimized Taylor Polynomial Approximation", Mathematics 7(12), 1174, 2019). At degrees 12 and 18 the constant
terms of the published coefficients have been moved into the identity, so that

    T(A) = I + linear(A) + (left(A) + right(A)) right(A),    right(A) = tail(A) + first(A) second(A),

where all but left vanish at zero. T(0) is then I to the last bit, and no two large constants cancel.

Matrices are (B, n, n), real or complex; nothing given is written to.
"""

import torch
from torch import Tensor

# Degree 8 is in closed form, with r = √177.
_r = 177**0.5
_x3 = 2 / 3
_x1, _x2 = _x3 * (1 + _r) / 88, _x3 * (1 + _r) / 352
_x4, _x5, _x6 = (-271 + 29 * _r) / (315 * _x3), (-11 + 11 * _r) / (1260 * _x3), (-99 + 11 * _r) / (5040 * _x3)
_x7, _y2 = (89 - _r) / (5040 * _x3**2), (857 - 58 * _r) / 630
FIRST_8 = (_x1, _x2)  # of A, A²
RIGHT_CONSTANT_8 = _x4
ROWS_8 = (  # of A, A², A⁴ = A² first
    (1.0, _y2, 0.0),  # linear
    (0.0, _x3, 1.0),  # left
    (_x5, _x6, _x7),  # right, but for its constant
)

# Degree 12: coefficients of A, A², A³. Here first = second.
LEFT_CONSTANT_12 = 5.679756357242117408873254
ROWS_12 = (
    (0.6874544557818107422898414, -0.1988492426706831937729944, -0.04422259844466322536833619),  # linear
    (1.199267904171324432907561, 0.01179296240992981052198784, 0.01108844528519164751979219),  # left
    (0.05502798439930792698822807, 0.09351590770536269032764025, 0.006107005288983418742735968),  # tail
    (-0.1318106101383018401568193, -0.02027855540589259079335682, -0.006759518468630863597785608),  # first
)

# Degree 18: coefficients of A, A², A³, A⁶.
LEFT_CONSTANT_18 = -11.14850297177436837174604
ROWS_18 = (
    (0.2459102209011086376415832, 1.362667083208190483039958, 0.4989210256916942726659191,
     -0.000640927430058536638793649),  # linear
    (1.680158138789061971827854, 0.05717798464788655127028717, -0.006982101224880520842904665,
     0.00003349750170860705383133673),  # left
    (-0.06764045190713819075600799, 0.06759613017704596460827992, 0.02955525704293155274260692,
     -0.000013918025751606070112474),  # tail
    (-0.1003655810301446208660772, -0.008029246482411569669286178, -0.0008921384980457299632540198, 0.0),  # first
    (0.0, -0.09233646193671185849311069, -0.01693649390020817157545593, -0.00001400867981820361586059217),  # second
)  # fmt: skip

Factors = tuple[Tensor, ...]
Rows = tuple[tuple[float, ...], ...]


def polynomial(degree: int, powers: Factors) -> tuple[Tensor, Factors]:
    """T(A) (B, n, n), and the factors its derivative is made of.

    Args:
        degree: one of 1, 2, 4, 8, 12, 18.
        powers: A alone; degrees 12 and 18 take A, A² and A³. Each (B, n, n).
    """
    A, *_ = powers
    if degree == 1:
        return _plus_identity(A.clone()), ()
    if degree == 2:
        return _plus_identity(torch.baddbmm(A, A, A, alpha=0.5)), (A,)
    if degree == 4:
        A2 = torch.bmm(A, A)
        right = _plus_identity(torch.add(A / 6, A2, alpha=1 / 24), 0.5)
        return _plus_identity(torch.baddbmm(A, A2, right)), (A, A2, right)
    if degree == 8:
        A2 = torch.bmm(A, A)
        first = torch.add(_x1 * A, A2, alpha=_x2)
        linear, left, right = _combine(ROWS_8, torch.stack([A, A2, torch.bmm(A2, first)]))
        right = _plus_identity(right, RIGHT_CONSTANT_8)
        return _plus_identity(torch.baddbmm(linear, left, right)), (A, A2, first, left, right)
    _, A2, A3 = powers
    if degree == 12:
        stacked = torch.stack(powers)
        left, first = _combine(ROWS_12[1::2], stacked)  # apart from the others, which no derivative needs
        linear, tail = _combine(ROWS_12[::2], stacked)
        del stacked
        right = torch.baddbmm(tail, first, first)
        left = _plus_identity(left.add_(right), LEFT_CONSTANT_12)
        return _plus_identity(torch.baddbmm(linear, left, right)), (A, A2, first, left, right)
    stacked = torch.stack([*powers, torch.bmm(A3, A3)])
    left, first, second = _combine(ROWS_18[1::2] + ROWS_18[4:], stacked)
    linear, tail = _combine(ROWS_18[:3:2], stacked)
    del stacked
    right = torch.baddbmm(tail, first, second)
    left = _plus_identity(left.add_(right), LEFT_CONSTANT_18)
    return _plus_identity(torch.baddbmm(linear, left, right)), (A, A2, A3, first, second, left, right)


def derivative(degree: int, factors: Factors, E: Tensor) -> Tensor:
    """The derivative of T at A in direction E (B, n, n), from the factors `polynomial` left behind."""
    if degree == 1:
        return E
    A, *rest = factors
    E2 = _product_rule(A, E, A, E)
    if degree == 2:
        return E + E2 / 2
    if degree == 4:
        A2, right = rest
        return E + _product_rule(A2, E2, right, E / 6 + E2 / 24)
    if degree == 8:
        A2, first, left, right = rest
        d_first = torch.add(_x1 * E, E2, alpha=_x2)
        d_linear, d_left, d_right = _combine(ROWS_8, torch.stack([E, E2, _product_rule(A2, E2, first, d_first)]))
        return d_linear + _product_rule(left, d_left, right, d_right)
    E3 = _product_rule(rest[0], E2, A, E)
    if degree == 12:
        _, first, left, right = rest
        d_linear, d_left, d_tail, d_first = _combine(ROWS_12, torch.stack([E, E2, E3]))
        d_right = d_tail + _product_rule(first, d_first, first, d_first)
        return d_linear + _product_rule(left, d_left + d_right, right, d_right)
    _, A3, first, second, left, right = rest
    stacked = torch.stack([E, E2, E3, _product_rule(A3, E3, A3, E3)])
    del E2, E3  # the most that is alive at a time is here
    d_linear, d_left, d_tail, d_first, d_second = _combine(ROWS_18, stacked)
    del stacked
    d_right = d_tail + _product_rule(first, d_first, second, d_second)
    return d_linear + _product_rule(left, d_left + d_right, right, d_right)


def _product_rule(X: Tensor, dX: Tensor, Y: Tensor, dY: Tensor) -> Tensor:
    """d(XY) = dX Y + X dY."""
    return torch.baddbmm(torch.bmm(dX, Y), X, dY)


def _plus_identity(X: Tensor, number: float = 1.0) -> Tensor:
    """X + number · I, in place."""
    X.diagonal(dim1=-2, dim2=-1).add_(number)
    return X


def _combine(rows: Rows, powers: Tensor) -> tuple[Tensor, ...]:
    """Each row of coefficients applied to the powers (k, B, n, n): all combinations in one product."""
    combined = _coefficients(rows, powers) @ powers.reshape(len(powers), -1)
    return combined.reshape(-1, *powers.shape[1:]).unbind()


_KEPT: dict[tuple[Rows, torch.dtype, torch.device], Tensor] = {}


def _coefficients(rows: Rows, like: Tensor) -> Tensor:
    """The rows as a tensor, kept for the next time: a graph of CUDA kernels cannot fetch them from the host."""
    key = rows, like.dtype, like.device
    if type(like) is not Tensor or key not in _KEPT:
        coefficients = torch.tensor(rows, dtype=like.dtype, device=like.device)
        if type(coefficients) is not Tensor or torch._C._len_torch_dispatch_stack():  # not real ones
            return coefficients
        _KEPT[key] = coefficients
    return _KEPT[key]
