"""How training is carried out: the options of speed and memory, which a new run takes and a resumed one alike."""

import functools
from collections.abc import Callable
from typing import Any

import click

from hamvae_model.config.choices import BATCH_LIMIT
from hamvae_model.config.execution import WORKERS_LIMIT, Execution

_OPTIONS = (
    click.option(
        "--accumulate",
        type=click.IntRange(1, BATCH_LIMIT),
        default=1,
        metavar="N",
        help="Take each batch in N parts: the same result in less memory.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(0, WORKERS_LIMIT),
        default=0,
        metavar="N",
        help="Threads that prepare the next batches meanwhile.",
    ),
    click.option("--compile", is_flag=True, help="Compile the network before the first step."),
    click.option("--deterministic", is_flag=True, help="Use no operation that may give another result next time."),
)


def execution_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--accumulate, --workers, --compile and --deterministic, which the command receives together as `execution`."""

    @functools.wraps(command)
    def gathered(*words: Any, accumulate: int, workers: int, compile: bool, deterministic: bool, **rest: Any) -> Any:
        execution = Execution(accumulate=accumulate, workers=workers, compile=compile, deterministic=deterministic)
        return command(*words, execution=execution, **rest)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), gathered)
