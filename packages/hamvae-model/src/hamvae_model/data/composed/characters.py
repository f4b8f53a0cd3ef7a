"""Characters put together from layers: the source behind `builtin` and `sprites`.

A character is one value for each of four attributes (6⁴ = 1296 of them); it performs nine motions of
eight frames. The art is a bank of RGBA cells; clips are composed when asked for, on the bank's device,
so nothing but the bank (tens of megabytes) is held in memory.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor

from ...clips import Clip
from ...config import DataConfig
from ...config.choices import VALIDATION
from ...errors import UsageError
from ...words import nearest
from ..source import Source
from ..validation import held_out
from .compose import BLACK, over, pack, unpack

TRAIN_CHARACTERS = 1000
SPLIT_SEED = 423  # numpy's legacy generator, as the data set's authors drew it: 1000 train, 296 test


@dataclass(frozen=True, kw_only=True)
class Art:
    """The drawn parts of a compositional source.

    Args:
        name: the source's name on the command line.
        attributes: each varying attribute with the names of its values, in character-code order.
        actions, directions: motions are numbered 3·action + direction.
        layers: attribute drawn at each depth, back to front; a layer outside `attributes` never varies.
        cells: for each layer, uint8 (values, motions, frames, 4, h, w), straight alpha.
    """

    name: str
    attributes: Mapping[str, tuple[str, ...]]
    actions: tuple[str, ...]
    directions: tuple[str, ...]
    layers: tuple[str, ...]
    cells: tuple[Tensor, ...]


class Characters(Source):
    """A source of clips of composed characters.

    Args:
        art: the bank of drawn parts.
        labels: what a class is: ``action`` (walk, …) or ``action-direction`` (walk-left, …).
        device: where clips are composed.
        validation: share of the training characters that is held out; see `validation.held_out`.
    """

    def __init__(
        self,
        art: Art,
        labels: str = "action-direction",
        device: torch.device | str = "cpu",
        validation: float = VALIDATION,
    ) -> None:
        self.name = art.name
        self.data = DataConfig(source=art.name, labels=labels, validation=validation)
        self.device = torch.device(device)
        self.motions = tuple(f"{action}-{direction}" for action in art.actions for direction in art.directions)
        self.classes = self.motions if labels == "action-direction" else art.actions
        self.attributes = dict(art.attributes)
        self.length = int(art.cells[0].shape[2])
        self.periods = self.spans = (float(self.length),) * len(self.classes)
        self.size = int(art.cells[0].shape[-1])
        self._layers = art.layers
        self._motions_per_class = len(self.motions) // len(self.classes)
        self._cells = tuple(pack(cells.to(device)) for cells in art.cells)
        self._translucent = tuple(_translucent(cells.to(device)) for cells in art.cells)
        self._sides = _sides([len(values) for values in self.attributes.values()])
        everybody = [str(number) for number in range(TRAIN_CHARACTERS)]
        chosen = held_out(everybody, torch.zeros(TRAIN_CHARACTERS, dtype=torch.int64), validation)
        # Characters keep the numbers by which they are called, whatever share is held out.
        self._numbers = {"train": (~chosen).nonzero()[:, 0]}
        if chosen.any():
            self._numbers["validation"] = chosen.nonzero()[:, 0]
        self._numbers["test"] = torch.arange(len(self._sides["test"]))
        self.splits = {split: len(numbers) * len(self.motions) for split, numbers in self._numbers.items()}

    @cached_property
    def material(self) -> dict[str, str]:
        """A short hash of the cells of each layer of art."""
        cells = zip(self._layers, self._cells, strict=True)
        return {
            layer: f"layer {hashlib.blake2b(pixels.cpu().numpy().tobytes(), digest_size=8).hexdigest()}"
            for layer, pixels in cells
        }

    @property
    def exact(self) -> Self:
        """Every character of a split in every motion."""
        return self

    def performance(self, characters: Tensor, motions: Tensor) -> Tensor:
        """The clips (m,) in which `characters` (m,), given by their position in a split, perform `motions` (m,)."""
        return characters * len(self.motions) + motions

    def identities(self, split: str) -> list[str]:
        """Who is seen in each clip of a split: the number of its character."""
        return [str(number) for number in self._numbers[split].tolist() for _ in self.motions]

    def labels(self, split: str, clips: Tensor) -> Tensor:
        """Classes int64 (m,) of clips (m,)."""
        return clips % len(self.motions) // self._motions_per_class

    def lengths(self, split: str, clips: Tensor) -> Tensor:
        """Frames int64 (m,) of clips (m,): all alike."""
        return torch.full_like(clips, self.length)

    def repeats(self, split: str, clips: Tensor) -> Tensor:
        """bool (m,): every motion comes round."""
        return torch.ones_like(clips, dtype=torch.bool)

    def times(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        """When frames number `indices` (m, t) are shown, float32 (m, t): a frame is a unit of time."""
        return indices.float()

    def values(self, split: str, clips: Tensor) -> Tensor:
        """Attribute values int64 (m, attributes) of clips (m,)."""
        numbers = self._numbers[split][clips.cpu() // len(self.motions)]
        return self._values("test" if split == "test" else "train", numbers)

    def _values(self, side: str, numbers: Tensor) -> Tensor:
        """Attribute values int64 (m, attributes) of characters by the numbers by which they are called."""
        codes = self._sides[side][numbers]
        sizes = tuple(len(values) for values in self.attributes.values())
        return torch.stack(torch.unravel_index(codes, sizes), dim=-1)

    def frames(self, split: str, clips: Tensor, indices: Tensor) -> Tensor:
        """Composed frames uint8 (m, t, 3, h, w) number `indices` (m, t) of `clips` (m,), repeating for ever."""
        return self._composed(self.values(split, clips), clips % len(self.motions), indices)

    def _composed(self, values: Tensor, motions: Tensor, indices: Tensor) -> Tensor:
        """Frames as of `frames`, of characters with `values` (m, attributes) in `motions` (m,)."""
        count, length = indices.shape
        values = values.repeat_interleave(length, dim=0).to(self.device)
        motion = motions.repeat_interleave(length).to(self.device)
        frame = (indices.flatten() % self.length).to(self.device)
        canvas = torch.tensor(BLACK, dtype=torch.int32, device=self.device)
        canvas = canvas.expand(count * length, self.size, self.size)
        for layer, cells, translucent in zip(self._layers, self._cells, self._translucent, strict=True):
            value = self._value(layer, values)
            canvas = over(canvas, cells[value, motion, frame], translucent[value, motion, frame])
        return torch.unflatten(unpack(canvas)[:, :3], 0, (count, length))

    def clip(self, split: str, name: str) -> Clip:
        """One clip, named ``12/walk-left`` after its character's number and its motion.

        A character held out for validation keeps the number it has among those to train on, and is found under both.

        Raises: UsageError: no such split, character or motion.
        """
        if split not in self.splits:
            raise UsageError(f"The {self.name} source has no split '{split}'{nearest(split, self.splits)}")
        character, _, motion = name.partition("/")
        side = "test" if split == "test" else "train"
        count = len(self._sides[side])
        if not (re.fullmatch("[0-9]{1,9}", character) and int(character) < count):
            raise UsageError(f"{self.name}:{split} has characters 0 to {count - 1}; '{character}' is not one of them.")
        if not motion:
            whole = f"{self.name}:{split}/{character}"
            raise UsageError(f"'{whole}' names no motion; add one: {whole}/{self.motions[0]}.")
        if motion not in self.motions:
            raise UsageError(f"The {self.name} source has no motion '{motion}'{nearest(motion, self.motions)}")
        values, which = self._values(side, torch.tensor([int(character)])), self.motions.index(motion)
        times = torch.arange(self.length)
        return Clip(
            frames=self._composed(values, torch.tensor([which]), times.unsqueeze(0))[0].cpu(),
            times=times.float(),
            label=self.classes[which // self._motions_per_class],
            source=f"{self.name}:{split}/{name}",
            alpha=self._coverage(values, which).cpu(),
            period=self.length,
        )

    def _value(self, layer: str, values: Tensor) -> Tensor:
        names = list(self.attributes)
        return values[:, names.index(layer)] if layer in names else torch.zeros_like(values[:, 0])

    def _coverage(self, values: Tensor, motion: int) -> Tensor:
        """uint8 (t, 1, h, w) for one character: 1 − Π(1 − αₗ) over its layers."""
        clear = torch.ones(self.length, 1, self.size, self.size, device=self.device)
        for layer, cells in zip(self._layers, self._cells, strict=True):
            clear = clear * (1 - unpack(cells[int(self._value(layer, values)), motion])[:, 3:] / 255)
        return ((1 - clear) * 255).round().to(torch.uint8)


def _translucent(cells: Tensor) -> Tensor:
    alpha = cells[..., 3, :, :]
    return ((alpha > 0) & (alpha < 255)).flatten(-2).any(-1)


def _sides(sizes: list[int]) -> dict[str, Tensor]:
    """The codes of the characters on the two sides of the data set."""
    order = torch.from_numpy(np.random.RandomState(SPLIT_SEED).permutation(int(np.prod(sizes))))
    return {"train": order[:TRAIN_CHARACTERS], "test": order[TRAIN_CHARACTERS:]}
