"""Training a judge: an iterator of reports, and the judge in the end."""

import math
import time
from collections.abc import Generator
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import nll_loss

from ..clips.clip import as_images
from ..config.choices import JUDGE_STEPS
from ..data import Source
from ..errors import UsageError
from ..training import Report
from .augment import augmented
from .config import ACTION, JudgeConfig
from .network import Judge

WINDOWS, FRAMES = 8, 64  # a step: of clips for the action, and of as many clips for the attributes
ACTION_RATE, LOOKS_RATE = 5e-4, 2e-3  # actions are learned soon, and lost at the rate that shades of skin need
REPORT_EVERY = 10
CLIPS_AT_ONCE = 64  # when all held-out clips are judged


def train_judge(
    source: Source, *, steps: int = JUDGE_STEPS, seed: int = 0, device: torch.device | str = "cpu"
) -> Generator[Report, None, Judge]:
    """Train a judge on the train split and measure it on all validation clips, or test clips where there are none.

    Each item is a `Report`, whose losses are the cross-entropies of the heads in nats; the generator
    returns the judge. Windows begin at a random frame, of a clip that repeats at any phase of it, and are `augmented`.

    Raises: UsageError: the source has no held-out clips.
    """
    if not source.splits.get(measured_on(source)):
        raise UsageError(
            f"The {source.name} source has no held-out clips, and a judge is measured on those; move some to the "
            "test split."
        )
    judge = new_judge(source, steps=steps, seed=seed).to(device)
    looks = list(judge.looks.parameters())
    others = [*judge.frames.parameters(), *judge.order.parameters(), *judge.action.parameters()]
    optimiser = torch.optim.Adam([{"params": others, "lr": ACTION_RATE}, {"params": looks, "lr": LOOKS_RATE}])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps)))
    generator = torch.Generator().manual_seed(seed)
    began = time.perf_counter()
    for step in range(1, steps + 1):
        losses = _losses(judge, source, generator, device)
        loss = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % REPORT_EVERY == 0 or step == steps:
            seconds = time.perf_counter() - began
            yield Report(
                step=step,
                steps=steps,
                losses={head: float(value.detach()) for head, value in losses.items()},
                sequences_per_second=WINDOWS * step / seconds,
                seconds=seconds,
                eta_seconds=(steps - step) * seconds / step,
            )
    judge.eval().requires_grad_(False)
    judge.config = replace(judge.config, accuracy=measure(judge, source))
    return judge


def new_judge(source: Source, *, steps: int, seed: int) -> Judge:
    """An untrained judge of a source, its initial weights a function of the seed alone."""
    config = JudgeConfig(
        data=source.data,
        material=dict(source.material),
        classes=source.classes,
        attributes=dict(source.attributes),
        size=source.size,
        length=source.length,
        steps=steps,
        seed=seed,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Judge(config)


def measured_on(source: Source) -> str:
    """The split that a judge is measured on: none that a model is scored on in the end, if there is another."""
    return "validation" if "validation" in source.splits else "test"


def measure(judge: Judge, source: Source) -> dict[str, float]:
    """The share of all clips it is measured on that each head is right about."""
    return {head: float((said == true).float().mean()) for head, (said, true) in verdicts(judge, source).items()}


@torch.no_grad()
def verdicts(judge: Judge, source: Source) -> dict[str, tuple[Tensor, Tensor]]:
    """What each head says of every clip it is measured on, seen through its first window, and the truth.

    Returns: int64 (clips,) both.
    """
    device = judge.action.weight.device
    said: dict[str, list[Tensor]] = {head: [] for head in (ACTION, *judge.attributes)}
    split = measured_on(source)
    every = torch.arange(source.splits[split])
    for clips in torch.split(every, CLIPS_AT_ONCE):
        images = as_images(source.clips(split, clips).frames.to(device))
        for head, scores in {ACTION: judge.actions(images), **judge.values(images)}.items():
            said[head].append(scores.argmax(-1).cpu())
    true = truth(source, split, every)
    return {head: (torch.cat(parts), true[head]) for head, parts in said.items()}


def _losses(judge: Judge, source: Source, generator: torch.Generator, device: torch.device | str) -> dict[str, Tensor]:
    """The cross-entropy of each head, on random windows for actions and on random frames for attributes."""
    clips, images = _drawn(source, WINDOWS, source.length, generator, device)
    scores = judge.actions(images)
    losses = {ACTION: nll_loss(scores, truth(source, "train", clips)[ACTION].to(device))}
    if judge.attributes:
        clips, images = _drawn(source, FRAMES, 1, generator, device)
        true = truth(source, "train", clips)
        losses |= {head: nll_loss(score, true[head].to(device)) for head, score in judge.values(images).items()}
    return losses


def _drawn(
    source: Source, count: int, length: int, generator: torch.Generator, device: torch.device | str
) -> tuple[Tensor, Tensor]:
    """Random training clips (count,), and `length` frames of each from a random one on, as augmented images."""
    clips = torch.randint(source.splits["train"], (count,), generator=generator)
    lengths = source.lengths("train", clips)
    starts = torch.where(source.repeats("train", clips), lengths, lengths - length + 1)
    first = (torch.rand(count, generator=generator, dtype=torch.float64) * starts).long()
    frames = source.frames("train", clips, first.unsqueeze(1) + torch.arange(length))
    return clips, augmented(as_images(frames.to(device)), generator)


def truth(source: Source, split: str, clips: Tensor) -> dict[str, Tensor]:
    """What is to be said of clips (m,), int64 (m,) for each head."""
    true = {ACTION: source.labels(split, clips).cpu()}
    return true | dict(zip(source.attributes, source.values(split, clips).T, strict=True))
