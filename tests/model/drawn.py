"""Small clips for tests to write: a square of a colour of its own, walking along."""

from pathlib import Path

import torch

import hamvae_model as hv


def square(shade: int, count: int = 8, *, step: int = 4, size: int = 32) -> torch.Tensor:
    """Frames uint8 (count, 3, size, size): a bright square that moves `step` pixels a frame."""
    frames = torch.zeros(count, 3, size, size, dtype=torch.uint8)
    for number in range(count):
        left = number * step % (size - 8)
        frames[number, :, 8:16, left : left + 8] = torch.tensor([255, shade, 255 - shade]).view(3, 1, 1)
    return frames


def write_folder(root: Path, *, clips: int = 3, count: int = 8, actions: tuple[str, ...] = ("hop", "run")) -> Path:
    """``root/<action>/<number>.gif``, all different."""
    for number, action in enumerate(actions):
        for clip in range(clips):
            path = root / action / f"{clip}.gif"
            path.parent.mkdir(parents=True, exist_ok=True)
            hv.write(path, square(20 * clip + 100 * number, count, step=2 + 3 * number), fps=10)
    return root
