"""What the documents say their reader has, drawn small."""

import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import hamvae_model as hv
from hamvae_model.data import Characters

from ..model.faces import write_faces, write_landmarks
from .documents import Document


def write_material(here: Path, builtin: Characters) -> None:
    """What the pages say their reader has: my-clips, my-heroes, mug, and the files of a sprite artist."""
    motions = {"walk": "walk-left", "jump": "wave-front"}
    for number, name in enumerate(("hero.gif", "ghost.webp", "knight.mp4", "ghost.gif")):
        for folder, motion in motions.items():
            path = here / "my-clips" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            hv.write(path, builtin.clip("train", f"{number % 3}/{motion}").frames, fps=10)
    for number, frame in enumerate(builtin.clip("train", "3/walk-left").frames):
        (here / "my-clips" / "walk" / "wizard").mkdir(exist_ok=True)
        hv.write(here / "my-clips" / "walk" / "wizard" / f"{number + 1}.png", frame[None])
    rows = [builtin.clip("train", f"4/{motion}").frames for motion in motions.values()]
    hv.write(here / "my-clips" / "dragons.png", torch.cat(rows, dim=-2))
    layout = "cell = [64, 64]\nduration = 100\nloop = true\n[actions.walk]\nrow = 0\n[actions.jump]\nrow = 1\n"
    (here / "my-clips" / "dragons.toml").write_text(layout)
    page = Document("docs/your-own-clips.md").text
    (table,) = re.findall(r"^```text\n(clip,.*?)^```", page, re.MULTILINE | re.DOTALL)
    (here / "my-clips" / "clips.csv").write_text(table)

    (here / "my-heroes" / "me").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("knight.png", "me/1-body.png", "me/2-trousers.png", "me/3-my-own-coat.png"):
        cells = rng.integers(0, 255, (21, 1, 13, 1, 4), dtype=np.uint8) | np.array([0, 0, 0, 255], dtype=np.uint8)
        sheet = np.broadcast_to(cells, (21, 64, 13, 64, 4)).reshape(1344, 832, 4)
        Image.fromarray(sheet).save(here / "my-heroes" / name)

    walk, jump = (builtin.clip("test", f"3/{motion}").frames for motion in motions.values())
    hv.write(here / "hero.png", walk[:1])
    hv.write(here / "hero.gif", walk)
    hv.write(here / "their_walk.mp4", builtin.clip("test", "8/walk-left").frames, scale=2)
    hv.write(here / "sheet.png", torch.cat([walk, jump], dim=-2))
    (layout,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (here / "sheet.toml").write_text(layout)
    (here / "frames").mkdir()
    for number, frame in enumerate(jump):
        hv.write(here / "frames" / f"{number}.png", frame[None])

    write_faces(here / "mug", subjects=4)
    write_landmarks(here / "mug" / "001" / "happiness" / "take000")
