"""Somebody's own clips, end to end: files of four kinds in, a small training run on the CPU, swaps out and judged.

    HAMVAE_SPRITES_SHEETS=DIR python benchmarks/quality/own_clips.py [--characters N] [--steps N] [--keep DIR] [--final]

Writes characters in every motion as GIFs, MP4 videos, folders of PNG frames and sprite sheets with their layouts, and
a clips.csv; checks the folder; trains the preset `clips` on it with one thread; swaps motions between held-out
characters, of validation or with --final of test, and between trained ones. The judge is exact: of the nine renders of
the content's character, one a motion, the one nearest to the swap counts as the motion it shows; that judge's own
accuracy on the files is reported beside it. Figures and provenance go to benchmarks/results/own-clips.json, without
--final to own-clips-validation.json. What is kept with --keep is made from CC-BY-SA art.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import csv
import json
import tempfile
import time
from dataclasses import replace

import numpy as np
import torch
from machine import provenance
from PIL import Image

import hamvae_model as hv
from hamvae_model.clips import straight
from hamvae_model.data import Characters, clip_rows
from hamvae_model.evaluation import check_split
from hamvae_model.metrics import mse, psnr

RESULTS = Path(__file__).parents[1] / "results"
HELD_OUT = 0.1  # of the characters, for test
FPS = 10
KINDS = ("gif", "mp4", "frames", "sheet")
SHOWN = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", choices=("builtin", "sprites"), default="sprites")
    parser.add_argument("--characters", type=int, default=60)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--keep", type=Path, help="folder for the clips, the run and the pictures, to look at")
    parser.add_argument("--result", type=Path)
    parser.add_argument("--final", action="store_true", help="score the test split, for a result to be committed")
    arguments = parser.parse_args()
    split = "test" if arguments.final else "validation"
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = arguments.keep or Path(temporary)
        drawn = hv.open_source(arguments.source)
        began = time.perf_counter()
        write_clips(drawn, arguments.characters, folder / "clips")
        written = time.perf_counter()
        source = hv.open_source("folder", folder / "clips", loop=True)
        decoded = time.perf_counter()
        check_split(source, split)
        held_out, trained_on = characters_of(source, split), characters_of(source, "train")
        if len(held_out) < 2:
            raise SystemExit(f"Motions are swapped between characters, and {split} has one; ask for more --characters.")
        config = hv.build("clips", source=source, steps=arguments.steps)
        for report in hv.fit(config, folder / "run", source=source):
            if report.step % 200 == 0 or report.step == report.steps:
                print(f"step {report.step}/{report.steps}  {report.eta_seconds / 60:.1f} min left", flush=True)
        trained = time.perf_counter()
        model = hv.load(folder / "run")
        figures = {
            "held_out": judged(model, source, drawn, held_out),
            "trained_on": judged(model, source, drawn, trained_on[: len(held_out)]),
        }
        draw(model, source, held_out, folder / "swaps.png")
    result = {
        "command": f"python benchmarks/quality/own_clips.py --source {arguments.source} "
        f"--characters {arguments.characters} --steps {arguments.steps}{' --final' * arguments.final}",
        "split": split,
        "characters": {"trained_on": len(trained_on), "held_out": len(held_out)},
        "clips": source.splits,
        "frame_seconds": source.data.frame_seconds,
        "steps": arguments.steps,
        "seconds": {
            "writing": round(written - began, 1),
            "decoding": round(decoded - written, 1),
            "training": round(trained - decoded, 1),
        },
        "figures": figures,
        "measured_on": provenance(),
    }
    name = "own-clips" if arguments.final else "own-clips-validation"
    (arguments.result or RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def write_clips(drawn: Characters, characters: int, folder: Path) -> None:
    """Every character in every motion, a kind of file for each character in turn; the last ones are the test split."""
    held_out = list(range(characters))[-max(2, round(HELD_OUT * characters)) :]
    rows = []
    for character in range(characters):
        kind, name = KINDS[character % len(KINDS)], f"hero {character:02d}"
        split = "test" if character in held_out else "train"
        clips = [drawn.clip("train", f"{character}/{motion}") for motion in drawn.motions]
        if kind == "sheet":
            write_sheet(folder / f"{name}.png", clips)
            rows.append((f"{name}.png", name, split, kind))
            continue
        for clip in clips:
            path = folder / str(clip.label) / (name if kind == "frames" else f"{name}.{kind}")
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "frames":
                path.mkdir()
                for number, picture in enumerate(pictures(clip)):
                    Image.fromarray(picture).save(path / f"{number}.png")
            else:
                hv.write(path, clip.frames, fps=FPS)
            rows.append((f"{clip.label}/{path.name}", name, split, kind))
    with (folder / "clips.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("clip", "identity", "split", "kind"), *rows])


def characters_of(source: hv.Source, split: str) -> list[int]:
    """Who is seen in a split, by the numbers in their names."""
    return sorted({int(identity.split()[-1]) for identity in source.identities(split)})


def pictures(clip: hv.Clip) -> np.ndarray:
    """Frames (t, h, w, 4) with straight alpha."""
    return straight(clip).permute(0, 2, 3, 1).numpy()


def write_sheet(path: Path, clips: list[hv.Clip]) -> None:
    """A sheet with a row for each clip, and its layout."""
    rows = [np.concatenate(list(pictures(clip)), axis=1) for clip in clips]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path)
    size = clips[0].frames.shape[-1]
    lines = [f"cell = [{size}, {size}]", f"duration = {1000 // FPS}"]
    for row, clip in enumerate(clips):
        lines += [f"[actions.{clip.label}]", f"row = {row}"]
    path.with_suffix(".toml").write_text("\n".join(lines) + "\n")


def judged(model: hv.Model, source: hv.Source, drawn: Characters, characters: list[int]) -> dict[str, float]:
    """Each character moving as every clip of the next two, against its own exact renders in every motion."""
    right, scores, own_right, reconstructed = [], [], [], []
    clips = {character: clips_of(source, model.classes, character) for character in characters}
    for place, character in enumerate(characters):
        truth = torch.stack([drawn.clip("train", f"{character}/{motion}").frames for motion in model.classes]) / 255
        for number, clip in enumerate(clips[character]):
            own_right.append(nearest(clip.frames / 255, truth) == number)
            reconstructed.append(psnr(model.reconstruct(clip).frames / 255, truth[number]).mean())
        for other in {characters[(place + step) % len(characters)] for step in (1, 2)} - {character}:
            for number, motion in enumerate(clips[other]):
                content = clips[character][(number + 4) % len(clips[character])]
                swapped = model.swap(content, motion).frames / 255
                right.append(nearest(swapped, truth) == number)
                scores.append(psnr(swapped, truth[number]).mean())
    return {
        "swaps": len(right),
        "swap_action_accuracy": sum(right) / len(right),
        "swap_psnr": float(torch.stack(scores).mean()),
        "reconstruction_psnr": float(torch.stack(reconstructed).mean()),
        "judge_accuracy_on_the_files": sum(own_right) / len(own_right),
    }


def clips_of(source: hv.Source, classes: tuple[str, ...], character: int) -> list[hv.Clip]:
    """The clips of one character as the folder holds them, in class order."""
    name = f"hero {character:02d}"
    found = {}
    for split in source.splits:
        for clip in source.names(split):
            if name in clip:
                opened = source.clip(split, clip)
                found[opened.label] = opened
    return [found[label] for label in classes]


def nearest(frames: torch.Tensor, truth: torch.Tensor) -> int:
    """Which of the renders (k, t, 3, h, w) is nearest to frames (t, 3, h, w)."""
    return int(mse(frames.expand_as(truth), truth).mean(1).argmin())


def draw(model: hv.Model, source: hv.Source, characters: list[int], path: Path) -> None:
    """Content, motion and swap below each other, a few times."""
    rows = []
    for turn in range(min(SHOWN, len(characters))):
        content = clips_of(source, model.classes, characters[turn])[turn]
        motion = clips_of(source, model.classes, characters[turn - 1])[(turn + 4) % len(model.classes)]
        swapped = model.swap(content, motion)
        rows += [content, motion, replace(swapped, label=f"as {swapped.label}")]
    hv.write(path, clip_rows(rows, 2))


if __name__ == "__main__":
    main()
