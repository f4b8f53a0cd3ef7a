"""Train a preset and score it on every held-out character or clip.

    python benchmarks/quality/preset.py demo [--run demo/run] [--operator NAME]
    HAMVAE_SPRITES_SHEETS=DIR python benchmarks/quality/preset.py sprites-small [--run runs/sprites-small]
    python benchmarks/quality/preset.py clips --root DIR --result clips.json     a folder of clips
    python benchmarks/quality/preset.py photos --root DIR --result mug.json      the MUG facial expressions

A finished run is scored again without training; an interrupted one is continued first. Figures and provenance go to
benchmarks/results/PRESET[-OPERATOR].json, or where --result says. Weights stay uncommitted: those of the Sprites sheets
are made from CC-BY-SA art.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
import shlex
import time
from collections.abc import Iterator

import torch
from machine import provenance

import hamvae_model as hv
from hamvae_model import runs
from hamvae_model.config.choices import OPERATORS
from hamvae_model.devices import DEVICES, choose_device
from hamvae_model.evaluation import TABLES, evaluate
from hamvae_model.judge import Judge, default_path, load_judge, save_judge, train_judge
from hamvae_model.presets import PRESETS

RESULTS = Path(__file__).parents[1] / "results"
SOURCES = {"demo": "builtin", "sprites-small": "sprites", "sprites": "sprites", "clips": "folder", "photos": "mug"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset", choices=SOURCES)
    parser.add_argument("--operator", choices=OPERATORS, help="instead of the preset's")
    parser.add_argument("--run", type=Path, help="the run folder, by default runs/PRESET[-OPERATOR]")
    parser.add_argument("--root", type=Path, help="the folder of the source")
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--result", type=Path, help="where figures and provenance go")
    parser.add_argument("--device", default="cpu", choices=DEVICES)
    parser.add_argument("--final", action="store_true", help="score the test split, for a result to be committed")
    arguments = parser.parse_args()
    preset: str = arguments.preset
    operator: str | None = arguments.operator
    name = f"{preset}-{operator}" if operator else preset
    run: Path = arguments.run or Path("runs") / name

    device = choose_device(arguments.device)
    source = hv.open_source(SOURCES[preset], arguments.root, device=device, framing=PRESETS[preset].framing)
    wanted = hv.build(preset, source=source, operator=operator, steps=arguments.steps)
    config = trained(wanted, run, source, device)

    began = time.perf_counter()
    composed = source.exact is not None
    tables, judge = (TABLES, judge_of(source, device)) if composed else (("generation",), None)
    split = "test" if arguments.final else "validation"
    scores = evaluate(hv.load(run, device), source, judge, tables=tables, split=split)
    if arguments.final:
        runs.record_final(run, scores)
    result = {
        "command": shlex.join(["python", "benchmarks/quality/preset.py", *sys.argv[1:]]),
        "seed": config.training.seed,
        "steps": config.training.steps,
        "training_minutes": round(training_seconds(run) / 60, 1),
        "scoring_seconds": round(time.perf_counter() - began, 1),
        **scores,
        "trained_on": json.loads((run / "environment.json").read_text()),
        "scored_on": provenance(),
    }
    name = name if arguments.final else f"{name}-validation"
    (arguments.result or RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(scores["tables"], indent=2))


def trained(wanted: hv.Config, run: Path, source: hv.Source, device: torch.device | str = "cpu") -> hv.Config:
    """Train in the folder `run`, or go on with what is there; returns the configuration.

    Raises: SystemExit: a run with other settings is there.
    """
    resume = runs.steps_done(run) is not None
    if resume and runs.load_config(run) != wanted:
        raise SystemExit(f"'{run}' holds a run with other settings; name another folder, or remove it.")
    for report in hv.fit(wanted, run, source=source, device=device, resume=resume):
        if report.step % 500 == 0 or report.step == report.steps:
            pace, left = report.sequences_per_second, report.eta_seconds / 60
            print(f"{run}: {report.step}/{report.steps}  {pace:.0f} clips/s  {left:.1f} min left", flush=True)
    return wanted


def judge_of(source: hv.Source, device: torch.device | str = "cpu") -> Judge:
    """The judge that `hamvae judge train` leaves in the working folder; it is trained first where there is none."""
    path = default_path(source.name, source.data.labels)

    def train() -> Iterator[hv.Report]:
        judge = yield from train_judge(source, device=device)
        path.parent.mkdir(exist_ok=True)
        save_judge(path, judge)

    if not path.exists():
        for report in train():
            if report.step == report.steps:
                print(f"{path}: trained in {report.seconds:.0f} s", flush=True)
    return load_judge(path, device)


def training_seconds(run: Path) -> float:
    """Wall time in training, over all pieces: `seconds` counts from the start of each."""
    total = previous = 0.0
    for line in (run / "metrics.jsonl").read_text().splitlines():
        seconds = json.loads(line)["seconds"]
        total += seconds - previous if seconds > previous else seconds
        previous = seconds
    return total


if __name__ == "__main__":
    main()
