"""What a step looks at: clips, frames of them and times, all drawn from a generator seeded by (seed, step)."""

import numpy as np
import torch
from torch import Tensor

from ..config import Config
from ..data import Source
from ..history import lookback
from ..model import Views


def draw_views(config: Config, source: Source, generator: torch.Generator, device: torch.device) -> Views:
    """Draw a batch of clips and what to look at in each: eq. (11)'s random reference frame and random targets.

    A clip that repeats is seen whole, any other through a random window of the model's length. The reference frame is
    uniform over that. For a share `single_image` of the clips it is the first frame, seen without history and with
    content from it alone: what generation from one image asks for. Targets are a random few of the frames, of a clip
    that repeats tiled to `horizon` frames so that the flow learns to come round.
    """
    training, batch, history = config.training, config.training.batch, config.model.history
    clips = torch.randint(source.splits["train"], (batch,), generator=generator)
    lengths, repeats = source.lengths("train", clips), source.repeats("train", clips)
    span = torch.where(repeats, lengths, config.model.length)
    reference = _below(span, generator)
    single = torch.rand(batch, generator=generator) < training.single_image
    reference[single] = 0
    content = torch.rand(batch, history, generator=generator) < 0.5
    reach = torch.where(repeats, span.clamp(min=training.horizon), span)
    order = torch.rand(batch, int(reach.max()), generator=generator)
    order[torch.arange(order.shape[1]) >= reach.unsqueeze(1)] = torch.inf
    targets = order.argsort(1)[:, : training.decoded_frames]
    start = _below(lengths - span + 1, generator).unsqueeze(1)

    whole = start + torch.arange(int(span.max()))
    window, seen = lookback(source.times("train", clips, whole), reference, history)
    content &= seen
    content[~content.any(1), -1] = True
    chosen = start + torch.cat([window, targets], dim=1)
    frames = source.frames("train", clips, chosen).to(device)
    times = source.times("train", clips, chosen)
    return Views(
        window=frames[:, :history],
        history=seen.to(device),
        content=content.to(device),
        targets=frames[:, history:],
        offsets=(times[:, history:] - times[:, history - 1 : history]).to(device),
        labels=source.labels("train", clips).to(device),
    )


def _below(limits: Tensor, generator: torch.Generator) -> Tensor:
    """Whole numbers int64 (m,), uniform over 0 to limit − 1 for each of `limits` (m,)."""
    return (torch.rand(limits.shape, generator=generator, dtype=torch.float64) * limits).long()


def seed_of(seed: int, step: int) -> int:
    """A seed for one step: independent streams for neighbouring (seed, step)."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1)[0])
