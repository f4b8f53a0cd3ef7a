"""From the sheets to the tables: train the paper's model under every operator, judge it, and say what it is worth.

    export HAMVAE_SPRITES_SHEETS=DIR
    python benchmarks/quality/reproduce.py operators     four classes of operators, three seeds each
    python benchmarks/quality/reproduce.py ablation      one choice of the preset changed at a time

Both score validation characters, or with --final those of the test split, which each run's final.jsonl then tells.

Every run is the preset `sprites-small` at a reduced size, so that many can be compared in an hour; two train side by
side, one thread each. What is finished is kept in runs/: a second call goes on where the first one stopped, in
the middle of a run as well. `python benchmarks/quality/preset.py sprites-small` trains the preset at its full size.

Figures and provenance go to benchmarks/results/sprites-VARIANT.json, a mean and a standard deviation over the seeds of
training each; `make docs` makes the tables of them. Weights stay uncommitted: they are made from CC-BY-SA art.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
import math
import shlex
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from typing import Any

import torch
from machine import provenance

import hamvae_model as hv
from hamvae_model.evaluation import evaluate, pooled
from hamvae_model.runs import record_final
from quality.preset import RESULTS, judge_of, trained, training_seconds

WORKERS = 2
CHARACTERS = 50  # held out: nine clips each
REDUCED: dict[str, dict[str, Any]] = {  # half as wide, and about two minutes on one core
    "model": {"encoder_widths": (16, 32, 64), "feature_dim": 128, "decoder_hidden": (256, 512)},
    "objective": {},
    "training": {"steps": 1200, "warmup": 200},
}


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to train: what is different from the preset, and how many seeds are worth their time."""

    seeds: int = 1
    model: Mapping[str, Any] = field(default_factory=dict)
    objective: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def config(self, source: hv.Source, seed: int) -> hv.Config:
        preset = hv.build("sprites-small", source=source, seed=seed)
        changed = {
            part: replace(getattr(preset, part), **{**reduced, **getattr(self, part)})
            for part, reduced in REDUCED.items()
        }
        return replace(preset, **changed)


UNTOLD = {"no-action-in-decoder": Variant(model={"class_in_decoder": False})}  # a row of both tables
STUDIES: dict[str, dict[str, Variant]] = {
    "operators": {
        name: Variant(seeds=3, model={"operator": name})
        for name in ("skew-symmetric", "elliptic", "hamiltonian", "unconstrained")
    }
    | UNTOLD,
    "ablation": {
        **UNTOLD,
        "content-weight-1": Variant(objective={"content_weight": 1.0}),
        "content-weight-16": Variant(objective={"content_weight": 16.0}),
        "motion-weight-4": Variant(objective={"position_weight": 4.0, "momentum_weight": 4.0}),
        "variance-0.01": Variant(objective={"variance": 0.01}),
        "start-at-10-frames": Variant(model={"period": 10}),
        "horizon-16": Variant(training={"horizon": 16}),
        "pairs-2": Variant(model={"pairs": 2}),
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are kept")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where figures and provenance go")
    parser.add_argument("--characters", type=int, default=CHARACTERS, help="held-out characters to score on")
    parser.add_argument("--final", action="store_true", help="score the test split, for a result to be committed")
    arguments = parser.parse_args()
    variants, split = STUDIES[arguments.study], "test" if arguments.final else "validation"
    judge_of(hv.open_source("sprites"))  # before two processes want it
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        jobs = {
            name: [
                pool.submit(run, variant, seed, arguments.runs / f"sprites-{name}-{seed}", arguments.characters, split)
                for seed in range(variant.seeds)
            ]
            for name, variant in variants.items()
        }
        for name, seeds in jobs.items():
            found = [job.result() for job in seeds]
            result = {
                "command": shlex.join(["python", "benchmarks/quality/reproduce.py", *sys.argv[1:]]),
                "variant": name,
                "changes": {part: dict(getattr(variants[name], part)) for part in REDUCED},
                "seeds": len(found),
                "steps": REDUCED["training"]["steps"],
                "split": split,
                "characters": arguments.characters,
                "training_minutes": [one["training_minutes"] for one in found],
                "tables": pooled([means(one["tables"]) for one in found]),
                "trained_on": found[0]["trained_on"],
                "scored_on": found[0]["scored_on"],
            }
            kept = f"sprites-{name}" if arguments.final else f"sprites-{name}-validation"
            (arguments.results / f"{kept}.json").write_text(json.dumps(result, indent=2) + "\n")
            print(f"{name}: done", flush=True)


def run(variant: Variant, seed: int, folder: Path, characters: int, split: str) -> dict[str, Any]:
    """Train one run and score it, unless that is done."""
    torch.set_num_threads(1)
    source, scores = hv.open_source("sprites"), folder / f"scores-{split}-{characters}.json"
    trained(variant.config(source, seed), folder, source)
    if not scores.exists():
        found = evaluate(hv.load(folder), source, judge_of(source), seeds=1, characters=characters, split=split)
        if split == "test":
            record_final(folder, found)
        found = {
            "training_minutes": round(training_seconds(folder) / 60, 1),
            "tables": found["tables"],
            "trained_on": json.loads((folder / "environment.json").read_text()),
            "scored_on": provenance(),
        }
        scores.write_text(json.dumps(found))
    known: dict[str, Any] = json.loads(scores.read_text())
    return known


def means(tree: Any) -> Any:
    """What `evaluate` found, without the deviations over draws: those over training are reported instead."""
    if not isinstance(tree, dict):
        return tree
    if tree.keys() == {"mean", "std"}:
        return math.nan if tree["mean"] is None else tree["mean"]
    return {name: means(part) for name, part in tree.items()}


if __name__ == "__main__":
    main()
