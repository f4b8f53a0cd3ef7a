"""Whole characters in the 64×64 layout of the Liberated Pixel Cup: more actions than the paper's, four directions.

A sheet has 13 cells to a row and 21 rows; newer ones have more below, which are not looked at. Under DIR, a character
is a sheet ``hero.png``, or a folder ``hero/`` of layers of that layout, laid over each other in the order of their
names: ``1-body.png``, ``2-my-coat.png``. A motion that a sheet, or one of the layers, leaves empty is left out.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ...clips.clip import Clip
from ...errors import HamvaeError, UsageError
from ...limits import LAYER_LIMIT
from ...media import read_rgba
from ...words import printable
from ..composed.compose import flattened
from ..composed.sheet import ACTIONS, CELL, COLUMNS, DIRECTIONS, ONE_WAY, ROWS, cells, cut
from .recording import Listing, Recording, dead_end, visible


def list_lpc(root: Path, labels: str) -> Listing:
    """The characters under `root` in every motion; no sheet is decoded.

    Args:
        labels: what a class is, ``action`` or ``action-direction``.

    Raises: UsageError: no characters there.
    """
    recordings: list[Recording] = []
    problems: dict[str, HamvaeError] = {}
    ignored: list[str] = []
    for path in visible(root):
        try:
            inside = [path] if path.is_file() else [] if dead_end(path) else list(visible(path))
        except PermissionError:
            problems[path.name] = UsageError(f"{path} may not be read; change its permissions or copy it elsewhere.")
            continue
        layers = tuple(layer for layer in inside if layer.suffix.lower() == ".png")
        dead = next(((link, why) for link in (path, *layers) if (why := dead_end(link))), None)
        if dead:
            problems[printable(path.name)] = UsageError(f"{dead[0]} {dead[1]}")
        elif path.is_file() and path.suffix.lower() != ".png":
            ignored.append(path.name)
        elif not layers:
            problems[path.name] = UsageError(
                f"{path} holds no PNG layers of a character; put some there, or remove it."
            )
        elif len(layers) > LAYER_LIMIT:
            problems[path.name] = UsageError(f"{path} has more than {LAYER_LIMIT} layers, the most that is read.")
        else:
            ignored += [printable(f"{path.name}/{other.name}") for other in inside if other not in layers]
            recordings += _motions(path, layers, labels)
    if not recordings:
        raise UsageError(
            f"'{root}' holds neither the folders of the Sprites data set (body, bottomwear, …) nor whole characters; "
            "put sheets of 832×1344 pixels there."
        )
    return Listing(root=root, recordings=tuple(recordings), problems=problems, ignored=tuple(ignored))


def _motions(path: Path, layers: tuple[Path, ...], labels: str) -> Iterator[Recording]:
    for action in ACTIONS:
        for direction in ("front",) if action in ONE_WAY else DIRECTIONS:
            yield Recording(
                name=f"{path.name}#{action}-{direction}",
                label=action if labels == "action" else f"{action}-{direction}",
                files=layers,
                decode=functools.partial(_perform, layers, action, direction),
                identity=path.stem,
            )


def _perform(layers: tuple[Path, ...], action: str, direction: str) -> Iterator[Clip]:
    """One motion; nothing where a layer has none."""
    drawn = [sheet[torch.tensor(cells(action, direction))] for sheet in _sheets(layers, _ages(layers))]
    if all(bool(layer[:, 3].any()) for layer in drawn):
        frames, alpha = flattened(drawn)
        count = len(frames)
        yield Clip(
            frames=frames,
            times=torch.arange(float(count)),
            label=None,
            source=f"{layers[0]}#{action}-{direction}",
            alpha=alpha,
            period=count,
            loop=True,
        )


def _ages(layers: tuple[Path, ...]) -> tuple[int, ...]:
    return tuple(layer.stat().st_mtime_ns for layer in layers)


@functools.lru_cache(maxsize=1)  # the motions of a character are asked for one after the other
def _sheets(layers: tuple[Path, ...], ages: tuple[int, ...]) -> list[Tensor]:
    """The cells of each layer, straight alpha."""
    return [cut(_checked(read_rgba(layer), layer)) for layer in layers]


def _checked(sheet: Tensor, path: Path) -> Tensor:
    height, width = sheet.shape[1:]
    if height < ROWS * CELL or width < COLUMNS * CELL or height % CELL or width % CELL:
        raise UsageError(
            f"{path} is {width}×{height} pixels where a character's sheet has {COLUMNS * CELL}×{ROWS * CELL}, or more "
            f"rows of {CELL} below; give one in that layout."
        )
    return sheet
