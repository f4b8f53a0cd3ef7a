"""The long roll: is the thousandth frame as good as the first, and is what should be conserved conserved?"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...clips.clip import as_images
from ...errors import HamvaeError, UsageError
from ...metrics import mse
from ..held_out import CLIPS_AT_ONCE, HeldOut

# Moments are counted from zero, the frames in names from one, as people do.
NEAR, FAR, FARTHEST = range(8), range(192, 200), (999,)
WATCHED = (*range(200), 999)  # moments at which norm and energy are looked at
EXACT = 1e-12  # a mean squared error below this is none: it keeps the ratio of two exact renders finite


@torch.no_grad()
def roll(held_out: HeldOut) -> dict[str, float]:
    """A roll of a thousand frames from the first frame of every held-out clip that repeats. Nothing is random.

    Formulas: docs/protocols.md.

    Returns, not finite where an orbit left the range of numbers:
        mse_1_to_8, mse_193_to_200, mse_1000: errors of these frames against the clip, which repeats for ever.
        ratio: frames 193–200 over frames 1–8: about 1 if nothing is lost, and 0 if there was no error at all.
        norm_drift: of ‖s_t‖ over frames 1–200 and 1000: the mean over clips of the largest difference from ‖s₁‖, as a
            share of the mean of ‖s₁‖.
        energy_drift: likewise of the energy ½ sᵀMs; for an unconstrained operator, of what is symmetric in its M.

    Raises: UsageError: no held-out clip repeats.
    """
    source = held_out.source
    clips = held_out.clips[source.repeats(held_out.split, held_out.clips)]
    if not len(clips):
        raise UsageError(f"No held-out clip of the {source.name} source repeats, so none can be rolled for long.")
    figures = {
        name: _error(held_out, clips, moments)
        for name, moments in (("mse_1_to_8", NEAR), ("mse_193_to_200", FAR), ("mse_1000", FARTHEST))
    }
    figures["ratio"] = figures["mse_193_to_200"] / max(figures["mse_1_to_8"], EXACT)
    return figures | _drifts(held_out, clips)


def _error(held_out: HeldOut, clips: Tensor, moments: Sequence[int]) -> float:
    errors = []
    for some in torch.split(clips, CLIPS_AT_ONCE):
        indices = torch.tensor(moments).expand(len(some), -1)
        times = held_out.source.times(held_out.split, some, indices) - held_out.times[some, :1]
        labels = held_out.labels[some].to(held_out.device)
        content, state = held_out.first.content[some], held_out.first.state[some]
        try:
            images = held_out.network.render(content, state, labels, times)
        except HamvaeError:  # the orbit grew beyond what a float holds
            return float("inf")
        errors.append(mse(images, as_images(held_out.source.frames(held_out.split, some, indices).to(images.device))))
    return float(torch.cat(errors).double().mean())


def _drifts(held_out: HeldOut, clips: Tensor) -> dict[str, float]:
    network, moments = held_out.network, torch.tensor(WATCHED, device=held_out.device, dtype=torch.float32)
    norms, energies = [], []
    for some in torch.split(clips, CLIPS_AT_ONCE):
        labels = held_out.labels[some].to(held_out.device)
        try:
            states = network.trajectory(held_out.first.state[some], labels, moments.expand(len(some), -1))
        except HamvaeError:
            return {"norm_drift": float("inf"), "energy_drift": float("inf")}
        norms.append(states.double().norm(dim=-1))
        if (energy := network.energy(states, labels)) is not None:
            energies.append(energy)
    drifts = {"norm_drift": _drift(torch.cat(norms))}
    return drifts | ({"energy_drift": _drift(torch.cat(energies))} if energies else {})


def _drift(values: Tensor) -> float:
    """Of (m, t), whose first is the moment to compare with."""
    first = values[:, :1]
    return float((values - first).abs().amax(1).mean() / first.abs().mean())
