"""The doors a user has, and what has to be true of what they let through."""

import json
import math
import os
import unicodedata
from pathlib import Path

import torch
from click.testing import CliRunner

import hamvae_model as hv
from hamvae_cli import main
from hamvae_model import runs
from hamvae_model.config.run import FramingConfig
from hamvae_model.data import StoredClips
from hamvae_model.media import probe, read_sheet, stream

from .seeds import Seeds

ASIDE = ("Usage: ", "Try '", "Left out ", "Prepared clips: ", "Decoded ", "Scoring ")  # may stand on standard error too

REORDERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # show text in another order than it has


class Refused(Exception):
    """A command said no, in one sentence."""


class Wrong(AssertionError):
    """Neither refused as promised nor accepted correctly."""


def expect(true: object, what: str) -> None:
    if not true:
        raise Wrong(what)


def command(*words: str | Path) -> str:
    """What a command prints when it succeeds.

    Raises:
        Refused: with its sentence.
        Wrong: it failed in any other way.
    """
    # With colour, so that escape sequences are not filtered out on the way here.
    result = CliRunner().invoke(main, [os.fspath(word) for word in words], prog_name="hamvae", color=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise Wrong(f"{words} left a traceback") from result.exception
    expect(result.exit_code in (0, 1, 2), f"{words} exited with {result.exit_code}")
    plain(result.stdout), plain(result.stderr)
    if result.exit_code == 2 and "\nCommands:\n" in result.stderr:  # what somebody sees who names no command
        raise Refused("It says what commands there are.")
    said = [line for line in result.stderr.splitlines() if line and not line.startswith(ASIDE)]
    if result.exit_code == 0:
        expect(not said, f"{words} succeeded and complained: {said}")
        return result.stdout
    told = [line for line in result.stdout.splitlines() if line.startswith("refused ")]
    if result.exit_code == 1 and told and not said:  # `data check` says it as a part of its answer
        raise Refused(told[0])
    expect(len(said) == 1 and said[0].startswith("Error: "), f"{words} failed with {result.stderr!r}")
    expect(result.stderr.rstrip("\n").endswith(said[0]), f"{words} said more after its sentence: {result.stderr!r}")
    raise Refused(said[0])


def plain(text: str) -> None:
    """Raises: Wrong: something that would move a terminal's cursor, colour it or hide text."""
    odd = [
        sign
        for sign in text
        if sign != "\n" and (unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") or sign in REORDERING)
    ]
    expect(not odd, f"signs that a terminal obeys were printed: {odd[:5]} in {text[:300]!r}")


def sentence(text: str) -> None:
    """Raises: Wrong: it is none."""
    expect(text.strip() and "\n" not in text, f"not one sentence: {text!r}")
    expect(len(text) < 4000, f"a sentence of {len(text)} characters")
    plain(text)


def _strict(text: str) -> dict[str, object]:
    def refuse(constant: str) -> None:
        raise Wrong(f"{constant} in JSON")

    found: dict[str, object] = json.loads(text, parse_constant=refuse)
    return found


def inspect(run: Path) -> None:
    """A model is loaded, and what is said of it is JSON."""
    facts = _strict(command("inspect", run, "--json"))
    model = hv.load(run)
    expect(facts["parameters"] == sum(value.numel() for value in model.network.parameters()), "parameters were lost")
    expect(
        all(bool(value.isfinite().all()) for value in model.network.state_dict().values()),
        "weights that are no numbers",
    )
    command("inspect", run)


def resume(run: Path, seeds: Seeds, *, step: bool) -> None:
    """What `hamvae train --resume` opens before its first step, and perhaps that step."""
    config = runs.load_config(run)
    reports = hv.fit(config, run, source=seeds.source, resume=True)
    done = runs.steps_done(run)
    expect(done is not None and 0 <= done <= config.training.steps, f"{done} steps done of {config.training.steps}")
    expected = runs.load_config(seeds.folder / "run")
    if step and config == expected:
        report = next(reports)
        expect(all(map(math.isfinite, report.losses.values())), f"losses {report.losses}")
    reports.close()


def show_judge(file: Path) -> None:
    facts = _strict(command("judge", "show", file, "--json"))
    shares = facts["accuracy"]
    expect(isinstance(shares, dict) and all(0 <= share <= 1 for share in shares.values()), f"accuracies {shares}")
    command("judge", "show", file)


def open_clip(reference: str) -> None:
    _sound(hv.open_clip(reference))
    probe(reference.partition("#")[0])


def open_stream(path: Path) -> None:
    expect(sum(len(_sound(part)) for part in stream(path)) > 0, "a stream of nothing")


def open_sheet(path: Path) -> None:
    for clip in read_sheet(path).values():
        _sound(clip)


def _sound(clip: hv.Clip) -> hv.Clip:
    frames, times = clip.frames, clip.times
    expect(frames.dtype == torch.uint8 and frames.ndim == 4 and frames.shape[1] == 3, f"frames {frames.shape}")
    expect(frames.numel() > 0 and times.shape == (len(frames),), f"times {times.shape} of frames {frames.shape}")
    expect(bool(times.isfinite().all() and (times.diff() >= 0).all()), f"times {times}")
    expect(math.isfinite(clip.lasting) and clip.lasting >= 0, f"lasting {clip.lasting}")
    unit = clip.frame_seconds
    expect(unit is None or (math.isfinite(unit) and unit > 0), f"a unit of {unit} s")
    if clip.alpha is not None:
        expect(clip.alpha.shape == (len(frames), 1, *frames.shape[2:]), f"alpha {clip.alpha.shape}")
    return clip


def open_folder(folder: Path, source: str = "folder") -> None:
    """A folder of clips as training opens it."""
    opened = hv.open_source(source, folder, length=2, loop=True, skip_bad=True, framing=FramingConfig())
    for problem in opened.skipped.values() if isinstance(opened, StoredClips) else ():
        sentence(str(problem))
    batch = opened.clips("train", torch.arange(min(opened.splits["train"], 4)))
    expect(batch.frames.dtype == torch.uint8 and batch.frames.shape[1:] == (2, 3, 64, 64), f"{batch.frames.shape}")
    expect(bool(batch.times.isfinite().all()), f"times {batch.times}")
    expect(all(span > 0 and math.isfinite(span) for span in opened.spans), f"spans {opened.spans}")


def check_folder(folder: Path) -> None:
    """`hamvae data check`, without the part that measures a few steps where there is nothing to train on."""
    command("data", "check", folder, "--preset", "demo", "--length", "2", "--clips-repeat")
