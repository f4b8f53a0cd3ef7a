"""A model that has learned everything, and a judge that knows every render."""

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

import hamvae_model as hv
from hamvae_model.data import Characters
from hamvae_model.network import Explanation, Network, Noise, Views
from hamvae_model.network.motion import Motion
from hamvae_model.network.posterior import Gaussian
from hamvae_model.network.prior import StartPrior

CHARACTERS = 6  # that the two know: the first of the test split


class Oracle(Network):
    """Stands in for a trained model: its content is a character's number, its state a phase.

    The content also tells which motion it was read from, which the oracle does not look at, and a broken one may.
    """

    def __init__(self, source: Characters, config: hv.Config) -> None:
        super().__init__(config)
        self.source = source
        self.motion, self.start_prior = Motion(config.model), StartPrior(config.model)
        self.known: dict[bytes, tuple[int, int, int]] = {}
        for clip in range(CHARACTERS * len(source.motions)):
            (frames,) = source.clips("test", torch.tensor([clip])).frames
            self.known[_key(frames)] = (clip // len(source.motions), clip % len(source.motions), 0)
            for phase, frame in enumerate(frames):
                self.known.setdefault(_key(frame), (clip // len(source.motions), clip % len(source.motions), phase))

    def infer_content(self, frames: Tensor) -> Tensor:
        return torch.tensor([self.known[_key(clip if len(clip) > 1 else clip[0])][:2] for clip in frames]).float()

    def infer_state(self, frames: Tensor, labels: Tensor, times: Tensor | None = None) -> Gaussian:
        state = torch.zeros(len(frames), self.start_prior.mean.shape[-1])
        state[:, 0] = torch.tensor([float(self.known[_key(clip[-1])][2]) for clip in frames])
        state[:, -1] = 1  # something to turn, for the clips that begin at phase 0
        return Gaussian(state, torch.zeros_like(state))

    def rendered(self, content: Tensor, state: Tensor, labels: Tensor, offsets: Tensor) -> Iterator[Tensor]:
        clips = self.source.performance(content[:, 0].round().long() % CHARACTERS, labels)
        yield self.source.frames("test", clips, (state[:, :1] + offsets).round().long()) / 255

    def trajectory(self, state: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        with torch.no_grad():
            return self.motion.flow(state, labels, offsets)[torch.arange(len(labels)), :, labels]

    def energy(self, states: Tensor, labels: Tensor) -> Tensor:
        return self.motion.energy(states, labels)

    def sample_content(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.randn(count, 2, generator=generator)

    def sample_state(self, labels: Tensor, generator: torch.Generator, prior: str = "fitted") -> Tensor:
        if prior == "fitted":
            return self.start_prior.sample(labels, generator)
        return torch.randn(len(labels), self.start_prior.mean.shape[-1], generator=generator)

    def typical_state(self, labels: Tensor) -> Tensor:
        return self.start_prior.typical(labels)

    def forward(self, views: Views, noise: Noise) -> Explanation:
        raise NotImplementedError("It has nothing to learn.")

    def terms(self, explanation: Explanation, views: Views) -> dict[str, Tensor]:
        raise NotImplementedError("It has nothing to learn.")

    def objective(self, terms: Mapping[str, Tensor]) -> Tensor:
        raise NotImplementedError("It has nothing to learn.")


class NearestJudge:
    """Sees in a clip what the nearest true frames show; doubts what lies between them."""

    def __init__(self, source: Characters) -> None:
        self.source = source
        self.classes, self.attributes = source.classes, source.attributes
        self.accuracy = dict.fromkeys(("action", *source.attributes), 1.0)
        clips = torch.arange(CHARACTERS * len(source.motions))
        self.frames = _small(source.clips("test", clips).frames.flatten(0, 1) / 255)
        self.labels = source.labels("test", clips).repeat_interleave(source.length)
        self.truth = source.values("test", clips).repeat_interleave(source.length, dim=0)

    def actions(self, images: Tensor) -> Tensor:
        return self._log_p(images, self.labels, len(self.classes))

    def values(self, images: Tensor) -> dict[str, Tensor]:
        return {
            attribute: self._log_p(images, self.truth[:, column], len(values))
            for column, (attribute, values) in enumerate(self.attributes.items())
        }

    def check(self, source: hv.Source) -> None:
        assert source is self.source

    def _log_p(self, images: Tensor, shown: Tensor, count: int) -> Tensor:
        distance = torch.cdist(_small(images.flatten(0, 1)), self.frames) ** 2
        nearest = torch.full((len(distance), count), 1e3)
        for value in shown.unique().tolist():
            nearest[:, value] = distance[:, shown == value].min(1).values
        return F.log_softmax(-torch.unflatten(nearest, 0, images.shape[:2]).sum(1), dim=-1)


def _key(frames: Tensor) -> bytes:
    return frames.contiguous().numpy().tobytes()


def _small(images: Tensor) -> Tensor:
    return F.avg_pool2d(images, 2).flatten(1)
