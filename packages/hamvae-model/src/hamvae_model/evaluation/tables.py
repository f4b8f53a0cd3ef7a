"""Every table of one run: the protocols by name, repeated over seeds, as plain data."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..animate import Model
from ..config.choices import SAMPLES, SEEDS, TABLES
from ..data import Source
from ..errors import UsageError
from ..judge import Judge
from ..judge.advice import training_command
from ..words import nearest
from .draws import balanced, unseen
from .held_out import ALONE, HeldOut
from .protocols import PROTOCOLS

JUDGED = tuple(table for table, protocol in PROTOCOLS.items() if protocol.judged)  # these need a judge
DRAWN = tuple(table for table, protocol in PROTOCOLS.items() if protocol.drawn)

Progress = Callable[[str, int, int], None]
"""Told what begins, how many pieces of work are done, and how many there are."""


def evaluate(
    model: Model,
    source: Source,
    judge: Judge | None = None,
    *,
    tables: Iterable[str] = TABLES,
    seeds: int = SEEDS,
    samples: int = SAMPLES,
    characters: int | None = None,
    split: str = "validation",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score a model on held-out clips under the protocols of docs/protocols.md.

    Args:
        model: of a run.
        source: the one it was trained on, opened as then.
        judge: trained on the same source and labels; without one, `JUDGED` tables are left out.
        tables: some of `TABLES`. Of several, those that do not apply to these clips are left out.
        seeds: 0, 1, …: how often what is drawn at random is drawn.
        samples: of each kind and seed, for the entropies.
        characters: how many of the split, by default all.
        split: ``validation``, which settings may be chosen by, or ``test``, which is for the end.

    Returns: facts about the run; how many `clips` of how many `identities` were looked at, and how many of them are
        long enough to be generated (`long_clips`); `tables`: name → rows → figures, each `{"mean": …, "std": …}` over
        the seeds (the sample's standard deviation; 0 for what is not drawn at random), a curve as a list of means,
        None for what is not finite; and `left_out`: table → why.

    Raises: UsageError: an unknown table, no judge or an unfit one, too few samples, no seed, other characters or
        classes than the source has, or a single table that does not apply.
    """
    wanted = list(dict.fromkeys(tables))
    for table in wanted:
        if table not in TABLES:
            raise UsageError(f"There is no table '{table}'{nearest(table, TABLES)}")
    if seeds < 1:
        raise UsageError(f"Draw with at least one seed; got {seeds}.")
    if set(wanted) & set(JUDGED):
        balanced(samples, len(source.classes))
    held_out = HeldOut(model, source, characters, split=split)
    left_out = {table: why for table in wanted if (why := _inapplicable(table, source, held_out, judge))}
    if left_out and len(left_out) == len(wanted):
        raise UsageError(next(iter(left_out.values())))
    wanted = [table for table in wanted if table not in left_out]
    if judge is not None and set(wanted) & set(JUDGED):
        judge.check(source)
    work = [(table, seed) for table in wanted for seed in range(seeds if PROTOCOLS[table].drawn else 1)]
    found: dict[str, list[Mapping[str, Any]]] = {table: [] for table in wanted}
    for done, (table, seed) in enumerate(work):
        if progress:
            progress(table, done, len(work))
        found[table].append(PROTOCOLS[table].score(held_out, judge, samples, seed))
    if progress:
        progress("", len(work), len(work))
    config = model.config
    return {
        "source": source.name,
        "labels": config.data.labels,
        "preset": config.preset,
        "operator": config.model.operator,
        "decoder": "φ(z, q, u)" if config.model.class_in_decoder else "φ(z, q)",
        "sees_labels": True,
        "split": split,
        "clips": len(held_out.clips),
        "long_clips": len(held_out.long),
        "characters": held_out.characters,
        "identities": held_out.identities,
        "seeds": seeds,
        "samples": balanced(samples, len(source.classes)) if set(wanted) & set(JUDGED) else None,
        "judge": dict(judge.accuracy) if judge and set(wanted) & set(JUDGED) else None,
        "tables": {table: pooled(results) for table, results in found.items()},
        "left_out": left_out,
    }


def pooled(results: Sequence[Any]) -> Any:
    """The leaves of equal trees as `{"mean": …, "std": …}` over the trees, None if one of them is not finite.

    Of lists, the means place by place.
    """
    first = results[0]
    if isinstance(first, Mapping):
        return {name: pooled([result[name] for result in results]) for name in first}
    if isinstance(first, list):
        return [pooled(values)["mean"] for values in zip(*results, strict=True)]
    if not all(result is not None and math.isfinite(result) for result in results):
        return {"mean": None, "std": None}
    mean = math.fsum(results) / len(results)
    spread = math.fsum((value - mean) ** 2 for value in results)
    return {"mean": mean, "std": math.sqrt(spread / (len(results) - 1)) if len(results) > 1 else 0.0}


def _inapplicable(table: str, source: Source, held_out: HeldOut, judge: Judge | None) -> str:
    """Why a table says nothing about these clips; empty if it does."""
    exact = PROTOCOLS[table].exact
    if exact and held_out.characters == 1:
        return ALONE
    if exact and source.exact is None:
        return f"The {source.name} source has no exact renders or known attributes; {table} is for builtin and sprites."
    if table == "disentanglement" and (why := unseen(held_out)):
        return why
    if PROTOCOLS[table].judged and judge is None:
        return f"There is no judge for {table}; train one with: {training_command(source)}"
    if table == "roll" and not source.repeats(held_out.split, held_out.clips).any():
        return f"No held-out clip of the {source.name} source repeats, so none can be rolled for long."
    return ""
