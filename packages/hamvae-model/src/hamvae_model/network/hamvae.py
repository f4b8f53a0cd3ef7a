"""The model: content z, motion s^k = (q^k, p^k), frames x_t = φ(z, q_t).

Two storeys: tensors in and out for training and evaluation (`encode`, `infer`, `render`, `forward`), and clips in
and out for people (`reconstruct`, `swap`, `generate`, `sample`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..animate.performance import Performance
from ..clips.clip import Clip, as_images
from ..clips.framing import framed
from ..clips.timing import in_units
from ..config.choices import POSES
from ..config.run import Config, ModelConfig
from ..errors import UsageError
from ..words import nearest
from .decoder import Decoder
from .encoder import Encoder, Features
from .history import lookback
from .motion import Motion, OperatorSummary
from .posterior import Gaussian, Posterior
from .prior import StartPrior

RENDER_CHUNK = 256  # frames decoded at once: a roll of thousands of frames then needs no more memory than a short one


@dataclass(frozen=True, kw_only=True)
class Views:
    """What one training step looks at in a batch of clips; uint8 frames.

    Args:
        window: (b, w, 3, h, w) frames that end in the reference frame.
        history: bool (b, w), which of them the momentum may see; the last always.
        content: bool (b, w), which of them the content may see; at least one.
        targets: (b, n, 3, h, w) frames to explain.
        offsets: float (b, n), their distance from the reference frame, in frames.
        labels: int64 (b,).
    """

    window: Tensor
    history: Tensor
    content: Tensor
    targets: Tensor
    offsets: Tensor
    labels: Tensor


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What posteriors are sampled with, from N(0, I): position and momentum (b, d), content (b, c)."""

    position: Tensor
    momentum: Tensor
    content: Tensor

    @classmethod
    def draw(cls, config: ModelConfig, batch: int, generator: torch.Generator) -> Self:
        """For a whole batch, on the generator's device (the CPU), so that a seed means the same everywhere."""
        sizes = {"position": config.pairs, "momentum": config.pairs, "content": config.content_dim}
        return cls(**{name: torch.randn(batch, size, generator=generator) for name, size in sizes.items()})


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A batch as the model sees it: the posteriors, and the decoded targets (b, n, 3, h, w) in [0, 1]."""

    content: Gaussian
    position: Gaussian
    momentum: Gaussian
    images: Tensor


class HamVAE(nn.Module):
    """The variational autoencoder of Khan & Storkey (2021), "Hamiltonian prior to disentangle content and motion".

    Args:
        config: of which only `config.model` shapes the network.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.model)
        self.posterior = Posterior(config.model)
        self.motion = Motion(config.model)
        self.start_prior = StartPrior(config.model)
        self.decoder = Decoder(config.model)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the motions, in label order."""
        return self.config.model.classes

    # Tensors -----------------------------------------------------------------------------------------------------

    def encode(self, frames: Tensor) -> Features:
        """Features (b, t, f) of uint8 frames (b, t, 3, h, w)."""
        features: Features = self.encoder(as_images(frames.flatten(0, 1)))
        return Features(*(torch.unflatten(part, 0, frames.shape[:2]) for part in features))

    def decode(self, content: Tensor, states: Tensor, labels: Tensor) -> Tensor:
        """Images (b, t, 3, h, w) in [0, 1] from content (b, c) and states (b, t, K, 2d)."""
        length = states.shape[1]
        parts = [content.unsqueeze(1).expand(-1, length, -1), self.motion.positions(states)]
        if self.config.model.class_in_decoder:
            one_hot = F.one_hot(labels, len(self.classes)).to(content.dtype)
            parts.append(one_hot.unsqueeze(1).expand(-1, length, -1))
        images: Tensor = self.decoder(torch.cat(parts, dim=-1).flatten(0, 1))
        return torch.unflatten(images, 0, (len(content), length))

    def forward(self, views: Views, noise: Noise) -> Explanation:
        """Encode at the reference frame, roll to the targets, decode: one sample of eqs. (11) to (14)."""
        features = self.encode(views.window)
        content = self.posterior.content(features.content, views.content)
        position = self.posterior.position(features.motion[:, -1], views.labels)
        momentum = self.posterior.momentum(features.motion, views.history, views.labels)
        state = torch.cat([position.sample(noise.position), momentum.sample(noise.momentum)], dim=-1)
        states = self.motion.flow(state, views.labels, views.offsets)
        images = self.decode(content.sample(noise.content), states, views.labels)
        return Explanation(content=content, position=position, momentum=momentum, images=images)

    @torch.no_grad()
    def infer_content(self, frames: Tensor) -> Tensor:
        """Posterior mean of z, (b, c), from any number of uint8 frames (b, t, 3, h, w)."""
        features = torch.cat([self.encode(some).content for some in torch.split(frames, RENDER_CHUNK, dim=1)], dim=1)
        return self.posterior.content(features, features.new_ones(features.shape[:2], dtype=torch.bool)).mean

    @torch.no_grad()
    def infer_state(self, frames: Tensor, labels: Tensor, times: Tensor | None = None) -> Gaussian:
        """Posterior of s = (q, p), (b, 2d), at the last of uint8 frames (b, t, 3, h, w).

        The momentum looks back over at most w units of time; with fewer, the missing history is masked as in training.

        Args: times: of the frames, (b, t), in units of time; a unit apart unless given.
        """
        times = torch.arange(float(frames.shape[1])).expand(len(frames), -1) if times is None else times
        last = torch.full((len(frames),), frames.shape[1] - 1)
        window, seen = (part.to(frames.device) for part in lookback(times, last, self.config.model.history))
        features = self.encode(frames[torch.arange(len(frames)).unsqueeze(1), window]).motion
        position = self.posterior.position(features[:, -1], labels)
        momentum = self.posterior.momentum(features, seen, labels)
        return Gaussian(
            torch.cat([position.mean, momentum.mean], dim=-1),
            torch.cat([position.log_deviation, momentum.log_deviation], dim=-1),
        )

    @torch.no_grad()
    def render(self, content: Tensor, state: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        """Images (b, t, 3, h, w) in [0, 1] of content (b, c) moving from state (b, 2d) to `offsets`, in frames.

        Offsets are (t,) for all, or (b, t).
        """
        return torch.cat(list(self.rendered(content, state, labels, offsets)), dim=1)

    def rendered(self, content: Tensor, state: Tensor, labels: Tensor, offsets: Tensor) -> Iterator[Tensor]:
        """The same in parts along t, each made when it is asked for."""
        for some in torch.split(offsets.to(state), max(1, RENDER_CHUNK // len(state)), dim=-1):
            with torch.no_grad():
                images = self.decode(content, self.motion.flow(state, labels, some.expand(len(state), -1)), labels)
            yield images

    # Clips -------------------------------------------------------------------------------------------------------

    def reconstruct(self, clip: Clip, action: str | None = None) -> Clip:
        """The clip through the model: content from all its frames, motion from its last frames, rolled backward.

        Args:
            clip: of any size; it is framed as the model's training clips were, and the result comes back to its size.
            action: the clip's class; needed when its label does not say.

        Raises: UsageError: a class that is unknown or not given.
        """
        return self.swap(clip, clip, action)

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

        Raises: UsageError: a class that is unknown or not given.
        """
        if action and motion.label in self.classes and action != motion.label:
            raise UsageError(f"'{motion.source}' shows {motion.label}, not {action}; leave the action out.")
        label = self._label(action or motion.label, motion.source)
        data, turn = self.config.data, self.config.model.period_of(int(label))
        repeats = motion.period is not None or (data.loop if motion.loop is None else motion.loop)
        times, lasting, frame_seconds = in_units(motion, data.frame_seconds, turn if repeats else None)
        return Performance(
            model=self,
            content=self.infer_content(self._frames(content)),
            state=self.infer_state(self._frames(motion), label, times.unsqueeze(0)).mean,
            label=label,
            times=times,
            lasting=lasting,
            origin=float(times[-1]),
            frame_seconds=frame_seconds,
            like=content,
            source=f"{content.source} moving as {motion.source}",
        )

    def generate(
        self, image: Clip, action: str, times: Sequence[float] | Tensor | None = None, *, pose: str = "auto"
    ) -> Clip:
        """A clip from one image, in its size: the first frame of `image` performs `action`.

        Args:
            times: in frames from the image; any real numbers, 0 to 15 unless given.

        Other Args, Raises: as `plan_generation`, and UsageError: times that are not finite.
        """
        return self.plan_generation(image, action, pose=pose).clip(_times(times))

    def plan_generation(self, image: Clip, action: str, *, pose: str = "auto") -> Performance:
        """The character of one image and an action, to be shown at any times.

        Args:
            image: of any size; only the first frame is looked at.
            action: a class of the model.
            pose: ``typical`` begins the motion where its training clips begin; ``image`` reads position and momentum
                from the image, which must then already show the action; ``auto`` does so if its label says it does.

        Raises: UsageError: an unknown class or `pose`.
        """
        label = self._label(action, image.source)
        frames = self._frames(image)[:, :1]
        if pose not in POSES:
            raise UsageError(f"A motion has no pose '{pose}' to start in{nearest(pose, POSES)}")
        from_image = pose == "image" or (pose == "auto" and image.label == action)
        return Performance(
            model=self,
            content=self.infer_content(frames),
            state=self.infer_state(frames, label).mean if from_image else self.start_prior.typical(label),
            label=label,
            times=_times(None),
            frame_seconds=self.config.data.frame_seconds,
            like=image,
            source=f"{image.source} performing {self.classes[int(label)]}",
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
        """Clips of nobody in particular: content from N(0, I), motion from a prior.

        Args:
            times: in frames; any real numbers, 0 to 15 unless given.

        Other Args, Raises: as `plan_samples`, and UsageError: times that are not finite.
        """
        moments = _times(times)
        return [plan.clip(moments) for plan in self.plan_samples(action, count, seed=seed, prior=prior)]

    def plan_samples(self, action: str, count: int = 1, *, seed: int = 0, prior: str = "fitted") -> list[Performance]:
        """Characters of nobody in particular in an action, to be shown at any times.

        Args:
            action: a class of the model.
            count: how many.
            seed: of the draws.
            prior: of the motion, ``fitted`` to the starts of training clips, or ``standard`` for N(0, I).

        Raises: UsageError: an unknown class or `prior`, or no clips.
        """
        if count < 1:
            raise UsageError(f"Draw at least one sample; got {count}.")
        label = self._label(action, "the sample").repeat(count)
        generator = torch.Generator().manual_seed(seed)
        device = self.start_prior.mean.device
        content = torch.randn(count, self.config.model.content_dim, generator=generator).to(device)
        if prior == "fitted":
            state = self.start_prior.sample(label, generator)
        elif prior == "standard":
            state = torch.randn(count, 2 * self.config.model.pairs, generator=generator).to(device)
        else:
            raise UsageError(f"The motion prior is 'fitted' or 'standard'; got '{prior}'.")
        return [
            Performance(
                model=self,
                content=content[index : index + 1],
                state=state[index : index + 1],
                label=label[index : index + 1],
                times=_times(None),
                frame_seconds=self.config.data.frame_seconds,
                source=f"sample {index} of seed {seed}",
            )
            for index in range(count)
        ]

    @torch.no_grad()
    def operators(self) -> list[OperatorSummary]:
        """What each class's operator does, in label order."""
        return self.motion.summaries(self.classes)

    def _label(self, action: str | None, source: str) -> Tensor:
        if action is None:
            raise UsageError(
                f"'{source}' does not say which motion it shows; name its action (--action), one of "
                f"{', '.join(self.classes)}."
            )
        if action not in self.classes:
            raise UsageError(f"The model knows no action '{action}'{nearest(action, self.classes)}")
        return torch.tensor([self.classes.index(action)], device=self.start_prior.mean.device)

    def _frames(self, clip: Clip) -> Tensor:
        """The clip as the encoder takes it, (1, t, 3, size, size)."""
        frames = framed(clip, self.config.data.framing, self.config.model.image_size).frames
        return frames.unsqueeze(0).to(self.start_prior.mean.device)


def _times(times: Sequence[float] | Tensor | None) -> Tensor:
    moments = torch.arange(16.0) if times is None else torch.as_tensor(times, dtype=torch.float32)
    if moments.ndim != 1 or not len(moments) or not moments.isfinite().all():
        raise UsageError("Times must be one or more finite numbers, in frames.")
    return moments
