"""What the protocols draw at random: contents and motions that have not met, in balance over the classes."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ..data import Exact
from ..errors import UsageError
from .held_out import CLIPS_AT_ONCE, HeldOut

LEAST_SAMPLES = 1000  # with fewer, H(y) is biased downward


class Drawn(NamedTuple):
    """Images (b, t, 3, h, w) of the content of clips (b,) in motions of class `labels` (b,)."""

    clips: Tensor
    labels: Tensor
    images: Tensor


def balanced(samples: int, classes: int) -> int:
    """The least number of samples, at least `samples`, that is the same for every class.

    Raises: UsageError: too few for entropies.
    """
    if samples < LEAST_SAMPLES:
        raise UsageError(f"Entropies of {samples} samples are biased; ask for at least {LEAST_SAMPLES} samples.")
    return -(-samples // classes) * classes


def motions_from_prior(held_out: HeldOut, prior: str, samples: int, generator: torch.Generator) -> Iterator[Drawn]:
    """Motions from a prior, contents from real clips.

    Labels take turns. Each takes the content of another clip, of any motion: all in random order, then over again.

    Args: prior: ``fitted``, the Gaussian over the starts of training clips of the class; ``standard``, N(0, I).
    """
    network = held_out.network
    labels = torch.arange(samples) % len(network.classes)
    clips = in_turn(held_out.clips, samples, generator)
    states = network.sample_state(labels.to(held_out.device), generator, prior)
    times = torch.arange(float(held_out.source.length))
    for some in torch.split(torch.arange(samples), CLIPS_AT_ONCE):
        content = held_out.whole.content[clips[some]]
        yield Drawn(
            clips[some],
            labels[some],
            network.render(content, states[some], labels[some].to(held_out.device), times),
        )


def contents_from_prior(held_out: HeldOut, samples: int, generator: torch.Generator) -> Iterator[Drawn]:
    """Contents from N(0, I), motions of real clips: as many of each class, in random order, then over again.

    Raises: UsageError: a class that no held-out clip shows.
    """
    if why := unseen(held_out):
        raise UsageError(why)
    count = len(held_out.source.classes)
    each = samples // count
    clips = torch.cat([in_turn(held_out.clips[held_out.labels == label], each, generator) for label in range(count)])
    contents = held_out.network.sample_content(len(clips), generator)
    for some in torch.split(torch.arange(len(clips)), CLIPS_AT_ONCE):
        yield Drawn(clips[some], held_out.labels[clips[some]], held_out.render(contents[some], clips[some]))


def unseen(held_out: HeldOut) -> str:
    """Which class no held-out clip shows, so that its motion cannot be kept; empty if each is shown."""
    shown = torch.bincount(held_out.labels.cpu(), minlength=len(held_out.source.classes)).tolist()
    for name, count in zip(held_out.source.classes, shown, strict=True):
        if not count:
            way_out = (
                "move one to the test split"
                if held_out.split == "test"
                else "add clips of it, or score the test split, once, with --final"
            )
            return f"No {held_out.split} clip of '{name}' is held out, so its motion cannot be kept; {way_out}."
    return ""


def swaps(held_out: HeldOut, exact: Exact, clips: Tensor, generator: torch.Generator) -> Iterator[Drawn]:
    """The contents of `clips`, each in the motion of another character, and another motion than its own.

    There are two characters or more; see `held_out.composed`. The number of a drawn clip is that of the render it
    should be: the content's character in that motion.
    """
    motions, count = len(exact.motions), len(held_out.clips) // len(exact.motions)
    who, what = clips // motions, clips % motions
    what = (what + torch.randint(1, motions, what.shape, generator=generator)) % motions
    others = (who + torch.randint(1, count, who.shape, generator=generator)) % count
    wanted, moving = exact.performance(who, what), exact.performance(others, what)
    for some in torch.split(torch.arange(len(clips)), CLIPS_AT_ONCE):
        images = held_out.render(held_out.whole.content[clips[some]], moving[some])
        yield Drawn(wanted[some], held_out.labels[moving[some]], images)


def in_turn(clips: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` of `clips`: all in random order, then over again."""
    order = clips[torch.randperm(len(clips), generator=generator)]
    return order[torch.arange(count) % len(order)]
