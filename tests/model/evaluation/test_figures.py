"""The paper's figures of a run: what is drawn, where, and the licence beside it."""

import os
from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model import UsageError
from hamvae_model.data import Characters
from hamvae_model.evaluation import write_figures
from hamvae_model.training import untrained

from ..drawn import write_folder

NAMES = ("reconstruction", "swaps", "actions", "samples")


@pytest.fixture(scope="module")
def drawn(tiny: hv.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of characters that pass for those of the sheets."""
    source = hv.open_source("builtin")
    source.name = "sprites"
    folder = tmp_path_factory.mktemp("sprites") / "figures"
    write_figures(hv.Model(untrained(tiny).eval()), source, folder)
    return folder


def test_each_figure_is_a_sheet_and_an_animation(drawn: Path) -> None:
    files = {f"{name}{end}" for name in NAMES for end in (".png", ".gif")}
    assert set(os.listdir(drawn)) == files | {"ATTRIBUTION.txt"}
    lengths = {name: len(hv.read(drawn / f"{name}.gif")) for name in NAMES}
    assert lengths == {"reconstruction": 16, "swaps": 8, "actions": 16, "samples": 16}


def test_originals_stand_beside_what_was_made_of_them(drawn: Path, builtin: Characters) -> None:
    one = hv.read(drawn / "swaps.gif").frames[:, :, :128:2, :128:2].float()
    walking_left = builtin.clips("test", torch.arange(0, builtin.splits["test"], 9)).frames
    difference = (walking_left - one).abs().mean((1, 2, 3, 4)).sort().values
    assert difference[0] < 2 < difference.median()  # a GIF has 256 colours, so it is only nearly the clip


def test_pictures_of_sprites_come_with_the_licence_of_their_art(drawn: Path) -> None:
    assert "CC-BY-SA" in (drawn / "ATTRIBUTION.txt").read_text("utf-8")


def test_clips_from_files_have_figures_too(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path / "clips"), size=32)
    model = hv.Model(untrained(hv.build("clips", source=source)).eval())
    assert [file.suffix for file in write_figures(model, source, tmp_path / "figures", "test")] == [".png", ".gif"] * 4


def test_a_folder_that_cannot_be_made_is_refused(model: hv.Model, builtin: Characters, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent/figures' cannot be made"):
        write_figures(model, builtin, tmp_path / "absent" / "figures")
