"""What is sound before it is damaged: a run, a judge, clips of every format, folders of clips, decoded ones."""

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image

import hamvae_model as hv
from hamvae_model.config.run import DataConfig
from hamvae_model.data import Characters
from hamvae_model.judge import Judge, JudgeConfig, save_judge
from hamvae_model.presets import Preset

TINY = Preset(
    summary="trains in a second",
    model={
        "content_dim": 4,
        "encoder_widths": (4, 4, 4),
        "feature_dim": 8,
        "decoder_hidden": (8,),
        "decoder_widths": (4,),
    },
    training={"steps": 40, "batch": 2, "save_every": 100, "sample_every": 100, "warmup": 2},
)
CLIPS = ("a.gif", "a.apng", "a.png", "a.webp", "a.jpg", "a.mp4", "a.mov", "a.webm", "a.mkv", "a.avi")
LAYOUT = """\
cell = [32, 32]
duration = 100
loop = true
[actions.walk]
row = 0
frames = [0, 1, 2, 3]
[actions.jump]
row = 1
duration = [50, 50, 100, 100]
frames = [3, 2, 1, 0]
loop = false
"""
TABLE = "clip,identity,split,colour\nwalk/hero.gif,hero,train,red\njump/hero.gif,hero,,red\nwalk/ghost.webp,,test,\n"


@dataclass(frozen=True)
class Seeds:
    """Where everything is, and the source that the run learned from."""

    folder: Path
    source: Characters

    def data(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def copy(self, name: str, target: Path) -> Path:
        """A folder of the material, to be damaged."""
        shutil.copytree(self.folder / name, target, symlinks=True)
        return target


def open_seeds(folder: Path) -> Seeds:
    return Seeds(folder, hv.open_source("builtin"))


def make_seeds(folder: Path) -> None:
    """Write everything below `folder`, the same on every machine but for the weights' last bits."""
    seeds = open_seeds(folder)
    _train(seeds)
    config = JudgeConfig(
        data=DataConfig(source="builtin"),
        material={"body": "layer 0123"},
        classes=("walk", "jump"),
        attributes={"hair": ("red", "black")},
        size=16,
        length=8,
        steps=1,
        seed=0,
        accuracy={"action": 0.995, "hair": 1.0},
    )
    torch.manual_seed(0)
    save_judge(folder / "judge.safetensors", Judge(config))
    frames = _frames(0, 6)
    for name in ("a.gif", "a.apng", "a.png", "a.webp", "a.mp4"):
        hv.write(folder / name, frames, fps=10)
    Image.fromarray(frames[0].permute(1, 2, 0).contiguous().numpy()).save(folder / "a.jpg")
    for name, codec in (("a.mov", "libx264"), ("a.webm", "libvpx-vp9"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")):
        _video(folder / name, codec, frames)
    _clips(folder / "clips", frames)
    hv.open_source("folder", seeds.copy("clips", folder / "stored"), length=2, loop=True)
    for number in range(4):
        (folder / "frames").mkdir(exist_ok=True)
        hv.write(folder / "frames" / f"{number + 1}.png", frames[number : number + 1])
    for subject in ("001", "002", "003"):
        for expression in ("anger", "happiness"):
            take = folder / "mug" / subject / expression / "take000"
            take.mkdir(parents=True)
            for number in range(4):
                hv.write(take / f"{number}.png", frames[number : number + 1])
            (take / "0.pts").write_text("8 8\n24 8\n16 24\n")
    hv.write(folder / "hero.json", frames)


def _train(seeds: Seeds) -> None:
    config = hv.build("demo", source=seeds.source)
    model = dataclasses.replace(config.model, **TINY.model)
    training = dataclasses.replace(config.training, **TINY.training)
    config = dataclasses.replace(config, model=model, training=training)
    reports = hv.fit(config, seeds.folder / "run", source=seeds.source)
    next(reports)
    reports.close()
    for old in sorted((seeds.folder / "run" / "state").iterdir())[:-1]:
        old.unlink()


def _clips(folder: Path, frames: torch.Tensor) -> None:
    for motion, shift in (("walk", 0), ("jump", 40)):
        (folder / motion).mkdir(parents=True)
        hv.write(folder / motion / "hero.gif", frames.roll(shift, -1), fps=10)
    hv.write(folder / "walk" / "ghost.webp", _frames(2, 6), fps=10)
    hv.write(folder / "jump" / "ghost.gif", _frames(3, 6), fps=10)
    hv.write(folder / "heroes.png", torch.cat([_frames(4, 4), _frames(5, 4)], dim=-2))
    (folder / "heroes.toml").write_text(LAYOUT)
    (folder / "clips.csv").write_text(TABLE)


def _frames(seed: int, count: int) -> torch.Tensor:
    """Blocks of a few colours: small in every format, and exact in a GIF."""
    chance = np.random.default_rng(seed)
    blocks = chance.integers(0, 4, (count, 3, 8, 8), dtype=np.uint8) * 80
    return torch.from_numpy(blocks.repeat(4, axis=2).repeat(4, axis=3))


def _video(path: Path, codec: str, frames: torch.Tensor) -> None:
    with av.open(path, "w") as file:
        video = file.add_stream(codec, rate=10)
        video.width = video.height = frames.shape[-1]
        video.pix_fmt = "yuv420p"
        for frame in frames:
            pixels = np.ascontiguousarray(frame.permute(1, 2, 0).numpy())
            file.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")))
        file.mux(video.encode(None))
