"""Arguments and options that several commands share."""

import math
import os
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from hamvae_model import HamvaeError, UsageError
from hamvae_model.config import Config
from hamvae_model.config.choices import OUTPUTS
from hamvae_model.devices import DEVICES
from hamvae_model.runs import CONFIG, check_there
from hamvae_model.words import is_plain, nearest

SEED_LIMIT = 2**63 - 1  # what generators take
STEP_LIMIT = 10**9  # of training: centuries
MANY = 10_000  # clips that are drawn or scored one by one: more is a slip of the finger


def _can_be_shown(path: str | os.PathLike[str]) -> bool:
    try:
        return is_plain(os.fsencode(path).decode(errors="replace"))
    except UnicodeEncodeError:  # half of a character, which no file's name holds
        return False


class _FilePath(click.Path):
    """A path that can be shown, which a success does as it is; one in another encoding than UTF-8 can."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not _can_be_shown(value):
            self.fail(f"'{os.fspath(value)}' has signs in it that cannot be shown; choose another name.", param, ctx)
        return super().convert(value, param, ctx)


PATH = _FilePath(path_type=Path)  # whether it exists is asked where it is opened: the answer there says what to do


class Name(click.Choice[str]):
    """One of some names; a wrong one is answered with the nearest, a missing one with all."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        return f"Choose from: {', '.join(self.choices)}"

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        return f"there is no '{value}'{nearest(str(value), self.choices)}"


class Positive(click.FloatRange):
    """A number above 0 that is one: click lets NaN through a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"the number must be finite; got {value}.", param, ctx)
        return number


def check_clip(reference: str) -> None:
    """Raises: UsageError: a reference to a file that is missing; any other is checked where it is opened."""
    if ":" in reference or "#" in reference:  # a source's clip, or a part of a file
        return
    try:
        os.stat(reference)
    except FileNotFoundError:
        raise UsageError(f"{reference}: there is no such file; check the spelling.") from None
    except (OSError, ValueError):
        pass  # the sentence is said where it is opened


class Reference(click.ParamType[str]):
    """A clip as people name it, completed like a file; a missing file is refused before torch is loaded."""

    name = "clip"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        check_clip(value)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


class Action(click.ParamType[str]):
    """The name of a motion, completed to those of the run that stands before it on the line."""

    name = "action"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        run = ctx.params.get("run") or next(iter(ctx.args), "")  # an option without its value ends click's parsing
        try:
            config = Config.from_json((Path(run) / CONFIG).read_text("utf-8"))
        except (OSError, ValueError, HamvaeError):
            return []  # nothing is known of the run, and a traceback would be in the way
        return [CompletionItem(name) for name in config.model.classes if name.startswith(incomplete)]


def _there(ctx: click.Context, param: click.Parameter, run: Path) -> Path:
    """Raises: UsageError: nothing was trained there, which is found out before torch is loaded."""
    if not ctx.resilient_parsing:
        check_there(run)
    return run


run_argument = click.argument("run", type=PATH, callback=_there, is_eager=True)  # before a missing clip is named
action_option = click.option(
    "--action",
    type=Action(),
    metavar="NAME",
    help="Motion the clip shows, when its source does not say; see `hamvae inspect RUN`.",
)
root_option = click.option(
    "--root",
    type=PATH,
    metavar="DIR",
    help="Folder of the source's clips or sheets; of sprites, else $HAMVAE_SPRITES_SHEETS.",
)
device_option = click.option(
    "--device", type=Name(DEVICES), default="auto", show_default=True, help="Where to compute; auto prefers a GPU."
)
output_option = click.option(
    "-o", "--output", type=PATH, required=True, metavar="FILE", help=f"File to write: {' '.join(OUTPUTS)}."
)
scale_option = click.option(
    "--scale",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Draw each pixel as N x N pixels.",
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, SEED_LIMIT),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of everything random.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead, for programs.")
