"""hamvae evaluate"""

from __future__ import annotations  # what is named in a signature is not loaded for it

import json
from collections.abc import Sequence
from pathlib import Path

import click

import hamvae_model as hv
from hamvae_model.config.choices import SAMPLES, SEEDS, TABLES
from hamvae_model.words import counted

from . import _outputs
from ._decoding import Decoding
from .options.common import MANY, PATH, Name, device_option, json_option, root_option, run_argument


@click.command()
@run_argument
@click.option(
    "--judge",
    "judge_file",
    type=PATH,
    metavar="FILE",
    help="What `hamvae judge train` wrote; by default judges/SOURCE-LABELS.safetensors.",
)
@click.option(
    "--table",
    "tables",
    type=Name((*TABLES, "all")),
    multiple=True,
    default=("all",),
    show_default=True,
    metavar="NAME",
    help=f"Table to make, {', '.join(TABLES)} or all; repeat it.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, MANY),
    default=SEEDS,
    show_default=True,
    metavar="N",
    help="How often to draw what is drawn at random; ± is the standard deviation over them.",
)
@click.option(
    "--samples",
    type=click.IntRange(1, MANY),
    default=SAMPLES,
    show_default=True,
    metavar="N",
    help="Clips of each kind to ask the judge about, as many of each class.",
)
@click.option(
    "--characters",
    type=click.IntRange(1, MANY),
    metavar="N",
    help="Characters of the split to look at, of builtin and sprites. [default: all]",
)
@click.option(
    "--final",
    is_flag=True,
    help="Score the test split, which nothing was chosen by, and record that in the run's final.jsonl.",
)
@click.option("--figures", type=PATH, metavar="DIR", help="Also draw the paper's figures, as PNG and GIF.")
@root_option
@device_option
@json_option
def evaluate(
    run: Path,
    judge_file: Path | None,
    tables: Sequence[str],
    seeds: int,
    samples: int,
    characters: int | None,
    final: bool,
    figures: Path | None,
    root: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Score a run on held-out clips, beside what was published.

    They are validation clips, by which settings may be chosen. With --final they are those of the test split: score it
    once, when everything is chosen. final.jsonl in the run folder keeps the scores of each time, with date and commit.

    Tables: generation (16 frames from one, and floors), disentanglement (a judge of actions asked about new
    combinations), identity (a judge of attributes), swap (against the exact render), roll (a thousand frames). The
    source is opened as it was for training. disentanglement and identity need a judge of it, and are left out without
    one. What each figure means is in docs/protocols.md. All tables take minutes on a CPU.

    \b
    Example:
      hamvae judge train --data builtin
      hamvae evaluate runs/first
      hamvae evaluate runs/first --final
      hamvae evaluate runs/first --table generation --table swap --figures figures
    """
    from hamvae_model.data import reopen_source
    from hamvae_model.devices import choose_device
    from hamvae_model.evaluation import JUDGED, check_split, write_figures
    from hamvae_model.evaluation import evaluate as score
    from hamvae_model.judge import default_path, load_judge
    from hamvae_model.runs import earlier_finals, record_final

    from ._console import scoring
    from ._scores import print_scores

    where = choose_device(device)
    model = hv.load(run, where)
    source = reopen_source(model.config, root, device=where, progress=Decoding())
    split = "test" if final else "validation"
    check_split(source, split)
    if final and (earlier := earlier_finals(run)):
        last = earlier[-1]
        click.echo(
            f"The test split of this run was scored {counted(len(earlier), 'time')} before, last on {last.get('date')} "
            f"with the code of {last.get('commit') or 'an installed package'}; what was chosen since knows it.",
            err=True,
        )
    wanted = TABLES if "all" in tables else tuple(tables)
    path = judge_file or default_path(source.name, source.data.labels)
    asked = judge_file is not None or (path.exists() and set(wanted) & set(JUDGED))
    judge = load_judge(path, where) if asked else None
    if figures is not None:
        _outputs.check_folder(figures if figures.exists() else figures.absolute().parent)
    with scoring() as progress:
        found = score(
            model,
            source,
            judge,
            tables=wanted,
            seeds=seeds,
            samples=samples,
            characters=characters,
            split=split,
            progress=progress,
        )
    if final:
        record_final(run, found)
    found = {"run": str(run), **found, "figures": []}
    if figures is not None:
        found["figures"] = [str(file) for file in write_figures(model, source, figures, split)]
    if as_json:
        click.echo(json.dumps(found))
        return
    print_scores(found)
    for file in found["figures"]:
        click.echo(f"Wrote {file}")
