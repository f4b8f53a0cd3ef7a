"""Presets: a name, the short difference from the defaults, and the reason for each. No torch here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .config.choices import OPERATORS, PRECISIONS
from .config.overrides import overridden, refuse_twice
from .config.run import Config, FramingConfig, ModelConfig, ObjectiveConfig, TrainingConfig
from .errors import UsageError
from .words import nearest

if TYPE_CHECKING:  # a source is made of tensors
    from .data import Source


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A starting point for a run; `training` must give the number of steps."""

    summary: str
    labels: str = "action-direction"
    framing: FramingConfig = field(default_factory=FramingConfig)
    model: Mapping[str, Any] = field(default_factory=dict)
    objective: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


PRESETS: dict[str, Preset] = {
    "demo": Preset(
        summary="the built-in characters in minutes on a laptop CPU",
        training={
            "steps": 2600,  # about five minutes on two cores
            "warmup": 200,  # the default would be a fifth of so short a run
            "save_every": 250,
            "sample_every": 250,  # someone is watching
        },
    ),
    "sprites-small": Preset(
        summary="the Sprites sheets in little more than an hour on one CPU core",
        training={"steps": 26000},
    ),
    "clips": Preset(
        summary="your own pixel art in under half an hour on two CPU cores",
        training={"steps": 6000},
    ),
    "photos": Preset(
        summary="faces and other photographed clips in under an hour on two CPU cores",
        framing=FramingConfig(fit="crop", resample="smooth"),  # the subject is in the middle, and has soft edges
        model={"content_dim": 64},  # people differ in more ways than sprites
        training={"steps": 12000},
    ),
    # Sized for one GPU by counting operations; not measured yet.
    "sprites": Preset(
        summary="the Sprites sheets at full size, for one GPU",
        model={  # convolutions are cheap there, so maps are wider and the last one finer
            "encoder_widths": (64, 128, 256),
            "feature_dim": 512,
            "decoder_hidden": (1024, 1024),
            "decoder_widths": (64, 64),
        },
        objective={"variance": 0.02},  # a larger network can afford sharper pixels
        training={
            "steps": 40000,
            "batch": 128,  # fills the device
            "decoded_frames": 8,
            "learning_rate": 1e-3,  # wider layers take smaller steps
            "bfloat16": True,  # matrix units; on a CPU it is slower than float32
        },
    ),
}


NOTHING: Mapping[str, object] = MappingProxyType({})
NYQUIST = math.pi  # radians a frame: anything faster looks like something slower, seen once a frame
ROOM = 2  # times its initial norm is what an operator may grow to, where it begins close to the above or beyond


def build(
    name: str,
    *,
    source: "Source",
    operator: str | None = None,
    steps: int | None = None,
    batch: int | None = None,
    precision: str | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    set: Mapping[str, object] = NOTHING,
) -> Config:
    """The configuration of a run from a preset and the source it will see.

    Args:
        name: of the preset.
        source: what to train on; its classes, clip length and period shape the model.
        operator, steps, batch, learning_rate: instead of the preset's.
        precision: ``float32`` or ``bfloat16``, likewise.
        seed: of everything random.
        set: any other setting by its key, such as ``{"model.content_dim": 64}``; docs/configuration.md lists them.

    Raises: UsageError: an unknown preset, operator, precision or setting, no steps, an empty batch, a learning rate
        that is not a positive number, a setting that cannot have this value, or one that an argument sets too.
    """
    if name not in PRESETS:
        raise UsageError(f"There is no preset '{name}'{nearest(name, PRESETS)}")
    if operator is not None and operator not in OPERATORS:
        raise UsageError(f"There is no operator '{operator}'{nearest(operator, OPERATORS)}")
    if steps is not None and steps < 1:
        raise UsageError(f"Training takes at least one step; got {steps}.")
    if batch is not None and batch < 1:
        raise UsageError(f"A batch holds at least one clip; got {batch}.")
    if precision is not None and precision not in PRECISIONS:
        raise UsageError(f"There is no precision '{precision}'{nearest(precision, PRECISIONS)}")
    if learning_rate is not None and not 0 < learning_rate < math.inf:
        raise UsageError(f"A learning rate is a positive number; got {learning_rate:g}.")
    said = {"operator": operator, "steps": steps, "batch": batch, "precision": precision}
    refuse_twice({**said, "learning_rate": learning_rate}, set)
    preset = PRESETS[name]
    model = dict(preset.model) | ({"operator": operator} if operator else {})
    asked = {
        "steps": steps,
        "batch": batch,
        "bfloat16": None if precision is None else precision == "bfloat16",
        "learning_rate": learning_rate,
    }
    given = {key: value for key, value in asked.items() if value is not None}
    training = {**preset.training, **given}
    shape = ModelConfig(
        classes=source.classes, image_size=source.size, length=source.length, **_periods(source), **model
    )
    config = Config(
        preset=name,
        data=source.data,
        model=shape,
        objective=ObjectiveConfig(**preset.objective),
        training=TrainingConfig(**training, seed=seed),
    )
    config = overridden(config, set)
    if "model.operator_norm" in set:
        return config
    cap = max(NYQUIST, ROOM * config.model.initial_norm())
    return replace(config, model=replace(config.model, operator_norm=cap))


def _periods(source: "Source") -> dict[str, Any]:
    """One number where all classes come round after as many frames, else one for each, and how long each takes."""
    first, *others = set(source.periods)
    if not others and first is not None and first.is_integer():
        return {"period": int(first)}
    return {"periods": source.periods, "spans": source.spans}
