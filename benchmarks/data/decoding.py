"""How fast clips are decoded and framed on one core, beside imageio on the same files.

    python benchmarks/data/decoding.py [--clips N] [--rounds N] [--result FILE]

Writes built-in characters, eight frames of 64×64 pixels to a clip, in every format, and reads them all in turn with
`hamvae_model.media.read` and with imageio (its Pillow plugin, or PyAV's for videos), each followed by the framing that
training uses. A round reads everything once with each; medians are compared. Writes benchmarks/results/decoding.json.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of all benchmarks

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable

import imageio.v3 as iio
import numpy as np
import torch
from machine import provenance

import hamvae_model as hv
from hamvae_model.clips import Clip, framed, straight
from hamvae_model.config import FramingConfig

RESULT = Path(__file__).parents[1] / "results" / "decoding.json"
SIZE, FRAMES = 64, 8
MP4_CLIPS = 10  # imageio takes a quarter of a second to open one
FORMATS = {  # name: extension, and whether the background is transparent
    "GIF": ("gif", False),
    "GIF, transparent": ("gif", True),
    "APNG": ("apng", False),
    "WebP": ("webp", False),
    "MP4": ("mp4", False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--result", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder), arguments.clips)
        files["MP4"] = files["MP4"][:MP4_CLIPS]
        rates = {name: compare(paths, arguments.rounds) for name, paths in files.items()}
    for name, (ours, theirs) in rates.items():
        print(f"{name:18} {ours:8.0f} frames/s   imageio {theirs:8.0f}   {ours / theirs:5.2f} times as fast")
    result = {
        "command": f"python benchmarks/data/decoding.py --clips {arguments.clips} --rounds {arguments.rounds}",
        "what": f"clips of {FRAMES} frames of {SIZE}×{SIZE} pixels, opened, decoded and framed, on one core",
        "frames_per_second": {name: round(ours) for name, (ours, _) in rates.items()},
        "imageio_frames_per_second": {name: round(theirs) for name, (_, theirs) in rates.items()},
        "ratio_to_imageio": {name: round(ours / theirs, 2) for name, (ours, theirs) in rates.items()},
        "measured_on": provenance(),
    }
    arguments.result.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")


def write(folder: Path, clips: int) -> dict[str, list[Path]]:
    source = hv.open_source("builtin")
    files: dict[str, list[Path]] = {name: [] for name in FORMATS}
    for number in range(clips):
        clip = source.clip("train", f"{number}/{source.classes[number % len(source.classes)]}")
        for name, (extension, transparent) in FORMATS.items():
            path = folder / f"{number}{'-clear' if transparent else ''}.{extension}"
            hv.write(path, straight(clip) if transparent else clip.frames)
            files[name].append(path)
    return files


def compare(paths: list[Path], rounds: int) -> tuple[float, float]:
    """Frames per second of ours and of imageio: medians over rounds in turns."""
    readers = {"ours": hv.read, "imageio": with_imageio}
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds + 1):
        for name, read in readers.items():
            seconds[name].append(seconds_of(read, paths))
    frames = FRAMES * len(paths)
    ours, theirs = (frames / statistics.median(seconds[name][1:]) for name in readers)  # the first warms up
    return ours, theirs


def seconds_of(read: Callable[[Path], Clip], paths: list[Path]) -> float:
    began = time.perf_counter()
    for path in paths:
        frames = framed(read(path), FramingConfig(), SIZE).frames
        assert frames.shape == (FRAMES, 3, SIZE, SIZE)
    return time.perf_counter() - began


def with_imageio(path: Path) -> Clip:
    """What a loader written in an afternoon does: the frames, over black, without their clock."""
    if path.suffix == ".mp4":
        pixels = iio.imread(path, plugin="pyav")
    else:
        pixels = np.stack(list(iio.imiter(path, plugin="pillow", mode="RGBA")))
        pixels = pixels[..., :3] * (pixels[..., 3:] > 0)
    frames = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    return Clip(frames=frames, times=torch.arange(float(len(frames))), label=None, source=str(path))


if __name__ == "__main__":
    main()
