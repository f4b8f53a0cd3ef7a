"""What a network of content and motion offers to training, evaluation and people.

A subclass answers the questions below in tensors; `training` asks the first group, `evaluation` and `animate` the
second. What it cannot do, it names in `cannot`: the verb, and why.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..config import Config
from ..errors import UsageError
from .motion import OperatorSummary
from .posterior import Gaussian
from .views import Explanation, Noise, Views


class Network(nn.Module, ABC):
    """Content (b, c) and a motion state (b, s) of each clip's own class, decoded to frames at any real time.

    The sizes c and s are the network's own. Frames are uint8, images float in [0, 1], labels int64; times and offsets
    are in the model's units of time.

    Args:
        config: of the run; `config.model` shapes the network.
    """

    term_names: ClassVar[tuple[str, ...]]
    """The names of the terms of the objective, each before those that it can spoil."""

    cannot: ClassVar[Mapping[str, str]] = {}
    """Verbs the network has no answer to (``swap``, ``reconstruct``, ``generate``, ``sample``), and why."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the motions, in label order."""
        return self.config.model.classes

    @property
    def device(self) -> torch.device:
        """Where the parameters are, and inputs must be."""
        return next(self.parameters()).device

    def require(self, verb: str) -> None:
        """Raises: UsageError: the network cannot do what `verb` says."""
        if verb in self.cannot:
            raise UsageError(f"The model '{self.config.model.name}' cannot {verb}: {self.cannot[verb]}.")

    # Training ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def forward(self, views: Views, noise: Noise) -> Explanation:
        """Explain a batch, with posteriors sampled by `noise`."""

    @abstractmethod
    def terms(self, explanation: Explanation, views: Views) -> dict[str, Tensor]:
        """The terms of the objective by the names and in the order of `term_names`, scalars in nats per clip."""

    @abstractmethod
    def objective(self, terms: Mapping[str, Tensor]) -> Tensor:
        """What is minimised, a scalar in nats per clip."""

    def rate(self, parameter: str) -> float:
        """The share of the learning rate that a parameter, by name, is trained with."""
        return 1.0

    def health(self) -> dict[str, float]:
        """Numbers worth logging beside the terms."""
        return {}

    def prepare_compilation(self) -> None:
        """Exclude what cannot be compiled; called once, before `torch.compile`."""

    def fit_prior(self, frames: Tensor, labels: Tensor) -> None:
        """Fit what motions are sampled from to first frames (m, 1, 3, h, w) of training clips with labels (m,)."""

    # Evaluation and people ---------------------------------------------------------------------------------------

    @abstractmethod
    def infer_content(self, frames: Tensor) -> Tensor:
        """Content (b, c) of any number of frames (b, t, 3, h, w)."""

    @abstractmethod
    def infer_state(self, frames: Tensor, labels: Tensor, times: Tensor | None = None) -> Gaussian:
        """Posterior of the motion state, (b, s), at the last of frames (b, t, 3, h, w).

        Args: times: of the frames, (b, t), ascending; a unit apart unless given.
        """

    @abstractmethod
    def rendered(self, content: Tensor, state: Tensor, labels: Tensor, offsets: Tensor) -> Iterator[Tensor]:
        """Images (b, t, 3, h, w) of content (b, c) moving from state (b, s) to `offsets`, in parts along t.

        Offsets are (t,) for all, or (b, t). Each part is made when it is asked for.

        Raises: DivergedError: a motion grew beyond what a float holds.
        """

    def render(self, content: Tensor, state: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        """All parts of `rendered` in one tensor."""
        return torch.cat(list(self.rendered(content, state, labels, offsets)), dim=1)

    @abstractmethod
    def sample_content(self, count: int, generator: torch.Generator) -> Tensor:
        """Content (m, c) from its prior."""

    @abstractmethod
    def sample_state(self, labels: Tensor, generator: torch.Generator, prior: str = "fitted") -> Tensor:
        """A motion state (m, s) for each label (m,).

        Args: prior: ``fitted`` to the starts of training clips, or ``standard``, the one of training.
        """

    @abstractmethod
    def typical_state(self, labels: Tensor) -> Tensor:
        """The state (m, s) in which motions of the classes (m,) usually begin."""

    @abstractmethod
    def trajectory(self, state: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        """States (b, t, s) that a state (b, s) passes through at `offsets` (b, t), likewise.

        Raises: DivergedError: a motion grew beyond what a float holds.
        """

    def energy(self, states: Tensor, labels: Tensor) -> Tensor | None:
        """What the motion conserves along states (b, t, s), (b, t); None if it conserves nothing."""
        return None

    def operators(self) -> list[OperatorSummary]:
        """What moves each class, in label order; empty if no operators do."""
        return []
