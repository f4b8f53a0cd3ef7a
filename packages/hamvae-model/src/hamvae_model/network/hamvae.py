"""HamVAE: content z, motion s^k = (q^k, p^k) moved by exp(tH_k), frames x_t = φ(z, q_t)."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ..clips import as_images
from ..config import Config
from ..config.choices import PRIORS
from ..errors import UsageError
from ..words import nearest
from .decoder import Decoder
from .encoder import Encoder, Features
from .history import lookback
from .motion import Motion, OperatorSummary
from .objective import bound, terms
from .posterior import Gaussian, Posterior
from .prior import StartPrior
from .protocol import Network
from .views import Explanation, Noise, Views

RENDER_CHUNK = 256  # frames decoded at once: a roll of thousands of frames then needs no more memory than a short one


class HamVAE(Network):
    """The variational autoencoder of Khan & Storkey (2021), "Hamiltonian prior to disentangle content and motion".

    Args:
        config: of which only `config.model` shapes the network.
    """

    term_names: ClassVar[tuple[str, ...]] = ("content", "position", "momentum", "reconstruction")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.encoder = Encoder(config.model)
        self.posterior = Posterior(config.model)
        self.motion = Motion(config.model)
        self.start_prior = StartPrior(config.model)
        self.decoder = Decoder(config.model)

    # Parts -------------------------------------------------------------------------------------------------------

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

    # Training ----------------------------------------------------------------------------------------------------

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

    def terms(self, explanation: Explanation, views: Views) -> dict[str, Tensor]:
        """The terms of eq. (17)."""
        config = self.config
        return terms(explanation, views, variance=config.objective.variance, length=config.model.length)

    def objective(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The weighted negative bound."""
        return bound(terms, self.config.objective)

    def rate(self, parameter: str) -> float:
        """Operators learn more slowly than the networks around them."""
        return self.config.training.operator_rate if parameter.startswith("motion.") else 1.0

    def health(self) -> dict[str, float]:
        """``operator_norm``, the largest of `Motion.norms`."""
        return {"operator_norm": float(self.motion.norms().max())}

    def prepare_compilation(self) -> None:
        """Exclude the flow: how it goes through the times depends on what they are."""
        self.motion.flow = torch.compiler.disable(self.motion.flow)  # type: ignore[method-assign, no-untyped-call]

    def fit_prior(self, frames: Tensor, labels: Tensor) -> None:
        """Fit the Gaussians of `StartPrior` to the posteriors of first frames."""
        self.start_prior.fit(self.infer_state(frames, labels), labels)

    # Evaluation and people ---------------------------------------------------------------------------------------

    @torch.no_grad()
    def infer_content(self, frames: Tensor) -> Tensor:
        """Posterior mean of z, (b, c)."""
        features = torch.cat([self.encode(some).content for some in torch.split(frames, RENDER_CHUNK, dim=1)], dim=1)
        return self.posterior.content(features, features.new_ones(features.shape[:2], dtype=torch.bool)).mean

    @torch.no_grad()
    def infer_state(self, frames: Tensor, labels: Tensor, times: Tensor | None = None) -> Gaussian:
        """Posterior of s = (q, p), (b, 2d).

        The momentum looks back over at most w units of time; with fewer, the missing history is masked as in training.
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

    def rendered(self, content: Tensor, state: Tensor, labels: Tensor, offsets: Tensor) -> Iterator[Tensor]:
        """As `Network.rendered`, with s = (q, p)."""
        for some in torch.split(offsets.to(state), max(1, RENDER_CHUNK // len(state)), dim=-1):
            with torch.no_grad():
                images = self.decode(content, self.motion.flow(state, labels, some.expand(len(state), -1)), labels)
            yield images

    def sample_content(self, count: int, generator: torch.Generator) -> Tensor:
        """Content from N(0, I)."""
        return torch.randn(count, self.config.model.content_dim, generator=generator).to(self.device)

    def sample_state(self, labels: Tensor, generator: torch.Generator, prior: str = "fitted") -> Tensor:
        """States from `StartPrior`, or from N(0, I).

        Raises: UsageError: there is no such prior.
        """
        if prior not in PRIORS:
            raise UsageError(f"There is no motion prior '{prior}'{nearest(prior, PRIORS)}")
        if prior == "fitted":
            return self.start_prior.sample(labels, generator)
        return torch.randn(len(labels), 2 * self.config.model.pairs, generator=generator).to(self.device)

    def typical_state(self, labels: Tensor) -> Tensor:
        """The means of `StartPrior`."""
        return self.start_prior.typical(labels)

    @torch.no_grad()
    def trajectory(self, state: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        """exp(tH_k)s, (b, t, 2d)."""
        states = self.motion.flow(state, labels, offsets)
        return states[torch.arange(len(labels)), :, labels]

    def energy(self, states: Tensor, labels: Tensor) -> Tensor:
        """½ sᵀM_k s, in double precision."""
        return self.motion.energy(states, labels)

    @torch.no_grad()
    def operators(self) -> list[OperatorSummary]:
        """What each class's operator does, in label order."""
        return self.motion.summaries(self.classes)
