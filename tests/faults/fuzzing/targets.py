"""What is fuzzed: for each kind of foreign input, how a damaged one is made and which door it is taken to.

A target gets a source of chance, an empty folder (the working folder), and the sound material. It leaves the input in
the folder and returns the door: a call that comes back when the input is accepted, correctly; raises `HamvaeError` or
`doors.Refused` when it is refused; and anything else is a defect.
"""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image

from . import containers, doors, words
from .mutations import altered, damaged, misspelt
from .seeds import CLIPS, LAYOUT, TABLE, Seeds

Door = Callable[[], object]
Target = Callable[[Random, Path, Seeds], Door]
TARGETS: dict[str, Target] = {}


def target(make: Target) -> Target:
    TARGETS[make.__name__.replace("_", " ")] = make
    return make


class Payload:
    """Leaves a file behind when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch escaped",)


def _other_tensors(chance: Random) -> bytes:
    """A file that is no safetensors file at all."""
    match chance.randrange(4):
        case 0:
            return pickle.dumps(Payload(), protocol=chance.randrange(5))
        case 1:
            Path("pickled.pt").unlink(missing_ok=True)
            torch.save(Payload(), "pickled.pt")
            return Path("pickled.pt").read_bytes()
        case 2:
            return chance.randbytes(chance.choice((0, 1, 7, 8, 9, 100, 100_000)))
        case _:
            return json.dumps({"a": "b"}).encode()


def _tensor_file(data: bytes, chance: Random) -> bytes:
    kind = chance.random()
    if kind < 0.05:
        return _other_tensors(chance)
    if kind < 0.5:
        changed = damaged(data, chance)
        return containers.rehashed(changed) if chance.random() < 0.5 else changed
    return containers.safetensors(data, chance)


@target
def weights(chance: Random, here: Path, seeds: Seeds) -> Door:
    path = here / "weights.safetensors"
    path.write_bytes(_tensor_file(seeds.data("run/weights.safetensors"), chance))
    return partial(doors.inspect, path)


@target
def configuration_in_weights(chance: Random, here: Path, seeds: Seeds) -> Door:
    """Sound tensors with another configuration."""

    def change(said: dict[str, str]) -> dict[str, str]:
        config = json.loads(said["config"])
        for _ in range(chance.choice((1, 1, 2))):
            config = altered(config, chance)
        return said | {"config": json.dumps(config) if chance.random() < 0.8 else misspelt(said["config"], chance)}

    path = here / "weights.safetensors"
    path.write_bytes(containers.with_words(seeds.data("run/weights.safetensors"), change))
    return partial(doors.inspect, path)


@target
def training_state(chance: Random, here: Path, seeds: Seeds) -> Door:
    run = seeds.copy("run", here / "run")
    (state,) = (run / "state").glob("*.safetensors")
    state.write_bytes(_tensor_file(state.read_bytes(), chance))
    return partial(doors.resume, run, seeds, step=chance.random() < 0.1)


@target
def configuration_in_state(chance: Random, here: Path, seeds: Seeds) -> Door:
    def change(said: dict[str, str]) -> dict[str, str]:
        key = chance.choice([*said, "config", "config"])
        if key == "config":
            return said | {"config": json.dumps(altered(json.loads(said["config"]), chance))}
        return said | {key: chance.choice((misspelt(said[key], chance), "", "-1", "nan", "9" * 30, "1e400", "x"))}

    run = seeds.copy("run", here / "run")
    (state,) = (run / "state").glob("*.safetensors")
    state.write_bytes(containers.with_words(state.read_bytes(), change))
    return partial(doors.resume, run, seeds, step=False)


@target
def files_of_a_run(chance: Random, here: Path, seeds: Seeds) -> Door:
    """What stands beside the weights: damaged, replaced by a link, a pipe or a folder, or added."""
    run = seeds.copy("run", here / "run")
    names = ("config.json", "environment.json", "metrics.jsonl", "data.json", "samples", "state", "weights.safetensors")
    path = run / chance.choice((*names, "run.lock", "state/step-000010.safetensors", "state/training.safetensors"))
    if path.is_file() and chance.random() < 0.5:
        data = path.read_bytes()
        path.write_bytes(
            damaged(data, chance) if chance.random() < 0.5 else misspelt(data.decode("latin-1"), chance).encode()
        )
    elif path.name == "data.json" and chance.random() < 0.6:
        inventory = {"walk/a.gif": "train walk 0123", "x": "test jump 4567"}
        path.write_text(
            json.dumps(altered(inventory, chance)) if chance.random() < 0.7 else misspelt(json.dumps(inventory), chance)
        )
    else:
        _make_odd(path, chance)
    return partial(doors.inspect, run) if chance.random() < 0.3 else partial(doors.resume, run, seeds, step=False)


@target
def judge(chance: Random, here: Path, seeds: Seeds) -> Door:
    data = seeds.data("judge.safetensors")

    def change(said: dict[str, str]) -> dict[str, str]:
        return said | {"config": json.dumps(altered(json.loads(said["config"]), chance))}

    path = here / "judge.safetensors"
    path.write_bytes(containers.with_words(data, change) if chance.random() < 0.4 else _tensor_file(data, chance))
    return partial(doors.show_judge, path)


# Clips ---------------------------------------------------------------------------------------------------------------


def _clip(name: str, edit: Callable[[bytes, Random], bytes]) -> Target:
    def make(chance: Random, here: Path, seeds: Seeds) -> Door:
        data = seeds.data(name)
        path = here / name
        path.write_bytes(edit(data, chance) if chance.random() < 0.6 else damaged(data, chance))
        if chance.random() < 0.1:
            words = (
                "reconstruct",
                seeds.folder / "run",
                "--clip",
                path,
                "--action",
                "walk-left",
                "-o",
                "out.gif",
                "--frames",
                "4",
            )
            return partial(doors.command, *words)
        return partial(doors.open_clip, str(path)) if chance.random() < 0.6 else partial(doors.open_stream, path)

    return make


for _name, _edit in (
    *(("a.gif", containers.gif), ("a.apng", containers.png), ("a.png", containers.png), ("a.webp", containers.riff)),
    *(("a.jpg", damaged), ("a.mp4", containers.boxes)),
):
    TARGETS[_name.removeprefix("a.")] = _clip(_name, _edit)


@target
def other_videos(chance: Random, here: Path, seeds: Seeds) -> Door:
    name = chance.choice(("a.mov", "a.webm", "a.mkv", "a.avi"))
    edit = {"a.mov": containers.boxes, "a.avi": containers.riff}.get(name, damaged)
    return _clip(name, edit)(chance, here, seeds)


@target
def frames_in_a_folder(chance: Random, here: Path, seeds: Seeds) -> Door:
    frames = seeds.copy("frames", here / "frames")
    for _ in range(chance.choice((1, 2))):
        path = frames / chance.choice(
            ("1.png", "2.png", "4.png", "5.png", "cover.png", f"{'9' * 200}.png", "\udcff1.png", "²1.png")
        )
        if _content(path) and chance.random() < 0.6:
            path.write_bytes(containers.png(_content(path), chance))
        else:
            _make_odd(path, chance)
    return partial(doors.open_clip, str(frames)) if chance.random() < 0.6 else partial(doors.open_stream, frames)


@target
def sprite_sheet(chance: Random, here: Path, seeds: Seeds) -> Door:
    """A sheet and its layout: the text damaged or made, the picture damaged or of another size."""
    picture, layout = here / "hero.png", here / chance.choice(("sheet.toml", "hero.toml"))
    picture.write_bytes(seeds.data("clips/heroes.png"))
    layout.write_text(LAYOUT)
    match chance.randrange(6):
        case 0 | 1:
            layout.write_bytes(misspelt(LAYOUT, chance).encode(errors="surrogatepass"))
        case 2:
            layout.write_bytes(damaged(LAYOUT.encode(), chance))
        case 3 | 4:
            layout.write_bytes(words.one(words.LAYOUTS, chance).encode(errors="surrogatepass"))
        case _:
            picture.write_bytes(containers.png(picture.read_bytes(), chance))
    name = chance.choice(("", "", "#walk", "#jump", "#1:2", "#nothing"))
    return partial(doors.open_sheet, picture) if chance.random() < 0.5 else partial(doors.open_clip, f"{picture}{name}")


@target
def sheet_description(chance: Random, here: Path, seeds: Seeds) -> Door:
    """A description that is there before one is written in its place."""
    data = seeds.data("hero.json")
    (here / "hero.json").write_bytes(
        damaged(data, chance)
        if chance.random() < 0.4
        else misspelt(data.decode(), chance).encode(errors="surrogatepass")
    )
    if chance.random() < 0.2:
        _make_odd(here / "hero.json", chance)
    (here / "hero.png").write_bytes(b"somebody's own")
    (here / "a.gif").write_bytes(seeds.data("a.gif"))

    def write() -> None:
        doors.command(
            "reconstruct", seeds.folder / "run", "--clip", "a.gif", "--action", "walk-left", "-o", "hero.json"
        )
        with Image.open(here / "hero.png") as picture:
            doors.expect(picture.format == "PNG", "what was written is no picture")

    return write


@target
def references(chance: Random, here: Path, seeds: Seeds) -> Door:
    """What a user types for a clip."""
    for name in ("a.gif", "a.png"):
        (here / name).write_bytes(seeds.data(name))
    return partial(doors.open_clip, words.one(words.REFERENCES, chance))


# Folders of clips ----------------------------------------------------------------------------------------------------


def _folder_door(folder: Path, chance: Random, source: str = "folder") -> Door:
    if source == "folder" and chance.random() < 0.15:
        return partial(doors.check_folder, folder)
    return partial(doors.open_folder, folder, source)


@target
def folder_of_clips(chance: Random, here: Path, seeds: Seeds) -> Door:
    """Odd names, links, pipes and damaged clips among sound ones."""
    folder = seeds.copy("clips", here / "clips")
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.choice((folder, folder / "walk", folder / "jump", folder / "walk" / "frames"))
        place.mkdir(exist_ok=True)
        path = place / words.one(words.FILE_NAMES, chance)
        match chance.randrange(4):
            case 0:
                _make_odd(path, chance)
            case 1 if not path.exists():
                (
                    path
                    if chance.random() < 0.5
                    else path.with_suffix(chance.choice((".gif", ".png", ".mp4", ".toml")))
                ).write_bytes(damaged(seeds.data(chance.choice(CLIPS)), chance))
            case 2:
                path = folder / chance.choice(("walk/hero.gif", "jump/ghost.gif", "heroes.png", "heroes.toml"))
                if path.is_file() or not path.exists():
                    path.write_bytes(damaged(_content(path), chance))
            case _:
                moved = chance.choice(list(folder.rglob("*.*")))
                if not path.exists() and not path.is_symlink():
                    moved.rename(path.with_suffix(moved.suffix))
    return _folder_door(folder, chance)


@target
def clips_csv(chance: Random, here: Path, seeds: Seeds) -> Door:
    folder = seeds.copy("clips", here / "clips")
    path = folder / "clips.csv"
    match chance.randrange(4):
        case 0 | 1:
            path.write_bytes(misspelt(TABLE, chance).encode(errors="surrogatepass"))
        case 2:
            path.write_bytes(damaged(TABLE.encode(), chance))
        case 3:
            path.write_bytes(words.one(words.TABLES, chance).encode(errors="surrogatepass"))
    if chance.random() < 0.05:
        path.unlink()
        _make_odd(path, chance)
    return _folder_door(folder, chance)


@target
def decoded_store(chance: Random, here: Path, seeds: Seeds) -> Door:
    """A folder that arrives with decoded clips in it."""
    folder = seeds.copy("stored", here / "stored")
    (store,) = (folder / ".hamvae").iterdir()
    index, (shard, *_) = store / "index.json", sorted(store.glob("*.u8"))
    match chance.randrange(6):
        case 0 | 1:
            index.write_text(json.dumps(altered(json.loads(index.read_text()), chance)))
        case 2:
            index.write_bytes(misspelt(index.read_text(), chance).encode(errors="surrogatepass"))
        case 3:
            clips = json.loads(index.read_text())
            secret = here / "secret"
            secret.write_bytes(bytes(10**6))
            for clip in clips.values():
                if chance.random() < 0.7:
                    clip["shard"] = chance.choice(
                        (str(secret), "../../../secret", "/dev/zero", "index.json", "", ".", "a\0b", shard.name)
                    )
                    clip["start"] = chance.choice((0, -1, 1, 10**18, -(10**18)))
                    clip["count"] = chance.choice((1, 2, 6, 0, -1, 10**18))
            index.write_text(json.dumps(clips))
        case 4:
            path = chance.choice((index, shard))
            path.write_bytes(damaged(path.read_bytes(), chance))
        case _:
            _make_odd(chance.choice((index, shard, store, folder / ".hamvae")), chance)
    return partial(doors.open_folder, folder)


@target
def faces(chance: Random, here: Path, seeds: Seeds) -> Door:
    """The layout of MUG, with landmarks."""
    folder = seeds.copy("mug", here / "mug")
    take = folder / chance.choice(("001", "002")) / "anger" / "take000"
    path = take / chance.choice(("0.pts", "0.pts", "1.txt", "1.png"))
    if path.suffix == ".png":
        path.write_bytes(damaged(path.read_bytes(), chance))
    elif chance.random() < 0.15:
        _make_odd(path, chance)
    else:
        path.write_bytes(misspelt("version: 1\n{\n8 8\n24.5 8\n16 24\n}\n", chance).encode(errors="surrogatepass"))
    return _folder_door(folder, chance, "mug")


@target
def characters(chance: Random, here: Path, seeds: Seeds) -> Door:
    """Whole characters in the layout of the Liberated Pixel Cup."""
    folder = here / "heroes"
    folder.mkdir()
    cells = np.random.default_rng(0).integers(0, 4, (21, 1, 13, 1, 4), dtype=np.uint8) * 80 | np.array(
        [0, 0, 0, 255], dtype=np.uint8
    )
    for name in ("knight.png", "wizard.png"):
        sheet = cells if name == "knight.png" else cells[:, :, ::-1]
        Image.fromarray(np.broadcast_to(sheet, (21, 64, 13, 64, 4)).reshape(1344, 832, 4)).save(
            folder / name, compress_level=1
        )
    path = folder / chance.choice(("knight.png", "wizard.png", "mage.png", "mage"))
    if path.exists():
        path.write_bytes(
            containers.png(path.read_bytes(), chance) if chance.random() < 0.6 else damaged(path.read_bytes(), chance)
        )
    elif path.suffix:
        _make_odd(path, chance)
    else:
        path.mkdir()
        _make_odd(path / words.one(words.FILE_NAMES, chance), chance)
    return partial(doors.open_folder, folder, "sprites")


# The command line ----------------------------------------------------------------------------------------------------


@target
def command_line(chance: Random, here: Path, seeds: Seeds) -> Door:
    seeds.copy("run", here / "run")
    seeds.copy("clips", here / "clips")
    for name in ("a.gif", "a.png", "a.mp4", "judge.safetensors"):
        (here / name).write_bytes(seeds.data(name))
    return partial(doors.command, *words.one(words.COMMANDS, chance))


def _content(path: Path) -> bytes:
    """What an ordinary file holds that is not only said to be long; nothing of anything else."""
    return path.read_bytes() if path.is_file() and path.stat().st_size < 10**6 else b""


def _make_odd(path: Path, chance: Random) -> None:
    """Something at `path` that is no ordinary file."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        return
    canary = Path.cwd().parent / "outside"
    match chance.randrange(10):
        case 0:
            os.mkfifo(path)
        case 1:
            path.mkdir()
        case 2:
            path.symlink_to(path.name)
        case 3:
            path.symlink_to(path.parent)
        case 4:
            path.symlink_to(chance.choice(("/dev/zero", "/dev/null", "/dev/random", "/dev/stdin", "/proc/self/mem")))
        case 5:
            path.symlink_to(chance.choice((canary, canary / "index.json", canary / "step-000001.png")))
        case 6:
            path.write_bytes(b"")
        case 7:
            path.symlink_to("nowhere")
        case 8:
            with path.open("wb") as file:
                file.truncate(chance.choice((10**6, 10**10, 10**13)))
        case _:
            path.write_bytes(pickle.dumps(Payload()))
