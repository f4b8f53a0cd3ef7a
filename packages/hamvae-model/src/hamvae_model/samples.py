"""The picture training leaves behind every so often, and the score that goes with it."""

from pathlib import Path

import torch
from torch import Tensor

from .clip import as_frames, as_images
from .data import Source
from .evaluation.metrics import psnr
from .media import sheet, write
from .model import HamVAE

SHOWN = 3  # clips on the sheet
SCORED = 36  # clips the score is taken from


class PreviewClips:
    """Fixed clips, spread over the validation split, or over the training split where none are held out.

    The test split is never looked at while training.
    """

    def __init__(self, source: Source) -> None:
        # One more than an even spacing, so that sources that list their classes in turn show all of them.
        split = "validation" if "validation" in source.splits else "train"
        clips = torch.arange(SCORED) * (source.splits[split] // SCORED + 1) % source.splits[split]
        batch = source.clips(split, clips)
        self.frames, self.times, self.labels = batch.frames, batch.times, batch.labels
        self.classes = source.classes


def sample_sheet(model: HamVAE, preview: PreviewClips, path: Path) -> float:
    """Draw original, reconstruction, generation from the first frame, and swap; returns the PSNR of the generations.

    Returns: dB, averaged over the frames of all preview clips.
    """
    training = model.training
    model.eval()
    device = model.start_prior.mean.device
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
    for index in range(SHOWN):
        motion = preview.classes[int(named[index])]
        other = preview.classes[int(named.roll(-1, 0)[index])]
        rows += [shown[index], *(as_frames(images[index]) for images in (reconstructed, generated, swapped))]
        names += [motion, "reconstructed", "from frame 1", f"as {other}"]
    write(path, sheet([row.cpu() for row in rows], row_labels=names, scale=2).unsqueeze(0))
    model.train(training)
    return float(psnr(generated, as_images(frames)).mean())
