"""From the sheets to the tables: train the paper's model under every operator, judge it, and say what it is worth.

    export HAMVAE_SPRITES_SHEETS=DIR
    python benchmarks/reproduce.py operators     four classes of operators, three seeds each
    python benchmarks/reproduce.py ablation      one choice of the preset changed at a time

Every run is the preset `sprites-small` at a reduced size, minutes on one core, so that many can be compared; two train
side by side, one thread each. What is finished is kept in runs/: a second call goes on where the first one stopped, in
the middle of a run as well. `python benchmarks/quality.py sprites-small` trains the preset at its full size.

Figures and provenance go to benchmarks/results/sprites-VARIANT.json, a mean and a standard deviation over the seeds of
training each; `make docs` makes the tables of them. Weights stay uncommitted: they are made from CC-BY-SA art.
"""

import argparse
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from quality import trained

import hamvae_model as hv

WORKERS = 2
REDUCED: Mapping[str, Any] = {"steps": 1500, "warmup": 200}  # of training: about four minutes on one core


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to train: what is different from the preset, and how many seeds are worth their time."""

    seeds: int = 1
    model: Mapping[str, Any] = field(default_factory=dict)
    objective: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def config(self, source: hv.Source, seed: int) -> hv.Config:
        preset = hv.build("sprites-small", source=source, seed=seed)
        return replace(
            preset,
            model=replace(preset.model, **self.model),
            objective=replace(preset.objective, **self.objective),
            training=replace(preset.training, **{**REDUCED, **self.training}),
        )


STUDIES: dict[str, dict[str, Variant]] = {
    "operators": {
        name: Variant(seeds=3, model={"operator": name})
        for name in ("skew-symmetric", "elliptic", "hamiltonian", "unconstrained")
    },
    "ablation": {
        "no-action-in-decoder": Variant(model={"class_in_decoder": False}),
        "content-weight-1": Variant(objective={"content_weight": 1.0}),
        "content-weight-16": Variant(objective={"content_weight": 16.0}),
        "motion-weight-4": Variant(objective={"position_weight": 4.0, "momentum_weight": 4.0}),
        "variance-0.01": Variant(objective={"variance": 0.01}),
        "variance-0.16": Variant(objective={"variance": 0.16}),
        "start-at-10-frames": Variant(model={"period": 10}),
        "horizon-16": Variant(training={"horizon": 16}),
        "whole-clips-only": Variant(training={"single_image": 0.0}),
        "pairs-2": Variant(model={"pairs": 2}),
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are kept")
    arguments = parser.parse_args()
    variants = STUDIES[arguments.study]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        jobs = {
            pool.submit(run, variant, seed, arguments.runs / f"sprites-{name}-{seed}"): name
            for seed in range(max(variant.seeds for variant in variants.values()))
            for name, variant in variants.items()
            if seed < variant.seeds
        }
        for job in as_completed(jobs):
            job.result()


def run(variant: Variant, seed: int, folder: Path) -> None:
    """Train one run."""
    torch.set_num_threads(1)
    source = hv.open_source("sprites")
    trained(variant.config(source, seed), folder, source)


if __name__ == "__main__":
    main()
