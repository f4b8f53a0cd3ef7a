"""The picture training leaves behind every so often, and the score that goes with it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..clips.clip import as_frames, as_images
from ..data import Source
from ..media import sheet, write
from ..metrics import psnr
from ..network import Network

SHOWN = 3  # clips on the sheet
SCORED = 36  # clips the score is taken from


class PreviewClips:
    """Fixed clips, spread over the validation split, or over the training split where none are held out.

    The test split is never looked at while training.
    """

    def __init__(self, source: Source) -> None:
        split = "validation" if "validation" in source.splits else "train"
        labels = source.labels(split, torch.arange(source.splits[split])).tolist()
        batch = source.clips(split, torch.tensor(_spread(labels, source.identities(split))))
        self.frames, self.times, self.labels = batch.frames, batch.times, batch.labels
        self.classes = source.classes


def _spread(labels: Sequence[int], identities: Sequence[str]) -> list[int]:
    """At most SCORED clips, each of the motion, and then of the character, that those before it show least.

    Args: labels, identities: of all clips there are, by their number.
    """
    # Among equals one more than an even spacing, so that sources that list their classes in turn show all of them.
    count, step = len(labels), len(labels) // SCORED + 1
    left = list(dict.fromkeys([*(turn * step % count for turn in range(count)), *range(count)]))
    # Where identities are unknown, clips of one name in the folders of two motions most likely show the same one.
    characters = [Path(identity).stem for identity in identities]
    motions: Counter[int] = Counter()
    seen: Counter[str] = Counter()
    chosen: list[int] = []
    while left and len(chosen) < SCORED:
        clip = min(left, key=lambda number: (motions[labels[number]], seen[characters[number]]))
        left.remove(clip)
        chosen.append(clip)
        motions[labels[clip]] += 1
        seen[characters[clip]] += 1
    return chosen


def sample_sheet(model: Network, preview: PreviewClips, path: Path) -> float:
    """Draw original, reconstruction, generation from the first frame, and swap; returns the PSNR of the generations.

    Returns: dB, averaged over the frames of all preview clips.
    """
    training = model.training
    model.eval()
    device = model.device
    frames, labels = preview.frames.to(device), preview.labels.to(device)
    times = preview.times
    forward, backward = times - times[:, :1], times - times[:, -1:]
    generated = model.render(
        model.infer_content(frames[:, :1]), model.infer_state(frames[:, :1], labels).mean, labels, forward
    )
    shown, named = frames[:SHOWN], labels[:SHOWN]
    content, state = model.infer_content(shown), model.infer_state(shown, named, times[:SHOWN]).mean
    reconstructed = model.render(content, state, named, backward[:SHOWN])
    swapped = model.render(content, state.roll(-1, 0), named.roll(-1, 0), backward[:SHOWN].roll(-1, 0))
    rows: list[Tensor] = []
    names: list[str] = []
    for index in range(len(shown)):
        motion = preview.classes[int(named[index])]
        other = preview.classes[int(named.roll(-1, 0)[index])]
        rows += [shown[index], *(as_frames(images[index]) for images in (reconstructed, generated, swapped))]
        names += [motion, "reconstructed", "from frame 1", f"as {other}"]
    write(path, sheet([row.cpu() for row in rows], row_labels=names, scale=2).unsqueeze(0))
    model.train(training)
    return float(psnr(generated, as_images(frames)).mean())
