"""What a run is made of: its data, its network, its objective and its training."""

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Self

from ..errors import HamvaeError
from ..files import versions
from ..limits import CLASS_LIMIT, NAME_LIMIT, SIZE_LIMIT
from ..words import is_plain
from .choices import BATCH_LIMIT, FITS, LENGTH, OPERATORS, PAIRS_LIMIT, RESAMPLES, SIZE, VALIDATION
from .reading import read_json


@dataclass(frozen=True, kw_only=True)
class FramingConfig:
    """How a picture of any size becomes a square frame; see `framing.framed`."""

    fit: str = "letterbox"  # all of the picture with margins; "crop": its middle; "stretch": all of it, out of shape
    resample: str = "nearest"  # keeps the colours of pixel art; "smooth" averages, for photographs
    background: tuple[int, ...] = (0, 0, 0)  # red, green, blue of the margins and behind transparent pixels

    def __post_init__(self) -> None:
        """Raises: HamvaeError: a fit or resampling that does not exist, or a background that is not a colour."""
        colour = len(self.background) == 3 and all(0 <= value <= 255 for value in self.background)
        for wrong, what in (
            (self.fit not in FITS, f"fit must be one of {', '.join(FITS)}; got '{self.fit}'"),
            (self.resample not in RESAMPLES, f"resample must be one of {', '.join(RESAMPLES)}; got '{self.resample}'"),
            (not colour, f"background must be three numbers from 0 to 255; got {list(self.background)}"),
        ):
            if wrong:
                raise HamvaeError(f"The framing configuration is not usable: {what}.")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which clips. `labels` says what a class is: an action (walk) or an action with its direction (walk-left)."""

    source: str
    labels: str = "action-direction"
    framing: FramingConfig = FramingConfig()
    frame_seconds: float | None = None  # how long one unit of time lasts; None: a frame of any clip is a unit
    loop: bool = False  # clips that do not say whether they repeat are taken to
    validation: float = VALIDATION  # share of the training identities held out, to choose weights and settings by

    def __post_init__(self) -> None:
        """Raises: HamvaeError: a unit of time that does not last, or a share that is none."""
        if not 0 <= self.validation < 1:
            raise HamvaeError(
                "The data configuration is not usable: validation must be at least 0 and below 1; got "
                f"{self.validation}."
            )
        if self.frame_seconds is not None and not 0 < self.frame_seconds < math.inf:
            raise HamvaeError(
                f"The data configuration is not usable: frame_seconds must be positive; got {self.frame_seconds}."
            )


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of the network; sizes are channel counts, lengths are frames."""

    classes: tuple[str, ...]
    name: str = "hamvae"  # of the model, in the table of `hamvae_model.network`
    image_size: int = SIZE
    length: int = LENGTH  # frames of a training window
    period: int | None = None  # frames after which clips repeat; sets the initial frequencies
    periods: tuple[float | None, ...] = ()  # the same for each class, where classes differ
    spans: tuple[
        float, ...
    ] = ()  # frames in which a class unfolds; sets its initial frequencies where it has no period
    operator: str = "skew-symmetric"  # space of the motion's generators
    content_dim: int = 32  # numbers that hold the content
    pairs: int = 4  # d position–momentum pairs per class
    history: int = 3  # w frames the momentum is read from
    encoder_widths: tuple[int, ...] = (32, 64, 128)  # channels of the three convolutions
    feature_dim: int = 256  # features of a frame
    decoder_hidden: tuple[int, ...] = (512, 1024)  # units of the dense layers
    decoder_widths: tuple[int, ...] = (24,)  # channels of the feature maps, each twice as large as the one before
    decoder_grid: int = 16  # side of the first feature map
    class_in_decoder: bool = True  # the decoder is told the class
    operator_norm: float | None = None  # cap of `Motion.norms`, in radians per frame; unless set, presets choose one

    def __post_init__(self) -> None:
        """Raises: HamvaeError: sizes that no network can be built with."""
        finest = self.decoder_grid * 2 ** (len(self.decoder_widths) - 1)
        sizes = [
            *(self.image_size, self.length, self.content_dim, self.pairs, self.history, self.feature_dim),
            *(self.decoder_grid, *self.encoder_widths, *self.decoder_hidden, *self.decoder_widths),
        ]
        for wrong, what in (
            (self.operator not in OPERATORS, f"operator must be one of {', '.join(OPERATORS)}; got '{self.operator}'"),
            (not self.classes, "classes must name at least one motion"),
            (not _are_names(self.classes), f"classes must be distinct names of 1 to {NAME_LIMIT} characters"),
            (len(self.classes) > CLASS_LIMIT, f"classes must be at most {CLASS_LIMIT}; got {len(self.classes)}"),
            (
                not all(1 <= size <= SIZE_LIMIT for size in sizes) or len(sizes) > CLASS_LIMIT,
                f"sizes, widths and lengths must be from 1 to {SIZE_LIMIT}",
            ),
            (self.pairs > PAIRS_LIMIT, f"pairs must be at most {PAIRS_LIMIT}; got {self.pairs}"),
            (len(self.encoder_widths) != 3, f"encoder_widths must be three; got {len(self.encoder_widths)}"),
            (not self.decoder_widths, "decoder_widths must be at least one"),
            (len(self.periods) not in (0, len(self.classes)), "periods must be none, or one for each class"),
            (len(self.spans) not in (0, len(self.classes)), "spans must be none, or one for each class"),
            (any(span <= 0 for span in self.spans), "spans must be positive"),
            (self.operator_norm is not None and not self.operator_norm > 0, "operator_norm must be positive"),
            (any(period is not None and period <= 0 for period in self.periods), "periods must be positive"),
            (self.image_size % 16 != 0, f"image_size must be a multiple of 16; got {self.image_size}"),
            (self.image_size % max(finest, 1) != 0, f"decoder_grid, doubled, must divide image_size {self.image_size}"),
        ):
            if wrong:
                raise HamvaeError(f"The model configuration is not usable: {what}.")

    def initial_norm(self) -> float:
        """The largest norm with which an operator starts, as `Motion.norms`: its harmonics' root mean square."""
        harmonics = math.sqrt(sum((1 + pair // 2) ** 2 for pair in range(self.pairs)) / self.pairs)
        return max(2 * math.pi / self.span_of(label) for label in range(len(self.classes))) * harmonics

    def period_of(self, label: int) -> float | None:
        """Frames after which clips of a class repeat; None when they do not."""
        if self.periods:
            return self.periods[label]
        return None if self.period is None else float(self.period)

    def span_of(self, label: int) -> float:
        """Frames in which a class unfolds: its period, where it has one."""
        return self.period_of(label) or (self.spans[label] if self.spans else float(self.length))


@dataclass(frozen=True, kw_only=True)
class ObjectiveConfig:
    """Weights of the terms of the bound; 1 everywhere is eq. (17) with likelihood variance α²."""

    variance: float = 0.04  # α²
    content_weight: float = 4.0  # of the divergence of the content
    position_weight: float = 1.0  # of the divergence of the positions
    momentum_weight: float = 1.0  # of the divergence of the momenta

    def __post_init__(self) -> None:
        """Raises: HamvaeError: no variance, or a weight that would turn its term around."""
        if self.variance <= 0 or min(self.content_weight, self.position_weight, self.momentum_weight) < 0:
            raise HamvaeError(
                "The objective configuration is not usable: the variance must be positive, and no weight negative."
            )


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the bound is climbed; see `training.fit`."""

    steps: int  # of training
    batch: int = 32  # clips per step
    decoded_frames: int = 4  # frames of each clip that are decoded and scored
    horizon: int = 200  # frames a periodic clip is tiled to
    single_image: float = 0.25  # share of clips seen through their first frame alone
    learning_rate: float = 3e-3  # of Adam, before the schedule
    operator_rate: float = 0.002  # learning rate of the operators, as a share of the above
    warmup: int = 500  # steps of linear warm-up
    gradient_clip: float = 0.25  # largest norm of the gradient
    bfloat16: bool = False  # products of the network in half precision
    seed: int = 0  # of everything random
    save_every: int = 500  # steps from one save to the next
    sample_every: int = 1000  # steps from one sample sheet to the next
    keep: int = 3  # states, the newest; the ones before are there for when it is damaged, or training diverged
    earlier_rates: tuple[tuple[float, ...], ...] = ()  # until which steps, where it changed or training went back

    def __post_init__(self) -> None:
        """Raises: HamvaeError: what nothing can be trained with."""
        counts = (self.steps, self.batch, self.decoded_frames, self.horizon, self.save_every, self.sample_every)
        shares = (self.operator_rate, self.gradient_clip)
        for wrong, what in (
            (
                min(counts) < 1,
                "steps, batch, decoded_frames, horizon and what is done every so often must be at least 1",
            ),
            (self.batch > BATCH_LIMIT, f"batch must be at most {BATCH_LIMIT}; got {self.batch}"),
            (min(self.warmup, self.seed) < 0, "warmup and seed must not be negative"),
            (not 0 <= self.single_image <= 1, f"single_image must be from 0 to 1; got {self.single_image}"),
            (
                not all(0 <= share < math.inf for share in shares),
                "operator_rate and gradient_clip must not be negative",
            ),
            (self.keep < 1, f"keep must be at least 1; got {self.keep}"),
            (
                not 0 < self.learning_rate < math.inf,
                f"learning_rate must be a positive number; got {self.learning_rate}",
            ),
            (any(len(rate) != 2 for rate in self.earlier_rates), "earlier_rates must be pairs of a step and a rate"),
        ):
            if wrong:
                raise HamvaeError(f"The training configuration is not usable: {what}.")

    def at_rate(self, rate: float, step: int) -> Self:
        """The same, going on after `step` at a learning rate; the one until then is remembered, also if it is the same.

        Raises: HamvaeError: a rate that is not a positive number.
        """
        before = tuple(earlier for earlier in self.earlier_rates if earlier[0] < step)
        return dataclasses.replace(self, learning_rate=rate, earlier_rates=(*before, (float(step), self.learning_rate)))


@dataclass(frozen=True, kw_only=True)
class Config:
    """A whole run; it travels inside the weights file."""

    preset: str
    data: DataConfig
    model: ModelConfig
    objective: ObjectiveConfig
    training: TrainingConfig

    def to_json(self) -> str:
        return json.dumps({"format": versions.newest(versions.RUN), **dataclasses.asdict(self)}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; a field that is not there takes its default.

        Raises: HamvaeError: not JSON, another format version, or a field that is missing, unknown or of another type.
        """
        return read_json(cls, text, versions.RUN)


def _are_names(words: tuple[str, ...]) -> bool:
    """Whether these can be told apart, shown, and stand in the names of files."""
    return len(set(words)) == len(words) and all(
        0 < len(word) <= NAME_LIMIT and is_plain(word) and not {"/", "\\"} & set(word) for word in words
    )
