"""The exact swap: "A moving as B" against the render that shows just that."""

import torch

from ...clips.clip import as_images
from ...metrics import FrameScores, mse
from ..draws import swaps
from ..held_out import HeldOut, composed


@torch.no_grad()
def swap(held_out: HeldOut, *, seed: int = 0) -> dict[str, float]:
    """Every held-out clip's content in another motion of another character, against the known render.

    Formulas: docs/protocols.md.

    Args: seed: of the pairing.

    Returns:
        ssim, psnr, mse, psnr_of_mse: of the swaps, as in `generation`.
        reconstruction_psnr, reconstruction_mse: of the same renders through the model, content and motion both theirs.
        leakage_mse, leakage_db: how much worse the swaps are: their MSE less that of the reconstructions, and the
            PSNR of the reconstructions less theirs. None is lost where content and motion do not leak into each other.
        right_motion: share of swaps that are nearer to the right render of the character than to any other motion's.

    Raises: UsageError: clips from files, which have no renders of what nobody recorded, or one character alone.
    """
    exact, source = composed(held_out), held_out.source
    motions = len(exact.motions)
    parts, right, wanted = [], [], []
    for renders, _, images in swaps(held_out, exact, held_out.clips, torch.Generator().manual_seed(seed)):
        who, what = renders // motions, renders % motions
        characters, place = torch.unique(who, return_inverse=True)
        every = exact.performance(characters.repeat_interleave(motions), torch.arange(motions).repeat(len(characters)))
        shown = as_images(source.clips(held_out.split, every).frames.to(images.device))
        shown = torch.unflatten(shown, 0, (len(characters), motions))
        parts.append(FrameScores.of(images, shown[place, what]))
        distance = torch.stack([mse(images, shown[place, motion]).mean(1) for motion in range(motions)], dim=1)
        right.append(distance.argmin(1).cpu() == what)
        wanted.append(renders)
    figures = FrameScores.joined(parts).figures()
    whole, these = held_out.reconstructions, torch.cat(wanted)
    psnr, error = float(whole.psnr[these].mean()), float(whole.mse[these].mean())
    return figures | {
        "reconstruction_psnr": psnr,
        "reconstruction_mse": error,
        "leakage_mse": figures["mse"] - error,
        "leakage_db": psnr - figures["psnr"],
        "right_motion": float(torch.cat(right).double().mean()),
    }
