"""A trained model for people: clips in, clips out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ..clips import Clip, framed, in_units
from ..config import Config
from ..config.choices import POSES
from ..errors import UsageError
from ..network import Network, OperatorSummary
from ..words import nearest
from .performance import Performance

FRAMES = 16  # of a generated clip, unless times are given


@dataclass(frozen=True, kw_only=True, eq=False)
class Latents:
    """What a model reads from one clip: posterior means, float32 on the CPU.

    Args:
        content: z, (c,).
        position: q of the clip's own class at each of its frames, (t, d).
        momentum: p, likewise.
        times: when the frames are shown, (t,), in the model's units of time.
        action: the class.
    """

    content: Tensor
    position: Tensor
    momentum: Tensor
    times: Tensor
    action: str


class Model:
    """A network, and how clips reach it.

    Args: network: on any device; it is asked, and stays as it is.
    """

    def __init__(self, network: Network) -> None:
        self.network = network

    @property
    def config(self) -> Config:
        """The run that the model comes from."""
        return self.network.config

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the motions, in label order."""
        return self.network.classes

    def to(self, device: torch.device | str) -> Self:
        """Move the network to a device, and return the model."""
        self.network.to(device)
        return self

    def operators(self) -> list[OperatorSummary]:
        """What moves each class, in label order; empty if no operators do."""
        return self.network.operators()

    # From clips --------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, clip: Clip, action: str | None = None) -> Latents:
        """Content and motion of a clip.

        The content is read from all frames. Position and momentum at a frame are read from it and from the frames
        before it, as in training; how they move between frames is `Network.trajectory`.

        Args:
            clip: of any size and length; it is framed as the model's training clips were.
            action: the class; needed when the clip's label does not say, and must not contradict it.

        Raises: UsageError: a class that is unknown or not given; the model has no encoder.
        """
        self.network.require("encode")
        label = self._label_of(clip, action)
        times, _, _ = self._in_units(clip, label)
        frames = self._frames(clip)
        states = [
            self.network.infer_state(frames[:, : last + 1], label, times[: last + 1].unsqueeze(0)).mean
            for last in range(len(times))
        ]
        position, momentum = torch.cat(states).cpu().chunk(2, dim=-1)
        return Latents(
            content=self.network.infer_content(frames)[0].cpu(),
            position=position,
            momentum=momentum,
            times=times,
            action=self.classes[int(label)],
        )

    def reconstruct(self, clip: Clip, action: str | None = None) -> Clip:
        """The clip through the model: content from all its frames, motion from its last frames, rolled backward.

        Args:
            clip: of any size; it is framed as the model's training clips were, and the result comes back to its size.
            action: the clip's class; needed when its label does not say.

        Raises: UsageError: a class that is unknown or not given; the model cannot reconstruct.
        """
        self.network.require("reconstruct")
        return self.plan_swap(clip, clip, action).clip()

    def swap(self, content: Clip, motion: Clip, action: str | None = None) -> Clip:
        """The character of `content` moving as `motion` does, at the times of `motion`, in the size of `content`.

        Args, Raises: as `plan_swap`.
        """
        return self.plan_swap(content, motion, action).clip()

    def plan_swap(self, content: Clip, motion: Clip, action: str | None = None) -> Performance:
        """The character of `content` and the movement of `motion`, to be shown at any times.

        Args:
            content, motion: clips of any size and length, also of one frame; they are framed as the model's training
                clips were, and the result comes back to the size of `content`.
            action: the class of `motion`; needed when its label does not say, and must not contradict it.

        Raises: UsageError: a class that is unknown or not given; the model cannot swap.
        """
        self.network.require("swap")
        label = self._label_of(motion, action)
        times, lasting, frame_seconds = self._in_units(motion, label)
        return Performance(
            network=self.network,
            content=self.network.infer_content(self._frames(content)),
            state=self.network.infer_state(self._frames(motion), label, times.unsqueeze(0)).mean,
            label=label,
            times=times,
            lasting=lasting,
            origin=float(times[-1]),
            frame_seconds=frame_seconds,
            like=content,
            source=f"{content.source} moving as {motion.source}",
        )

    # From an image, from nothing ---------------------------------------------------------------------------------

    def generate(
        self, image: Clip, action: str, times: Sequence[float] | Tensor | None = None, *, pose: str = "auto"
    ) -> Clip:
        """A clip from one image, in its size: the first frame of `image` performs `action`.

        Args:
            times: in frames from the image; any real numbers, 0 to 15 unless given.

        Other Args, Raises: as `plan_generate`, and UsageError: times that are not finite.
        """
        return self.plan_generate(image, action, pose=pose).clip(_times(times))

    def plan_generate(self, image: Clip, action: str, *, pose: str = "auto") -> Performance:
        """The character of one image and an action, to be shown at any times.

        Args:
            image: of any size; only the first frame is looked at.
            action: a class of the model.
            pose: ``typical`` begins the motion where its training clips begin; ``image`` reads position and momentum
                from the image, which must then already show the action; ``auto`` does so if its label says it does.

        Raises: UsageError: an unknown class or `pose`; the model cannot generate.
        """
        self.network.require("generate")
        label = self._label(action)
        frames = self._frames(image)[:, :1]
        if pose not in POSES:
            raise UsageError(f"A motion has no pose '{pose}' to start in{nearest(pose, POSES)}")
        from_image = pose == "image" or (pose == "auto" and image.label == action)
        return Performance(
            network=self.network,
            content=self.network.infer_content(frames),
            state=self.network.infer_state(frames, label).mean if from_image else self.network.typical_state(label),
            label=label,
            times=_times(None),
            frame_seconds=self.config.data.frame_seconds,
            like=image,
            source=f"{image.source} performing {action}",
        )

    def sample(
        self,
        action: str,
        count: int = 1,
        times: Sequence[float] | Tensor | None = None,
        *,
        seed: int = 0,
        prior: str = "fitted",
    ) -> list[Clip]:
        """Clips of nobody in particular: content and motion from their priors.

        Args:
            times: in frames; any real numbers, 0 to 15 unless given.

        Other Args, Raises: as `plan_sample`, and UsageError: times that are not finite.
        """
        moments = _times(times)
        return [plan.clip(moments) for plan in self.plan_sample(action, count, seed=seed, prior=prior)]

    def plan_sample(self, action: str, count: int = 1, *, seed: int = 0, prior: str = "fitted") -> list[Performance]:
        """Characters of nobody in particular in an action, to be shown at any times.

        Args:
            action: a class of the model.
            count: how many.
            seed: of the draws.
            prior: of the motion, ``fitted`` to the starts of training clips, or ``standard`` for N(0, I).

        Raises: UsageError: an unknown class or `prior`, or no clips; the model cannot sample.
        """
        self.network.require("sample")
        if count < 1:
            raise UsageError(f"Draw at least one sample; got {count}.")
        label = self._label(action).repeat(count)
        generator = torch.Generator().manual_seed(seed)
        content = self.network.sample_content(count, generator)
        state = self.network.sample_state(label, generator, prior)
        return [
            Performance(
                network=self.network,
                content=content[index : index + 1],
                state=state[index : index + 1],
                label=label[index : index + 1],
                times=_times(None),
                frame_seconds=self.config.data.frame_seconds,
                source=f"sample {index} of seed {seed}",
            )
            for index in range(count)
        ]

    # Clips as the network takes them -----------------------------------------------------------------------------

    def _label_of(self, motion: Clip, action: str | None) -> Tensor:
        """The class (1,) that a clip shows."""
        if action and motion.label in self.classes and action != motion.label:
            raise UsageError(f"'{motion.source}' shows {motion.label}, not {action}; leave the action out.")
        named = action or motion.label
        if named is None:
            raise UsageError(
                f"'{motion.source}' does not say which motion it shows; name its action (--action), one of "
                f"{', '.join(self.classes)}."
            )
        return self._label(named)

    def _label(self, action: str) -> Tensor:
        if action not in self.classes:
            raise UsageError(f"The model knows no action '{action}'{nearest(action, self.classes)}")
        return torch.tensor([self.classes.index(action)], device=self.network.device)

    def _in_units(self, motion: Clip, label: Tensor) -> tuple[Tensor, float, float | None]:
        """As `in_units`, in this model's units of time."""
        data, turn = self.config.data, self.config.model.period_of(int(label))
        repeats = motion.period is not None or (data.loop if motion.loop is None else motion.loop)
        return in_units(motion, data.frame_seconds, turn if repeats else None)

    def _frames(self, clip: Clip) -> Tensor:
        """The clip as the encoder takes it, (1, t, 3, size, size)."""
        frames = framed(clip, self.config.data.framing, self.config.model.image_size).frames
        return frames.unsqueeze(0).to(self.network.device)


def _times(times: Sequence[float] | Tensor | None) -> Tensor:
    moments = torch.arange(float(FRAMES)) if times is None else torch.as_tensor(times, dtype=torch.float32)
    if moments.ndim != 1 or not len(moments) or not moments.isfinite().all():
        raise UsageError("Times must be one or more finite numbers, in frames.")
    return moments
