"""What a model is worth on characters and clips it has never seen; every figure has the exact frames as its truth.

Composed characters make the truth of a swap known: "A moving as B" is a clip the source can draw.
"""

from collections import defaultdict
from collections.abc import Iterator

import torch
from torch import Tensor

from ..clip import as_images
from ..data import Characters, Source
from ..errors import UsageError
from ..model import HamVAE
from .metrics import mse, psnr, ssim

CLIPS_AT_ONCE = 32
CHARACTERS_AT_ONCE = 8  # held in memory as images while one model looks at them
GENERATED = 16  # frames rolled from the first one: twice the clip, as in the paper's Table 1
EXACT = 1e-12  # a mean squared error below this is none: it keeps the ratio of two exact renders finite
ROLL = range(192, 200)  # frames 193–200, counted from one as people do


def held_out(model: HamVAE, source: Source, *, characters: int | None = None, seed: int = 0) -> dict[str, float]:
    """Score a model on the first `characters` of the test split (all of them unless given) in every motion.

    Per-frame figures are averaged over frames, then clips; PSNR is capped at 60 dB.

    Args:
        model: trained on this source's classes.
        source: composed characters.
        characters: how many of the test split.
        seed: of the pairing of motions in swaps.

    Returns:
        reconstruction_psnr: clips through the model.
        one_frame_psnr, one_frame_ssim, one_frame_mse: 16 frames from the first frame alone (content, position and
            momentum all from it) against the clip played twice.
        swap_psnr: one character's content with another's motion of another class, against the render.
        swap_class_accuracy: share of swaps whose nearest render of that character, over all motions, is the right one.
        static_psnr: the floor: the first frame shown 16 times.
        roll_mse, roll_mse_ratio: frames 193–200 of a roll from the first frame; the ratio is to frames 1–8.

    Raises: UsageError: the source is not of composed characters, has other classes, or fewer characters.
    """
    if not isinstance(source, Characters):
        raise UsageError(f"The {source.name} source has no exact renders to score against; use builtin or sprites.")
    if source.classes != model.classes:
        raise UsageError(f"The model moves {', '.join(model.classes)}; the {source.name} source has other classes.")
    available = source.splits["test"] // len(source.motions)
    count = available if characters is None else characters
    if not 1 <= count <= available:
        raise UsageError(f"{source.name}:test has {available} characters; {count} were asked for.")
    generator = torch.Generator().manual_seed(seed)
    values: defaultdict[str, list[Tensor]] = defaultdict(list)
    for some in torch.split(torch.arange(count), CHARACTERS_AT_ONCE):
        for name, value in _scores(model, source, some, count, generator):
            values[name].append(value.flatten().cpu().double())
    means = {name: float(torch.cat(parts).mean()) for name, parts in values.items()}
    start = max(means.pop("start_mse"), EXACT)
    return means | {"roll_mse_ratio": means["roll_mse"] / start}


