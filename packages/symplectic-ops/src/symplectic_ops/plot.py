"""A picture of one system: its spectrum, and its orbits in the phase plane of every pair. Needs the extra `plot`."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ._dtypes import double
from .energy import energy
from .errors import StructureError
from .flow import flow
from .form import apply_form, pairs
from .residuals import tolerance_of
from .spectrum import growth_rates, periods
from .stability import Stability, stability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4
POINTS = 400  # of an orbit


def plot(H: Tensor, s0: Tensor | None = None, times: Tensor | None = None) -> "Figure":
    """Draw the spectrum of a Hamiltonian matrix and its phase portrait.

    The first panel has the eigenvalues in the complex plane, marked by the sign of the energy of their modes; those off
    the imaginary axis have none, and grow or decay. Each further panel has one pair (q, p): orbits, coloured by their
    energy, with an arrow the way time goes.

    Args:
        H: one Hamiltonian matrix (2d, 2d).
        s0: states (b, 2d) to start from, seen in every panel. By default each panel has its own, on the axes of its
            pair: twelve where there is one pair, four where the orbits of several wind round each other.
        times: when to draw the orbits, (t,), ascending. By default once round for the slowest mode, as long as that is
            no more than ten times the fastest, or until an unstable orbit is ten times as long, both ways.

    Returns:
        A figure of its own, outside pyplot: `plot(H).savefig("portrait.png")`. Notebooks show it.

    Raises:
        StructureError: H is not a single Hamiltonian matrix, or s0 or times do not go with it.
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "`plot` needs matplotlib. Install it, or symplectic-ops with its extra: pip install 'symplectic-ops[plot]'."
        ) from None
    d = pairs(H, "H")
    if H.ndim != 2:
        raise StructureError(f"`H` must be one matrix (2d, 2d) to be drawn; got {tuple(H.shape)}. Choose one of them.")
    if s0 is not None and (s0.ndim != 2 or s0.shape[-1] != 2 * d or not len(s0)):
        raise StructureError(f"`s0` must be states (b, {2 * d}), at least one, to start from; got {tuple(s0.shape)}.")
    if times is not None and times.ndim != 1:
        raise StructureError(f"`times` must be (t,), the same for every orbit; got {tuple(times.shape)}.")
    verdict = Stability(int(stability(H)))
    H = double(H.detach()).cpu()
    times = _span(H, verdict) if times is None else times.detach()
    starts = _starts(d) if s0 is None else double(s0.detach()).cpu().expand(d, *s0.shape)
    orbits = torch.unflatten(flow(H, starts.flatten(0, 1), times), 0, starts.shape[:2])

    columns = min(1 + d, COLUMNS)
    rows = math.ceil((1 + d) / columns)
    figure = Figure(figsize=(3.6 * columns, 3.6 * rows), layout="constrained")
    first, *others = figure.subplots(rows, columns, squeeze=False).flatten()
    _draw_spectrum(first, H)
    first.set_title(f"spectrum: {verdict.name.lower()}")
    levels = energy(H, starts)
    for j, axes in enumerate(others[:d]):
        _draw_orbits(axes, orbits[j][..., [j, d + j]], levels[j] / levels.abs().max().clamp(min=1e-300))
        axes.set(title=f"pair {j + 1}", xlabel=f"$q_{{{j + 1}}}$", ylabel=f"$p_{{{j + 1}}}$")
    for spare in others[d:]:
        spare.remove()
    return figure


def _span(H: Tensor, verdict: Stability) -> Tensor:
    """Times after which there is little new to see."""
    if verdict is Stability.UNSTABLE:
        length = math.log(10) / float(growth_rates(H)[0])
        return torch.linspace(-length, length, POINTS, dtype=H.dtype)
    around = periods(H)
    around = around[around <= 10 * around[-1]]
    length = float(around[0]) if len(around) and bool(around[0].isfinite()) else 1.0
    return torch.linspace(0, length, POINTS, dtype=H.dtype)


def _starts(d: int) -> Tensor:
    """Some states for each pair, on its own axes: (d, b, 2d)."""
    axes = torch.eye(2 * d, dtype=torch.float64)
    radii = torch.tensor([1 / 3, 2 / 3, 1, -1 / 3, -2 / 3, -1] if d == 1 else [1 / 2, 1], dtype=torch.float64)
    both = torch.stack([axes[:d], axes[d:]], dim=1)  # pair, q or p
    return (radii[:, None, None] * both[:, None]).flatten(1, 2)


def _draw_spectrum(axes: "Axes", H: Tensor) -> None:
    values, vectors = torch.linalg.eig(H)
    M = -apply_form(H).to(vectors.dtype)
    energies = (vectors.conj() * (M @ vectors)).sum(-2).real
    none = energies.abs() <= tolerance_of(H) ** 0.5 * torch.linalg.matrix_norm(H)
    axes.axvline(0, color="0.7", linewidth=0.8)
    axes.axhline(0, color="0.7", linewidth=0.8)
    for label, marker, colour, which in (
        ("energy > 0", "o", "tab:red", ~none & (energies > 0)),
        ("energy < 0", "s", "tab:blue", ~none & (energies < 0)),
        ("no energy", "x", "black", none),
    ):
        if bool(which.any()):
            axes.scatter(values.real[which], values.imag[which], marker=marker, c=colour, label=label)
    reach = 1.2 * float(values.abs().max()) or 1.0
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="growth rate", ylabel="angular frequency")
    axes.set_box_aspect(1)
    axes.legend(loc="best", fontsize="small")


def _draw_orbits(axes: "Axes", orbits: Tensor, levels: Tensor) -> None:
    """Orbits (b, t, 2) in one plane, coloured by levels (b,) from −1 to 1."""
    from matplotlib import colormaps

    colours = colormaps["coolwarm"]
    for (q, p), level in zip(orbits.mT, levels.tolist(), strict=True):
        colour = colours((1 + level) / 2)
        axes.plot(q, p, color=colour, linewidth=1)
        if len(q) > 1 and bool((q[1:] != q[:-1]).any() | (p[1:] != p[:-1]).any()):
            middle = len(q) // 2
            axes.annotate(
                "",
                xy=(float(q[middle]), float(p[middle])),
                xytext=(float(q[middle - 1]), float(p[middle - 1])),
                arrowprops={"arrowstyle": "->", "color": colour},
            )
    axes.set_box_aspect(1)
