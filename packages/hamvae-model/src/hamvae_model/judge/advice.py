"""The command that trains a judge fit for a source: read from the source, so that following it helps."""

from ..config.choices import LENGTH, VALIDATION
from ..config.run import DataConfig
from ..data import SOURCES, Source
from ..presets import PRESETS


def training_command(source: Source) -> str:
    """What to type for a judge of these clips; DIR stands for their folder."""
    data = source.data
    words = ["hamvae judge train --data", source.name]
    entry = SOURCES.get(source.name)
    if entry is not None and len(entry.labels) > 1:
        words.append(f"--labels {data.labels}")
    if source.decoded and entry is not None:
        words += ["--root DIR", *_options(source, data, entry.preset)]
    if data.validation != VALIDATION:
        words.append(f"--validation {data.validation:g}")
    return " ".join(words)


def _options(source: Source, data: DataConfig, usual: str) -> list[str]:
    """How the clips were read, where that is not the default."""
    framing = data.framing
    alike = [
        name
        for name in (usual, *PRESETS)
        if (PRESETS[name].framing.fit, PRESETS[name].framing.resample) == (framing.fit, framing.resample)
    ]
    red, green, blue = framing.background
    return [
        option
        for option, needed in (
            (f"--preset {next(iter(alike), usual)}", alike and alike[0] != usual),
            (f"--length {source.length}", source.length != LENGTH),
            ("--clips-repeat", data.loop),
            (f"--clip-fps {_fps(data.frame_seconds)}", data.frame_seconds),
            (f"--background '#{red:02x}{green:02x}{blue:02x}'", any(framing.background)),
            ("--skip-bad", source.skipped),
        )
        if needed
    ]


def _fps(frame_seconds: float | None) -> str:
    """The roundest number whose inverse is exactly the unit of time."""
    if not frame_seconds:
        return ""
    rounded = (round(1 / frame_seconds, digits) for digits in range(17))
    exact = next((fps for fps in rounded if fps and 1 / fps == frame_seconds), 1 / frame_seconds)
    return str(exact).removesuffix(".0")