def held_out_clips(model: HamVAE, source: Source) -> dict[str, float]:
    """Score a model on the test split of any source, whose clips are their own truth.

    Per-frame figures are averaged over frames, then clips; PSNR is capped at 60 dB.

    Returns:
        clips: of the test split, all seen through their first window.
        reconstruction_psnr: windows through the model.
        one_frame_psnr, one_frame_ssim, one_frame_mse: a window and as many frames again from the first frame alone, of
            the clips that have or repeat so many; `rolled_clips` is their number.
        static_psnr: the floor: the first frame shown all the time.

    Raises: UsageError: the source has other classes, or no test clips.
    """
    if source.classes != model.classes:
        raise UsageError(f"The model moves {', '.join(model.classes)}; the {source.name} source has other classes.")
    if not source.splits["test"]:
        raise UsageError(f"The {source.name} source holds no clips out; move some to the test split.")
    device = model.start_prior.mean.device
    rolled = 2 * source.length
    values: defaultdict[str, list[Tensor]] = defaultdict(list)
    for some in torch.split(torch.arange(source.splits["test"]), CLIPS_AT_ONCE):
        batch = source.clips("test", some)
        frames, labels, times = batch.frames.to(device), batch.labels.to(device), batch.times
        state = model.infer_state(frames, labels, times).mean
        images = model.render(model.infer_content(frames), state, labels, times - times[:, -1:])
        values["reconstruction_psnr"].append(psnr(images, as_images(frames)).mean(1))
        long = some[source.repeats("test", some) | (source.lengths("test", some) >= rolled)]
        if not len(long):
            continue
        indices = torch.arange(rolled).expand(len(long), -1)
        truth = as_images(source.frames("test", long, indices).to(device))
        first, labels = source.frames("test", long, indices[:, :1]).to(device), source.labels("test", long).to(device)
        moments = source.times("test", long, indices)
        state = model.infer_state(first, labels).mean
        images = model.render(model.infer_content(first), state, labels, moments - moments[:, :1])
        still = truth[:, :1].expand_as(truth)
        for name, score in (("psnr", psnr), ("ssim", ssim), ("mse", mse)):
            values[f"one_frame_{name}"].append(score(images, truth).mean(1))
        values["static_psnr"].append(psnr(still, truth).mean(1))
    counts = {
        "clips": len(torch.cat(values["reconstruction_psnr"])),
        "rolled_clips": sum(map(len, values["static_psnr"])),
    }
    means = {name: float(torch.cat(parts).double().mean()) for name, parts in values.items() if parts}
    return {name: float(count) for name, count in counts.items()} | means


def _scores(
    model: HamVAE, source: Characters, characters: Tensor, count: int, generator: torch.Generator
) -> Iterator[tuple[str, Tensor]]:
    device = model.start_prior.mean.device
    motions = len(source.motions)
    who = characters.repeat_interleave(motions)
    what = torch.arange(motions).repeat(len(characters))
    clips = source.performance(who, what)
    labels = source.labels("test", clips).to(device)
    frames = source.clips("test", clips).frames.to(device)
    truth = as_images(frames)
    length = truth.shape[1]
    backward = torch.arange(1.0 - length, 1)

    content = model.infer_content(frames)
    state = model.infer_state(frames, labels).mean
    yield "reconstruction_psnr", psnr(model.render(content, state, labels, backward), truth)

    alone = model.infer_content(frames[:, :1])
    first = model.infer_state(frames[:, :1], labels).mean
    generated = model.render(alone, first, labels, torch.arange(float(GENERATED)))
    expected = truth[:, torch.arange(GENERATED) % length]
    yield "one_frame_psnr", psnr(generated, expected)
    yield "one_frame_ssim", ssim(generated, expected)
    yield "one_frame_mse", mse(generated, expected)
    yield "static_psnr", psnr(truth[:, :1].expand_as(expected), expected)
    yield "start_mse", mse(generated[:, :length], truth)
    rolled = model.render(alone, first, labels, torch.tensor([float(frame) for frame in ROLL]))
    yield "roll_mse", mse(rolled, truth[:, torch.tensor(ROLL) % length])

    others = torch.randint(count, who.shape, generator=generator)
    shift = torch.randint(1, motions, what.shape, generator=generator)
    moves = source.performance(others, (what + shift) % motions)
    labels = source.labels("test", moves).to(device)
    state = model.infer_state(source.clips("test", moves).frames.to(device), labels).mean
    swapped = model.render(content, state, labels, backward)
    wanted = (what + shift) % motions
    renders = torch.unflatten(truth, 0, (len(characters), motions)).repeat_interleave(motions, dim=0)
    yield "swap_psnr", psnr(swapped, renders[torch.arange(len(who)), wanted])
    distance = torch.stack([mse(swapped, renders[:, motion]).mean(-1) for motion in range(motions)], dim=1)
    yield "swap_class_accuracy", (distance.argmin(1).cpu() == wanted).float()
