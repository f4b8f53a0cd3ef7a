"""The paper's figures of one run, each as a sheet with names and as an animation."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..animate import Model
from ..clips.clip import Clip
from ..data import ATTRIBUTION, Source, grid, window
from ..errors import UsageError
from ..media import sheet, write
from .held_out import check_split

SHOWN = 3  # clips in the figure of generation, and pairs in that of swaps
COLUMNS = 3  # of an animated table of actions
SCALE = 2  # of sheets and animations

Drawn = tuple[Tensor, Tensor]
"""A sheet (1, 3, H, W), and an animation (t, 3, h, w); uint8."""


def write_figures(model: Model, source: Source, folder: Path, split: str = "validation") -> list[Path]:
    """Draw held-out clips into a folder, which is made where there is none.

        reconstruction   Figure 2: original, reconstruction, and what is generated from the first frame
        swaps            Figure 3: two clips, and each in the motion of the other
        actions          Figure 4, left: one image, every action
        samples          Figure 4, right: nobody in particular, every action

    Returns: the files, a .png and a .gif of each; of Sprites also ATTRIBUTION.txt, because the art has its licence.
    Raises:
        UsageError: no clips held out, or a folder that cannot be made or written to.
        HamvaeError: the disk refused them.
    """
    check_split(source, split)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder '{folder}' cannot be made ({error.strerror}); name another.") from None
    figures: dict[str, Callable[[Model, Source, str], Drawn]] = {
        "reconstruction": _reconstruction,
        "swaps": _swaps,
        "actions": _actions,
        "samples": _samples,
    }
    files = []
    for name, draw in figures.items():
        still, moving = draw(model, source, split)
        for path, frames, scale in ((folder / f"{name}.png", still, 1), (folder / f"{name}.gif", moving, SCALE)):
            write(path, frames, scale=scale)
            files.append(path)
    if source.name == "sprites":
        files.append(folder / "ATTRIBUTION.txt")
        files[-1].write_text(ATTRIBUTION + "\n", "utf-8")
    return files


def _reconstruction(model: Model, source: Source, split: str) -> Drawn:
    clips = [_held_out(source, split, turn, SHOWN) for turn in range(SHOWN)]
    rows, names, table = [], [], []
    for clip in clips:
        made = [model.reconstruct(clip), model.generate(clip, str(clip.label))]
        rows += [_repeated(clip, len(made[-1])), *made]
        names += [str(clip.label), "reconstructed", "from frame 1"]
        table.append([clip, *made])
    return _sheet(rows, names), grid(table)


def _swaps(model: Model, source: Source, split: str) -> Drawn:
    rows, names, table = [], [], []
    for turn in range(SHOWN):
        one, other = _held_out(source, split, 2 * turn, 2 * SHOWN), _held_out(source, split, 2 * turn + 1, 2 * SHOWN)
        made = [model.swap(one, other), model.swap(other, one)]
        rows += [one, other, *made]
        names += [f"A  {one.label}", f"B  {other.label}", "A  as  B", "B  as  A"]
        table.append([one, other, *made])
    return _sheet(rows, names), grid(table)


def _actions(model: Model, source: Source, split: str) -> Drawn:
    image = _held_out(source, split, 0, 1)
    made = [model.generate(image, action) for action in model.classes]
    still = Clip(frames=image.frames[:1], times=image.times[:1], label="the image", source=image.source)
    return _sheet([still, *made], ["the image", *model.classes]), grid(
        [[still if not at else None, *row] for at, row in enumerate(_table(made))]
    )


def _samples(model: Model, source: Source, split: str) -> Drawn:
    made = [model.sample(action, seed=number)[0] for number, action in enumerate(model.classes)]
    return _sheet(made, model.classes), grid(_table(made))


def _held_out(source: Source, split: str, turn: int, turns: int) -> Clip:
    """A clip for each turn, of classes and characters that are far apart."""
    every = torch.arange(source.splits[split])
    labels = source.labels(split, every)
    shown = torch.unique(labels)
    label = shown[turn * max(1, (len(shown) - 1) // 2) % len(shown)]
    own = every[labels == label]
    return window(source, split, int(own[(2 * turn + 1) * len(own) // (2 * turns)]))


def _repeated(clip: Clip, length: int) -> Clip:
    """As many frames of a clip that repeats; others stay as they are."""
    if clip.period is None:
        return clip
    times = torch.arange(length)
    return Clip(frames=clip.frames[times % clip.period], times=times.float(), label=clip.label, source=clip.source)


def _sheet(clips: list[Clip], names: list[str] | tuple[str, ...]) -> Tensor:
    longest = max(len(clip) for clip in clips)
    frames = [clip.frames for clip in clips]
    numbers = [str(number + 1) for number in range(longest)]
    return sheet(frames, row_labels=names, column_labels=numbers, scale=SCALE).unsqueeze(0)


def _table(clips: list[Clip]) -> list[list[Clip]]:
    return [clips[at : at + COLUMNS] for at in range(0, len(clips), COLUMNS)]
