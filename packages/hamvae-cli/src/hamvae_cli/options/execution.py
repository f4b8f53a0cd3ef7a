"""How training is carried out: the options of speed and memory, which a new run takes and a resumed one alike."""

import click

from hamvae_model.config import WORKERS_LIMIT, Execution
from hamvae_model.config.choices import BATCH_LIMIT

from .gathering import gathered

execution_options = gathered(
    "execution",
    Execution,
    accumulate=click.option(
        "--accumulate",
        type=click.IntRange(1, BATCH_LIMIT),
        default=1,
        metavar="N",
        help="Take each batch in N parts: the same result in less memory.",
    ),
    workers=click.option(
        "--workers",
        type=click.IntRange(0, WORKERS_LIMIT),
        default=0,
        metavar="N",
        help="Threads that prepare the next batches meanwhile.",
    ),
    compile=click.option("--compile", is_flag=True, help="Compile the network before the first step."),
    deterministic=click.option(
        "--deterministic", is_flag=True, help="Use no operation that may give another result next time."
    ),
)
