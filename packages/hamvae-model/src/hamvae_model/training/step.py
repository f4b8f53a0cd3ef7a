"""One step: draw, explain, descend."""

import math

import torch
from torch import Tensor

from ..config import Config, TrainingConfig
from ..data import Source
from ..errors import HamvaeError
from ..model import HamVAE
from ..objective import terms
from .views import draw_views, seed_of


def new_model(config: Config) -> HamVAE:
    """An untrained model, its initial weights a function of the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(config.training.seed, 0))
        return HamVAE(config)


def new_optimiser(model: HamVAE) -> torch.optim.Optimizer:
    """Adam with one group for each parameter, in the model's order, so that saved moments find theirs by name."""
    training = model.config.training
    groups = [
        {
            "params": [parameter],
            "base_rate": training.learning_rate * (training.operator_rate if name.startswith("motion.") else 1.0),
        }
        for name, parameter in model.named_parameters()
    ]
    return torch.optim.Adam(groups, lr=training.learning_rate, betas=(0.9, 0.99), fused=True)


def train_step(model: HamVAE, optimiser: torch.optim.Optimizer, source: Source, step: int) -> dict[str, Tensor]:
    """One step of Adam on the bound; returns the detached terms.

    Raises: HamvaeError: a term or a gradient is not finite; the weights are then as before.
    """
    config = model.config
    generator = torch.Generator().manual_seed(seed_of(config.training.seed, step))
    device = model.start_prior.mean.device
    views = draw_views(config, source, generator, device)
    with torch.autocast(device.type, torch.bfloat16, enabled=config.training.bfloat16):
        explanation = model(views, generator)
    parts = terms(explanation, views, variance=config.objective.variance, length=config.model.length)
    loss = parts.bound(config.objective) / (config.model.length * views.targets[0, 0].numel())
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.training.gradient_clip)
    losses = {name: value.detach() for name, value in {"loss": loss, **vars(parts), "gradient_norm": norm}.items()}
    if not torch.stack(list(losses.values())).isfinite().all():  # one wait for the device, not one for each
        broken = [name for name, value in losses.items() if not value.isfinite()][-1].replace("_", " ")
        raise HamvaeError(
            f"The {broken} is no longer finite at step {step}, and the run stops; what was saved before is kept. Train "
            "with another seed, or with a bounded operator (elliptic or skew-symmetric)."
        )
    for group in optimiser.param_groups:
        group["lr"] = group["base_rate"] * schedule(step, config.training)
    optimiser.step()
    return losses


def schedule(step: int, training: TrainingConfig) -> float:
    """Linear warm-up, then half a cosine down to zero at the last step; a factor of the learning rate."""
    warm = min(1.0, step / training.warmup) if training.warmup else 1.0
    return warm * 0.5 * (1 + math.cos(math.pi * (step - 1) / training.steps))
