"""What the store of decoded clips buys: side by side with decoding the same files with imageio in every epoch.

    python benchmarks/data/clip_store.py [--clips N]

Writes the built-in characters as GIFs of 16 frames, caches them once (decoding, framing, writing), opens them again in
fresh processes, reads random windows, and trains a few steps: by default on 12 500 clips, 200 000 frames. Rates are per
core: frames per second of processor time, which other work on the machine changes little; caching is given by the clock
as well, because it waits for the disk. Memory is what the kernel counts as anonymous, without the pages of mapped
files, which it can drop.
Figures and provenance go to benchmarks/results/clip-store.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
import subprocess
import tempfile
import time

import imageio
import imageio.v3 as iio
import torch
from machine import provenance

import hamvae_model as hv

RESULT = Path(__file__).parents[1] / "results" / "clip-store.json"
REPEATS = 2  # of the eight frames of a motion, in a clip
BY_IMAGEIO = 400  # clips: enough for a rate
WINDOWS, BATCHES, STEPS = 32, 400, 20

# In a process of its own each, so that neither time nor memory is borrowed from what ran before.
OPEN = """
import sys, time
import torch, hamvae_model as hv
torch.set_num_threads(1)
hv.open_source("builtin")  # everything is loaded
began = time.perf_counter()
source = hv.open_source("folder", sys.argv[1], loop=True)
print(time.perf_counter() - began)
"""
READ = """
import sys, time
import torch, hamvae_model as hv
torch.set_num_threads(1)
source = hv.open_source("folder", sys.argv[1], loop=True)
windows, batches = int(sys.argv[2]), int(sys.argv[3])
generator = torch.Generator().manual_seed(0)
def read(batches):
    for _ in range(batches):
        clips = torch.randint(source.splits["train"], (windows,), generator=generator)
        start = torch.randint(8, (windows, 1), generator=generator)
        source.frames("train", clips, start + torch.arange(8))
read(batches // 4)
began = time.process_time()
read(batches)
print(batches * windows * 8 / (time.process_time() - began))
"""
TRAIN = """
import sys
import torch, hamvae_model as hv
from hamvae_model.training import untrained, new_optimiser, train_step
torch.set_num_threads(1)
source = hv.open_source("folder", sys.argv[1], loop=True)
model = untrained(hv.build("clips", source=source))
optimiser = new_optimiser(model)
peak = 0
for step in range(1, int(sys.argv[2]) + 1):
    train_step(model, optimiser, source, step)
    with open("/proc/self/smaps_rollup") as facts:
        peak = max(peak, *(int(line.split()[1]) for line in facts if line.startswith("Anonymous:")))
print(peak * 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12500)
    parser.add_argument("--result", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        frames = write_clips(root, arguments.clips)
        began, worked = time.perf_counter(), time.process_time()
        source = hv.open_source("folder", root, loop=True)
        caching, by_the_clock = frames / (time.process_time() - worked), frames / (time.perf_counter() - began)
        assert source.store.decoded == arguments.clips
        files = sorted(root.glob("*/*.gif"))[:: max(1, arguments.clips // BY_IMAGEIO)]
        worked = time.process_time()
        by_imageio = sum(len(iio.imread(path)) for path in files) / (time.process_time() - worked)
        opening = float(alone(OPEN, root))
        reading = float(alone(READ, root, WINDOWS, BATCHES))
        memory = float(alone(TRAIN, root, STEPS)) if Path("/proc/self/smaps_rollup").exists() else None
    figures = {
        "frames": frames,
        "caching_frames_per_core_second": round(caching),
        "caching_frames_per_second": round(by_the_clock),
        "store_frames_per_core_second": round(reading),
        "imageio_frames_per_core_second": round(by_imageio),
        "store_over_imageio": round(reading / by_imageio, 1),
        "caching_over_imageio": round(caching / by_imageio, 2),
        "opening_seconds": round(opening, 2),
        "training_anonymous_gib": None if memory is None else round(memory / 2**30, 2),
    }
    for name, value in figures.items():
        print(f"{name:28} {value}")
    result = {
        "command": f"python benchmarks/data/clip_store.py --clips {arguments.clips}",
        "figures": figures,
        "imageio": imageio.__version__,
        "measured_on": provenance(),
    }
    arguments.result.write_text(json.dumps(result, indent=2) + "\n")


def write_clips(root: Path, clips: int) -> int:
    """GIFs of the built-in characters; returns the number of their frames."""
    source = hv.open_source("builtin")
    written = 0
    for number in range(clips):
        split = "train" if number < source.splits["train"] else "test"
        clip = torch.tensor([number % source.splits[split]])
        batch = source.clips(split, clip)
        path = root / source.classes[int(batch.labels[0])] / f"{number}.gif"
        path.parent.mkdir(exist_ok=True)
        frames = batch.frames[0].repeat(REPEATS, 1, 1, 1)
        hv.write(path, frames, fps=10)
        written += len(frames)
    return written


def alone(program: str, *arguments: object) -> str:
    """What a program prints, run in a fresh interpreter."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
