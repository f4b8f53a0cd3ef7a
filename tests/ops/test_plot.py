"""The picture of a system: what is drawn where, and what happens without matplotlib."""

import math
import re
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from symplectic_ops import (
    EllipticHamiltonian,
    Hamiltonian,
    SkewSymmetricHamiltonian,
    StructureError,
    flow,
    form,
    plot,
)

SADDLE = torch.tensor([[0.0, 1.0], [1.0, 0.0]])


def labels(H: Tensor) -> list[str]:
    return [text.get_text() for text in plot(H).axes[0].get_legend().get_texts()]


def test_there_is_a_panel_for_the_spectrum_and_one_for_each_pair() -> None:
    figure = plot(EllipticHamiltonian(5).random())
    assert [axes.get_title() for axes in figure.axes] == ["spectrum: stable", *(f"pair {j}" for j in range(1, 6))]
    assert (figure.axes[3].get_xlabel(), figure.axes[3].get_ylabel()) == ("$q_{3}$", "$p_{3}$")


def test_the_eigenvalues_stand_where_they_are() -> None:
    (points,) = plot(2 * form(1)).axes[0].collections
    assert sorted(points.get_offsets().tolist()) == [pytest.approx([0, -2]), pytest.approx([0, 2])]


def test_modes_are_marked_by_the_sign_of_their_energy() -> None:
    assert labels(form(1)) == ["energy > 0"]
    assert labels(-form(1)) == ["energy < 0"]
    assert labels(SADDLE) == ["no energy"]
    assert labels(SkewSymmetricHamiltonian(2)(torch.tensor([0.0, 1.0, 0.0, -2.0]))) == ["energy > 0", "energy < 0"]


def test_orbits_of_a_spring_are_drawn_once_round() -> None:
    (orbit, *others) = plot(form(1) / 3).axes[1].lines
    q, p = torch.as_tensor(orbit.get_xydata()).unbind(-1)
    assert len(others) == 11
    torch.testing.assert_close(q.square() + p.square(), torch.full_like(q, 1 / 9))
    torch.testing.assert_close(q[-1], q[0])
    torch.testing.assert_close(p[-1], p[0], rtol=0, atol=1e-6)


def test_orbits_of_a_saddle_are_drawn_both_ways() -> None:
    """From (1, 0) to (cosh t, sinh t), and what it was ten times as long ago."""
    orbit = torch.as_tensor(plot(SADDLE).axes[1].lines[4].get_xydata())
    ends = torch.tensor([[5.05, -4.95], [5.05, 4.95]]).double()
    torch.testing.assert_close(orbit[[0, -1]], ends)


def test_chosen_states_and_times_are_drawn_in_every_panel() -> None:
    H = EllipticHamiltonian(2).random(dtype=torch.float64)
    s0, times = torch.randn(3, 4, dtype=torch.float64), torch.linspace(0, 1, 7)
    orbits = flow(H, s0, times)
    for j, axes in enumerate(plot(H, s0, times).axes[1:]):
        drawn = torch.stack([torch.as_tensor(line.get_xydata()) for line in axes.lines])
        torch.testing.assert_close(drawn, orbits[..., [j, 2 + j]])


@pytest.mark.parametrize(
    "H",
    [
        torch.zeros(2, 2),
        torch.tensor([[0.0, 1.0], [0.0, 0.0]]),
        Hamiltonian(3).random(generator=torch.Generator().manual_seed(0)),
        SADDLE.bfloat16(),
    ],
)
def test_every_system_gives_a_picture(H: Tensor, tmp_path: Path) -> None:
    plot(H.requires_grad_()).savefig(tmp_path / "portrait.png")
    assert (tmp_path / "portrait.png").read_bytes().startswith(b"\x89PNG")


def test_a_state_that_rests_is_drawn_as_a_point() -> None:
    (point,) = plot(form(1), torch.zeros(1, 2), torch.tensor([0.0, math.pi])).axes[1].lines
    assert not torch.as_tensor(point.get_xydata()).any()


@pytest.mark.parametrize("shape", [(2,), (3, 4), (0, 2), (1, 3, 2)])
def test_states_of_another_shape_are_refused_as_they_came(shape: tuple[int, ...]) -> None:
    with pytest.raises(StructureError, match=rf"`s0` must be states \(b, 2\).*got {re.escape(str(shape))}"):
        plot(form(1), torch.zeros(shape))


def test_one_list_of_times_serves_all_orbits() -> None:
    with pytest.raises(StructureError, match=r"`times` must be \(t,\), the same for every orbit; got \(3, 7\)"):
        plot(form(1), torch.zeros(3, 2), torch.zeros(3, 7))


def test_times_that_are_learned_can_be_drawn() -> None:
    assert plot(form(1), times=torch.linspace(0, 1, 5, requires_grad=True)).axes[1].lines


def test_one_matrix_is_drawn_at_a_time() -> None:
    with pytest.raises(StructureError, match=r"`H` must be one matrix \(2d, 2d\) to be drawn; got \(9, 4, 4\)"):
        plot(torch.zeros(9, 4, 4))


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'symplectic-ops\[plot\]'"):
        plot(form(1))
