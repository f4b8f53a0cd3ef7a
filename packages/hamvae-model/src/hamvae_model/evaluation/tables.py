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
from .disentanglement import disentanglement
from .draws import balanced, unseen
from .floors import copy_floor, static_floor
from .generation import generation
from .held_out import ALONE, HeldOut
from .identity import identity
from .roll import roll
from .swap import swap

JUDGED = ("disentanglement", "identity")  # these need a judge
DRAWN = ("disentanglement", "identity", "swap")  # these draw at random; the others say the same for every seed

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
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score a model on held-out clips under the protocols of docs/protocols.md.

    Args:
        model: of a run.
        source: the one it was trained on, opened as then.
        judge: trained on the same source and labels; needed for `JUDGED`.
        tables: some of `TABLES`. Of several, those that do not apply to these clips are left out.
        seeds: 0, 1, …: how often what is drawn at random is drawn.
        samples: of each kind and seed, for the entropies.
        characters: how many of the test split, by default all.

    Returns: facts about the run; how many `clips` were looked at, and how many of them are long enough to be generated
        (`long_clips`); `tables`: name → rows → figures, each `{"mean": …, "std": …}` over the seeds (the sample's
        standard deviation; 0 for what is not drawn at random), a curve as a list of means, None for what is not finite;
        and `left_out`: table → why.

    Raises: UsageError: an unknown table, no judge or an unfit one, too few samples, no seed, other characters or
        classes than the source has, or a single table that does not apply.
    """
    wanted = list(dict.fromkeys(tables))
    for table in wanted:
        if table not in TABLES:
            raise UsageError(f"There is no table '{table}'{nearest(table, TABLES)}")
    if seeds < 1:
        raise UsageError(f"Draw with at least one seed; got {seeds}.")
    held_out = HeldOut(model, source, characters)
    left_out = {table: why for table in wanted if (why := _inapplicable(table, source, held_out))}
    if left_out and len(left_out) == len(wanted):
        raise UsageError(next(iter(left_out.values())))
    wanted = [table for table in wanted if table not in left_out]
    if judged := [table for table in wanted if table in JUDGED]:
        balanced(samples, len(source.classes))
        check_judge(judge, source, judged)
    protocols: dict[str, Callable[[int], Mapping[str, Any]]] = {
        "generation": lambda seed: generation(held_out) | static_floor(held_out) | copy_floor(held_out),
        "swap": lambda seed: {"swap": swap(held_out, seed=seed)},
        "roll": lambda seed: {"roll": roll(held_out)},
    }
    if judge is not None:
        protocols["disentanglement"] = lambda seed: disentanglement(held_out, judge, samples=samples, seed=seed)
        protocols["identity"] = lambda seed: identity(held_out, judge, samples=samples, seed=seed)
    work = [(table, seed) for table in wanted for seed in range(seeds if table in DRAWN else 1)]
    found: dict[str, list[Mapping[str, Any]]] = {table: [] for table in wanted}
    for done, (table, seed) in enumerate(work):
        if progress:
            progress(table, done, len(work))
        found[table].append(protocols[table](seed))
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
        "clips": len(held_out.clips),
        "long_clips": len(held_out.long),
        "characters": held_out.characters,
        "seeds": seeds,
        "samples": balanced(samples, len(source.classes)) if judged else None,
        "judge": dict(judge.accuracy) if judge and judged else None,
        "tables": {table: pooled(results) for table, results in found.items()},
        "left_out": left_out,
    }


def check_judge(judge: Judge | None, source: Source, tables: Sequence[str] = JUDGED) -> None:
    """Raises: UsageError: no judge where `tables` need one, or one that is not fit to judge clips of `source`."""
    if judge is None:
        needing = " and ".join(tables)
        raise UsageError(f"There is no judge for {needing}; train one with: {training_command(source)}")
    judge.check(source)


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


def _inapplicable(table: str, source: Source, held_out: HeldOut) -> str:
    """Why a table says nothing about these clips; empty if it does."""
    if table == "disentanglement":
        return unseen(held_out)
    if source.exact is not None:
        return ALONE if table in ("identity", "swap") and held_out.characters == 1 else ""
    if table in ("identity", "swap"):
        return f"The {source.name} source has no exact renders or known attributes; {table} is for builtin and sprites."
    if table == "roll" and not source.repeats("test", held_out.clips).any():
        return f"No held-out clip of the {source.name} source repeats, so none can be rolled for long."
    return ""
