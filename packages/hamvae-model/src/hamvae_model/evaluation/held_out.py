"""The held-out clips a model is scored on, and what it reads from them; computed once, for every protocol."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from ..animate import Model
from ..clips.clip import as_images
from ..data import ENOUGH, Exact, Source
from ..errors import UsageError
from ..metrics import FrameScores

ALONE = "One character has no other to take a motion from; swap and identity look at two characters or more."
CLIPS_AT_ONCE = 36  # held in memory as images; four characters in nine motions


class Latents(NamedTuple):
    """What a model reads from clips: posterior means of the content (m, c) and of the motion state (m, 2d)."""

    content: Tensor
    state: Tensor


class HeldOut:
    """A split of a source that was not trained on, or its first characters, seen through windows of `source.length`.

    Args:
        model: trained on this source's classes.
        source: of clips; composed characters or clips from files.
        characters: how many of the split, each in every motion; all of them unless given.
        split: ``validation``, which settings may be chosen by, or ``test``, which is for the end.

    Raises: UsageError: other classes, no clips held out, more characters than there are, or characters asked for of a
        source that has none.
    """

    def __init__(
        self, model: Model, source: Source, characters: int | None = None, *, split: str = "validation"
    ) -> None:
        if source.classes != model.classes:
            raise UsageError(f"The model moves {', '.join(model.classes)}; the {source.name} source has other classes.")
        check_split(source, split)
        self.network, self.source, self.split = model.network, source, split
        self.device = model.network.device
        self.clips = torch.arange(_count(source, split, characters))
        self.labels = source.labels(split, self.clips)

    @property
    def characters(self) -> int | None:
        """How many composed characters these clips show; None for clips from files."""
        exact = self.source.exact
        return None if exact is None else len(self.clips) // len(exact.motions)

    @property
    def identities(self) -> int:
        """How many are seen in these clips; a clip of nobody known counts as one."""
        every = self.source.identities(self.split)
        return len({every[clip] for clip in self.clips.tolist()})

    @cached_property
    def long(self) -> Tensor:
        """Those of the clips that repeat, or have twice as many frames as a window."""
        return longer(self.source, self.split, self.clips)

    def windows(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Numbers (b,), frames uint8 (b, t, 3, h, w) on the model's device, and times (b, t), in parts."""
        for some in torch.split(self.clips, CLIPS_AT_ONCE):
            batch = self.source.clips(self.split, some)
            yield some, batch.frames.to(self.device), batch.times

    def two_windows(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Numbers (b,), images (b, 2t, 3, h, w) in [0, 1] and times (b, 2t) of the `long` clips, in parts."""
        for some in torch.split(self.long, CLIPS_AT_ONCE):
            indices = torch.arange(2 * self.source.length).expand(len(some), -1)
            frames = self.source.frames(self.split, some, indices).to(self.device)
            yield some, as_images(frames), self.source.times(self.split, some, indices)

    @cached_property
    def _read(self) -> tuple[Latents, Latents, Tensor]:
        whole: list[Latents] = []
        first: list[Latents] = []
        times = []
        for some, frames, moments in self.windows():
            labels, image = self.labels[some].to(self.device), frames[:, :1]
            state = self.network.infer_state(frames, labels, moments).mean
            whole.append(Latents(self.network.infer_content(frames), state))
            first.append(Latents(self.network.infer_content(image), self.network.infer_state(image, labels).mean))
            times.append(moments)
        return _joined(whole), _joined(first), torch.cat(times)

    @property
    def whole(self) -> Latents:
        """Content from all frames of each window, the state at its last frame."""
        return self._read[0]

    @property
    def first(self) -> Latents:
        """Content and state from the first frame alone: no history, so the momentum's is masked as in training."""
        return self._read[1]

    @property
    def times(self) -> Tensor:
        """When the frames of each window are shown, (m, t), in units of time."""
        return self._read[2]

    def render(self, content: Tensor, motions: Tensor) -> Tensor:
        """Images (b, t, 3, h, w) of content (b, c) moving as the windows of clips `motions` (b,) do, at their times."""
        times, labels = self.times[motions], self.labels[motions].to(self.device)
        return self.network.render(content, self.whole.state[motions], labels, times - times[:, -1:])

    @cached_property
    def reconstructions(self) -> FrameScores:
        """Every window through the model, against itself."""
        return FrameScores.joined(
            [
                FrameScores.of(self.render(self.whole.content[some], some), as_images(frames))
                for some, frames, _ in self.windows()
            ]
        )


def _joined(parts: Sequence[Latents]) -> Latents:
    return Latents(torch.cat([part.content for part in parts]), torch.cat([part.state for part in parts]))


def check_split(source: Source, split: str) -> None:
    """Raises: UsageError: the source has no clips in that split."""
    if source.splits.get(split):
        return
    if split == "validation":
        raise UsageError(
            f"The {source.name} source has no validation clips, which takes at least {ENOUGH} characters or clips to "
            "train on; add more, or score the test split, once, with --final."
        )
    raise UsageError(f"The {source.name} source has no clips in the {split} split; move some there.")


def longer(source: Source, split: str, clips: Tensor) -> Tensor:
    """Those of `clips` that repeat, or have twice as many frames as a window."""
    return clips[source.repeats(split, clips) | (source.lengths(split, clips) >= 2 * source.length)]


def _count(source: Source, split: str, characters: int | None) -> int:
    """How many clips to look at."""
    if characters is None:
        return source.splits[split]
    if source.exact is None:
        raise UsageError(f"The {source.name} source has clips and no characters to count; leave their number out.")
    motions = len(source.exact.motions)
    available = source.splits[split] // motions
    if not 1 <= characters <= available:
        raise UsageError(f"{source.name}:{split} has {available} characters; {characters} were asked for.")
    return characters * motions


def composed(held_out: HeldOut) -> Exact:
    """What draws the source's characters in any motion, if there are two to swap motions between.

    Raises: UsageError: clips from files, or one character.
    """
    source = held_out.source
    if source.exact is None:
        raise UsageError(f"The {source.name} source has no exact renders to score against; use builtin or sprites.")
    if held_out.characters == 1:
        raise UsageError(ALONE)
    return source.exact
