"""The judge: two small networks that share nothing, one for the action of a clip and one for its character's looks."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from ..data import Source
from ..errors import UsageError
from ..network.layers import activation, initialise
from ..runs.inventory import differences
from .advice import training_command
from .config import ACTION, JudgeConfig

REQUIRED = 0.99  # held-out accuracy below which a judge's word is not worth a table
PATCH = 4  # pixels a side that become channels before the first convolution
WIDTHS = (32, 64, 96)
FEATURES = 128


class Judge(nn.Module):
    """Says which action a clip shows, and which value each attribute of its character has.

    The action is read from all frames in their order: features of neighbouring frames meet in a convolution over time
    before they are averaged, so that frames alone, which two actions may share, do not decide. Attributes are read from
    each frame by itself; what the frames say is averaged, as logits.

    Trained with the augmentations of `augment`, it judges content and not the traces of a decoder. Who is seen in clips
    of MUG is no attribute here: nobody is on both sides of that split, so no judge could know the held-out subjects.
    """

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        self.config = config
        self.frames = _frame_features(config.size)
        self.order = nn.Conv1d(FEATURES, FEATURES, 3, padding=1, padding_mode="replicate")
        self.act = activation()
        self.action = nn.Linear(FEATURES, len(config.classes))
        looks = (_frame_features(config.size), nn.Linear(FEATURES, sum(self._counts))) if config.attributes else ()
        self.looks = nn.Sequential(*looks)
        initialise(self)

    @property
    def classes(self) -> tuple[str, ...]:
        """The actions it tells apart, in label order."""
        return self.config.classes

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """Each attribute with the names of its values; empty where the source has none."""
        return self.config.attributes

    @property
    def accuracy(self) -> dict[str, float]:
        """The share of held-out clips that each head is right about: ``action``, and every attribute."""
        return self.config.accuracy

    @property
    def _counts(self) -> list[int]:
        return [len(values) for values in self.config.attributes.values()]

    def actions(self, images: Tensor) -> Tensor:
        """Log-probabilities (b, classes) of clips (b, t, 3, h, w) in [0, 1], of any number of frames."""
        features = torch.unflatten(self.frames(_spread(images).flatten(0, 1)), 0, images.shape[:2])
        moving: Tensor = self.act(self.order(features.mT))
        return log_softmax(self.action(moving.mean(-1)), dim=-1)

    def values(self, images: Tensor) -> dict[str, Tensor]:
        """Log-probabilities (b, values) for each attribute, of clips (b, t, 3, h, w) in [0, 1]."""
        if not self.attributes:
            return {}
        logits = torch.unflatten(self.looks(_spread(images).flatten(0, 1)), 0, images.shape[:2]).mean(1)
        return dict(zip(self.attributes, map(_normalised, torch.split(logits, self._counts, dim=-1)), strict=True))

    def check(self, source: Source) -> None:
        """Make sure that this is a judge for `source`, and a good one.

        Its accuracies were measured on certain held-out clips, so clips from files must be those to the bit, and on the
        same sides of the split; where their folder is, and when they were decoded, does not matter.

        Raises: UsageError: another source, other labels, classes, frames, art or clips, or too low an accuracy.
        """
        command = training_command(source)
        train = f"train one with: {command}"
        mine, theirs = self.config.data, source.data
        if (mine.source, mine.labels) != (theirs.source, theirs.labels):
            raise UsageError(
                f"The judge is for {mine.source} ({mine.labels}) and these clips are from {theirs.source} "
                f"({theirs.labels}); {train}."
            )
        if (self.classes, self.attributes) != (source.classes, source.attributes):
            raise UsageError(
                f"The judge tells {', '.join(self.classes)} apart, and the {source.name} source has other actions or "
                f"attributes; {train}."
            )
        if self.config.size != source.size:
            raise UsageError(
                f"The judge looks at frames of {self.config.size} pixels a side, and the {source.name} source has "
                f"{source.size}; {train}."
            )
        if told := differences(self.config.material, source.material):
            what = "clips" if source.decoded else "art"
            raise UsageError(f"The {what} of the judge's source changed: {told}; {train}.")
        if mine.validation < theirs.validation:  # a larger share holds out those of a smaller one, and others
            raise UsageError(f"The judge learned from clips that are held out for validation here; {train}.")
        if replace(mine, validation=theirs.validation) != theirs:
            raise UsageError(f"The judge saw these clips framed or timed in another way; {train}.")
        for head in (ACTION, *self.attributes):
            if head not in self.accuracy:
                raise UsageError(f"How well the judge recognises the {head} was never measured; {train}.")
            if self.accuracy[head] < REQUIRED:
                raise UsageError(
                    f"The judge recognises the {head} of only {self.accuracy[head]:.2%} of held-out clips where "
                    f"{REQUIRED:.0%} are needed; train a better one with more --steps: {command}."
                )


def _frame_features(size: int) -> nn.Sequential:
    """Images (m, 3, size, size) to (m, FEATURES)."""
    first, second, third = WIDTHS
    return nn.Sequential(
        nn.PixelUnshuffle(PATCH),
        nn.Conv2d(3 * PATCH**2, first, 3, padding=1),
        activation(),
        nn.Conv2d(first, second, 4, stride=2, padding=1),
        activation(),
        nn.Conv2d(second, third, 4, stride=2, padding=1),
        activation(),
        nn.Flatten(),
        nn.Linear(third * (size // PATCH // 4) ** 2, FEATURES),
        activation(),
    )


def _spread(images: Tensor) -> Tensor:
    """[0, 1] as [−1, 3]: neighbouring shades of skin are learned apart in fewer steps from larger differences."""
    return 4 * images - 1


def _normalised(logits: Tensor) -> Tensor:
    return log_softmax(logits, dim=-1)
