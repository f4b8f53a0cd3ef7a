"""What a step looks at: clips, frames of them, times and noise, all drawn from a generator seeded by (seed, step)."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..config.run import Config
from ..data import Source
from ..network import Noise, Views, lookback

Rows = TypeVar("Rows", Views, Noise)


@dataclass(frozen=True)
class Draw:
    """Everything random of some rows of a step's batch."""

    views: Views
    noise: Noise

    def __len__(self) -> int:
        return len(self.views.labels)

    def cut(self, parts: int) -> list[Self]:
        """The same rows in as many parts, the first of them a row longer where they do not divide."""
        return [self._each(itemgetter(share(len(self), parts, part))) for part in range(parts)]

    def to(self, device: torch.device) -> Self:
        return self._each(lambda value: value.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(_each(self.views, change), _each(self.noise, change))


def share(rows: int, parts: int, part: int) -> slice:
    """Which of so many rows part number `part` takes: neighbours, one more for the first where they do not divide."""
    each, longer = divmod(rows, parts)
    start = part * each + min(part, longer)
    return slice(start, start + each + (part < longer))


def draw_step(config: Config, source: Source, step: int, rows: slice = slice(None)) -> Draw:
    """What step number `step` looks at, or those `rows` of it.

    Everything is drawn for the whole batch, whatever part is asked for; only the frames of `rows` are fetched. So
    a step means the same in one process and in many, at once and in parts.
    """
    generator = torch.Generator().manual_seed(seed_of(config.training.seed, step))
    views = draw_views(config, source, generator, rows)
    noise = Noise.draw(config.model, config.training.batch, generator)
    return Draw(views, _each(noise, itemgetter(rows)))


def draw_views(config: Config, source: Source, generator: torch.Generator, rows: slice = slice(None)) -> Views:
    """Draw a batch of clips and what to look at in each: eq. (11)'s random reference frame and random targets.

    A clip that repeats is seen whole, any other through a random window of the model's length. The reference frame is
    uniform over that. For a share `single_image` of the clips it is the first frame, seen without history and with
    content from it alone: what generation from one image asks for. Targets are a random few of the frames, of a clip
    that repeats tiled to `horizon` frames so that the flow learns to come round.

    Args: rows: of the batch, to be looked at; the generator goes on as for the whole.
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

    clips, span, reference, content, targets, start = (
        part[rows] for part in (clips, span, reference, content, targets, start)
    )
    whole = start + torch.arange(int(span.max()))
    window, seen = lookback(source.times("train", clips, whole), reference, history)
    content &= seen
    content[~content.any(1), -1] = True
    chosen = start + torch.cat([window, targets], dim=1)
    frames = source.frames("train", clips, chosen)
    times = source.times("train", clips, chosen)
    return Views(
        window=frames[:, :history],
        history=seen,
        content=content,
        targets=frames[:, history:],
        offsets=times[:, history:] - times[:, history - 1 : history],
        labels=source.labels("train", clips),
    )


def _each(batch: Rows, change: Callable[[Tensor], Tensor]) -> Rows:
    return type(batch)(**{name: change(value) for name, value in vars(batch).items()})


def _below(limits: Tensor, generator: torch.Generator) -> Tensor:
    """Whole numbers int64 (m,), uniform over 0 to limit − 1 for each of `limits` (m,)."""
    return (torch.rand(limits.shape, generator=generator, dtype=torch.float64) * limits).long()


def seed_of(seed: int, step: int) -> int:
    """A seed for one step: independent streams for neighbouring (seed, step)."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1)[0])
