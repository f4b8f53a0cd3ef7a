"""One step: draw, explain, descend."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from ..config.execution import Execution
from ..config.run import Config, TrainingConfig
from ..data import Source
from ..errors import DivergedError, UsageError
from ..network import Network, new_network
from .ahead import Ahead
from .compiled import compiled, compiling
from .determinism import deterministic
from .memory import NotEnoughMemory, is_out_of_memory, parts_that_fit
from .ranks import ALONE, Ranks, lost_connections
from .views import Draw, draw_step, seed_of


def untrained(config: Config) -> Network:
    """The network of a run before its first step, its initial weights a function of the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(config.training.seed, 0))
        return new_network(config)


def new_optimiser(network: Network) -> torch.optim.Optimizer:
    """Adam with one group for each parameter, in the network's order, so that saved moments find theirs by name."""
    training = network.config.training
    groups = [
        {
            "params": [parameter],
            "base_rate": training.learning_rate * network.rate(name),
        }
        for name, parameter in network.named_parameters()
    ]
    return torch.optim.Adam(groups, lr=training.learning_rate, betas=(0.9, 0.99), fused=True)


def train_step(network: Network, optimiser: torch.optim.Optimizer, source: Source, step: int) -> dict[str, Tensor]:
    """One step as a `Stepper` takes it that is alone and in no hurry."""
    return Stepper(network, optimiser, source)(step)


class Stepper:
    """Takes steps of Adam on the bound.

    The batch is the whole run's: every process of `ranks` takes its rows of it, one after the other in
    `execution.accumulate` parts. The gradient is that of the whole batch, and so are the terms, to rounding.

    Args:
        network, optimiser: to be changed.
        source: of the clips.
        execution: how.
        ranks: this process among those that train the model.
        stop: asked once a step; when any process wishes to stop, `stopped` is true for all after the same step.

    Raises: UsageError: there are fewer rows than parts.
    """

    def __init__(
        self,
        network: Network,
        optimiser: torch.optim.Optimizer,
        source: Source,
        execution: Execution | None = None,
        ranks: Ranks = ALONE,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.network, self.optimiser, self.ranks, self.stop, self.stopped = network, optimiser, ranks, stop, False
        self.execution = execution = execution or Execution()
        training = network.config.training
        rows = ranks.rows(training.batch)
        if execution.accumulate * ranks.size > training.batch:
            raise UsageError(
                f"A batch of {training.batch} cannot be cut into {execution.accumulate} parts for each of "
                f"{ranks.size} processes; use --accumulate {training.batch // ranks.size} or less."
            )
        self.parts, self.rows = execution.accumulate, rows.stop - rows.start
        self.wrapped = ranks.wrap(compiled(network) if execution.compile else network)
        self.draws = Ahead(
            lambda step: draw_step(network.config, source, step, rows), execution.workers, training.steps
        )
        self.device = network.device
        self.names = (*network.term_names, "loss")  # each before those that it can spoil

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Take step number `step`, counted from 1; returns the detached terms of the whole batch, the norm
        of its gradient, and whether that was clipped.

        Raises:
            DivergedError: a term, a gradient or a motion is not finite; the weights are then as before.
            NotEnoughMemory: likewise.
        """
        with deterministic(self.execution.deterministic):
            return self._step(step)

    def _step(self, step: int) -> dict[str, Tensor]:
        training = self.network.config.training
        values = self._descend(step)
        wish = values.new_tensor([float(self.stop())])
        *means, wishes = self.ranks.total(torch.cat([values, wish])).to(values.device).unbind()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), training.gradient_clip)
        losses = dict(zip([*self.names, "gradient_norm"], [*means, norm], strict=True))
        # One wait for the device, not one for each.
        finite, wished = torch.stack([torch.stack([*means, norm]).isfinite().all(), wishes > 0]).tolist()
        if not finite:
            broken = next(name for name, value in losses.items() if not value.isfinite()).replace("_", " ")
            raise DivergedError(f"The {broken} is not finite at step {step}.", broken, step)
        losses["clipped"] = (norm > training.gradient_clip).float()
        self.stopped = wished
        for group in self.optimiser.param_groups:
            group["lr"] = group["base_rate"] * schedule(step, training)
        self.optimiser.step()
        return losses

    def close(self) -> None:
        """End what was begun ahead."""
        self.draws.close()

    def _descend(self, step: int) -> Tensor:
        """Leave the gradient of the whole batch in the parameters; returns what these rows add to each term."""
        self.optimiser.zero_grad()
        values = torch.zeros(len(self.names), device=self.device)
        draw: Draw | None = None
        try:
            draw = self.draws(step)
            *first, last = draw.cut(self.parts)
            with lost_connections(), compiling() if self.execution.compile else nullcontext():
                with self._unshared():
                    for part in first:
                        values += self._backward(self.wrapped, part)
                return values + self._backward(self.wrapped, last)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        raise self._not_enough(draw)  # out of the handler, which still holds all that was computed

    def _unshared(self) -> AbstractContextManager[None]:
        """Gradients computed within stay in this process until the next ones computed without."""
        wrapped = self.wrapped
        return wrapped.no_sync() if isinstance(wrapped, nn.parallel.DistributedDataParallel) else nullcontext()

    def _not_enough(self, draw: Draw | None) -> NotEnoughMemory:
        """What to say of a batch that does not fit; finds out in how many parts it does, if it could be drawn."""

        def attempt(parts: int) -> None:
            self.optimiser.zero_grad()
            if draw is not None:
                self._backward(self.network, draw.cut(parts)[0])

        parts = None if draw is None else parts_that_fit(attempt, self.parts, self.rows)
        self.optimiser.zero_grad()
        return NotEnoughMemory(self.network.config.training.batch, parts)

    def _backward(self, network: nn.Module, part: Draw) -> Tensor:
        """Add the gradient of a part of the batch; returns its share of the terms, detached."""
        config, part = self.network.config, part.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.training.bfloat16):
            explanation = network(part.views, part.noise)
        terms = self.network.terms(explanation, part.views)
        loss = self.network.objective(terms) / (config.model.length * part.views.targets[0, 0].numel())
        weight = len(part) / config.training.batch
        scaled = loss * (weight * self.ranks.size)  # for the gradients of the processes are averaged
        scaled.backward()  # type: ignore[no-untyped-call]
        return torch.stack([*(terms[name] for name in self.network.term_names), loss]).detach() * weight


def schedule(step: int, training: TrainingConfig) -> float:
    """Linear warm-up, then half a cosine down to zero at the last step; a factor of the learning rate."""
    warm = min(1.0, step / training.warmup) if training.warmup else 1.0
    return warm * 0.5 * (1 + math.cos(math.pi * (step - 1) / training.steps))
