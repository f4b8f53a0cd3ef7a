"""Train the judges of composed characters, and see what they say of every held-out clip.

    HAMVAE_SPRITES_SHEETS=DIR python benchmarks/quality/judges.py builtin sprites

A judge goes to judges/, where evaluation looks for it, or where --judges says. Figures and provenance go to
benchmarks/results/judges.json; what it holds of other sources stays. `accuracy_augmented` is of 512 held-out clips that
were shifted, blurred, lit and made noisy as in training. Weights stay uncommitted: those of the Sprites sheets are made
from CC-BY-SA art.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
import time
from collections import Counter
from typing import Any

import torch
from machine import provenance

import hamvae_model as hv
from hamvae_model.clips import as_images
from hamvae_model.config.choices import JUDGE_STEPS, LABELS
from hamvae_model.judge import (
    ACTION,
    JUDGES,
    Judge,
    augmented,
    default_path,
    measured_on,
    save_judge,
    train_judge,
    truth,
    verdicts,
)

RESULT = Path(__file__).parents[1] / "results" / "judges.json"
EVERY = 100  # steps between two lines
AUGMENTED = 512  # held-out clips, at most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="+", choices=("builtin", "sprites"))
    parser.add_argument("--labels", choices=LABELS, default=LABELS[-1])
    parser.add_argument("--steps", type=int, default=JUDGE_STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--judges", type=Path, default=JUDGES, help="folder for the judges")
    parser.add_argument("--result", type=Path, default=RESULT, help="where figures and provenance go")
    arguments = parser.parse_args()
    arguments.judges.mkdir(exist_ok=True)
    for name in arguments.source:
        source = hv.open_source(name, labels=arguments.labels)
        path = arguments.judges / default_path(name, arguments.labels).name
        figures = measured(source, path, arguments.steps, arguments.seed)
        found = json.loads(arguments.result.read_text()) if arguments.result.exists() else {"figures": {}}
        found["figures"][path.stem] = figures
        arguments.result.write_text(json.dumps(found, indent=2) + "\n")
        print(json.dumps(figures, indent=2), flush=True)


def measured(source: Any, path: Path, steps: int, seed: int) -> dict[str, object]:
    """Train one judge, keep it, and count what it gets wrong."""
    began, spent = time.perf_counter(), time.process_time()
    judge = trained(source, steps, seed)
    seconds, processor = time.perf_counter() - began, time.process_time() - spent
    save_judge(path, judge)
    names = {ACTION: judge.classes, **judge.attributes}
    confusions = {
        head: Counter(f"{names[head][t]} as {names[head][s]}" for s, t in zip(*pair, strict=True) if s != t)
        for head, pair in verdicts(judge, source).items()
    }
    chosen = f"{source.name} --labels {source.data.labels} --steps {steps} --seed {seed}"
    return {
        "command": f"python benchmarks/quality/judges.py {chosen}",
        "steps": steps,
        "seed": seed,
        "seconds": round(seconds, 1),
        "processor_seconds": round(processor, 1),
        "held_out_clips": source.splits[measured_on(source)],
        "accuracy": judge.accuracy,
        "accuracy_augmented": accuracy_augmented(judge, source),
        "confusions": {head: dict(pairs.most_common()) for head, pairs in confusions.items() if pairs},
        "measured_on": provenance(),
    }


def trained(source: Any, steps: int, seed: int) -> Judge:
    """Training and the measurement of accuracies, as `hamvae judge train` does them."""
    reports = train_judge(source, steps=steps, seed=seed)
    while True:
        try:
            report = next(reports)
        except StopIteration as end:
            return end.value
        if report.step % EVERY == 0:
            losses = "  ".join(f"{head} {loss:.3f}" for head, loss in report.losses.items())
            print(f"step {report.step}/{report.steps}  {report.eta_seconds / 60:.1f} min left  {losses}", flush=True)


@torch.no_grad()
def accuracy_augmented(judge: Judge, source: Any) -> dict[str, float]:
    generator = torch.Generator().manual_seed(1)
    split = measured_on(source)
    clips = torch.randperm(source.splits[split], generator=generator)[:AUGMENTED]
    right: dict[str, list[torch.Tensor]] = {}
    for some in torch.split(clips, 64):
        images = augmented(as_images(source.clips(split, some).frames), generator)
        true = truth(source, split, some)
        for head, scores in {ACTION: judge.actions(images), **judge.values(images)}.items():
            right.setdefault(head, []).append(scores.argmax(-1) == true[head])
    return {head: float(torch.cat(parts).float().mean()) for head, parts in right.items()}


if __name__ == "__main__":
    main()
