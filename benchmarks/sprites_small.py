"""Train `sprites-small` on the real sheets and score it on every held-out character.

    HAMVAE_SPRITES_SHEETS=DIR python benchmarks/sprites_small.py [--run DIR]

A finished run is scored again without training; an interrupted one is continued first. Figures and provenance go to
benchmarks/results/sprites-small.json. The weights stay uncommitted: they are made from CC-BY-SA art.
"""

import argparse
import json
import time
from pathlib import Path

import hamvae_model as hv
from hamvae_model import checkpoint
from hamvae_model.evaluation.protocols import held_out
from machine import provenance

RESULT = Path(__file__).parent / "results" / "sprites-small.json"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--run", type=Path, default=Path("runs/sprites-small"), help="the run folder")
    run: Path = arguments.parse_args().run

    source = hv.open_source("sprites")
    if (run / checkpoint.STATE).exists():
        config, resume = checkpoint.load_config(run), True
    else:
        config, resume = hv.build("sprites-small", source=source), False
    for report in hv.fit(config, run, source=source, resume=resume):
        if report.step % 500 == 0 or report.step == report.steps:
            pace, left = report.sequences_per_second, report.eta_seconds / 60
            print(f"step {report.step}/{report.steps}  {pace:.0f} sequences/s  {left:.1f} min left", flush=True)

    began = time.perf_counter()
    figures = held_out(hv.load(run), source)
    result = {
        "command": "python benchmarks/sprites_small.py",
        "preset": config.preset,
        "operator": config.model.operator,
        "seed": config.training.seed,
        "steps": config.training.steps,
        "training_minutes": round(_training_seconds(run) / 60, 1),
        "characters": source.splits["test"] // len(source.motions),
        "scoring_seconds": round(time.perf_counter() - began, 1),
        "figures": figures,
        "trained_on": json.loads((run / "environment.json").read_text()),
        "scored_on": provenance(),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    for name, value in figures.items():
        print(f"{name:22} {value:.5g}")


def _training_seconds(run: Path) -> float:
    """Wall time in training, over all pieces: `seconds` counts from the start of each."""
    total = previous = 0.0
    for line in (run / "metrics.jsonl").read_text().splitlines():
        seconds = json.loads(line)["seconds"]
        total += seconds - previous if seconds > previous else seconds
        previous = seconds
    return total


if __name__ == "__main__":
    main()
