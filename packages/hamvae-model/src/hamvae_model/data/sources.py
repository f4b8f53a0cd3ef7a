"""The table of sources. Adding one means a module that finds its clips and an entry here. There is no torch here."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from ..config import DataConfig
from ..config.choices import LABELS
from ..errors import UsageError
from ..words import nearest

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from .files.recording import Listing
    from .source import Source


@dataclass(frozen=True, kw_only=True)
class SourceEntry:
    """A source by name.

    Args:
        summary: what it is, in half a line.
        home: the function that finds its clips, ``module:function``; imported when the source is opened. It takes the
            folder (or None), the `DataConfig` that is wanted and the device, and returns a `Source`, or a `Listing` of
            clips in files, which are then decoded and kept.
        preset: what it is trained with, unless another preset is named.
        needs_root: it lives in a folder that has to be named.
        variable: the environment variable that names the folder when nothing else does.
        decodes: its clips may come from files of any size, so that framing, rate and windows can be chosen.
        exact: it can render what nobody recorded, so that swaps are scored against the truth.
        attributes: it knows what its characters look like.
        labels: how its clips can be labelled; one where the folders' names are the classes.
    """

    summary: str
    home: str
    preset: str
    needs_root: bool = False
    variable: str | None = None
    decodes: bool = False
    exact: bool = False
    attributes: bool = False
    labels: tuple[str, ...] = ("action",)

    def find(self, root: "Path | None", data: DataConfig, device: "torch.device | str" = "cpu") -> "Source | Listing":
        """The clips, as `home` finds them.

        Raises: UsageError: no folder, or one that cannot be read.
        """
        if self.needs_root and not self.variable and root is None:
            raise UsageError(f"The {data.source} source needs the folder of its clips: pass --root DIR.")
        module, _, function = self.home.partition(":")
        try:
            found: Source | Listing = getattr(import_module(module), function)(root, data, device)
        except PermissionError as error:
            raise UsageError(
                f"The folder '{error.filename}' may not be read; change its permissions or copy it elsewhere."
            ) from None
        return found


SOURCES: dict[str, SourceEntry] = {
    "builtin": SourceEntry(
        summary="characters that this package draws",
        home="hamvae_model.data.composed.builtin:find_builtin",
        preset="demo",
        exact=True,
        attributes=True,
        labels=LABELS,
    ),
    "sprites": SourceEntry(
        summary="sheets of the Liberated Pixel Cup, in layers or of whole characters",
        home="hamvae_model.data.composed.sprites:find_sprites",
        preset="sprites-small",
        needs_root=True,
        variable="HAMVAE_SPRITES_SHEETS",
        decodes=True,
        exact=True,
        attributes=True,
        labels=LABELS,
    ),
    "folder": SourceEntry(
        summary="your own clips, a folder for each motion",
        home="hamvae_model.data.files.folder:find_folder",
        preset="clips",
        needs_root=True,
        decodes=True,
    ),
    "mug": SourceEntry(
        summary="the MUG facial expressions",
        home="hamvae_model.data.files.mug:find_mug",
        preset="photos",
        needs_root=True,
        decodes=True,
    ),
}


def source_entry(name: str) -> SourceEntry:
    """The entry of that name.

    Raises: UsageError: there is none.
    """
    if name not in SOURCES:
        raise UsageError(f"There is no source '{name}'{nearest(name, SOURCES)}")
    return SOURCES[name]
