"""Every command of docs/your-own-clips.md runs, on material like the page's; a tiny model stands for the presets'."""

from pathlib import Path

import pytest

import hamvae_model as hv
from hamvae_model.data import Characters
from hamvae_model.presets import PRESETS

from .conftest import TINY, Command
from .documents import Document, run_all
from .material import write_material

PAGE = Document("docs/your-own-clips.md")


def test_the_commands_of_the_page_run_one_after_the_other(
    hamvae: Command, here: Path, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PRESETS:
        monkeypatch.setitem(PRESETS, name, TINY)
    write_material(here, builtin)
    run_all(hamvae, PAGE.commands)
    written = [words[words.index("-o") + 1].replace("{action}", "jump") for words in PAGE.commands if "-o" in words]
    assert all((here / name).stat().st_size > 0 for name in written)
    assert {"my-clips.png", "hero-jumps.gif", "face.gif"} <= {path.name for path in here.iterdir()}
    assert {path.name for path in (here / "runs").iterdir()} >= {"mine", "heroes", "mug"}


def test_the_layout_of_the_page_plays_the_frames_in_the_order_it_lists(here: Path, builtin: Characters) -> None:
    write_material(here, builtin)
    clip = hv.read("sheet.png#walk")
    assert clip.frames.equal(builtin.clip("test", "3/walk-left").frames[[7, 0, 1, 2, 3, 4, 5, 6]])
    assert (clip.period, clip.frame_seconds) == (8, pytest.approx(0.1))
    assert hv.read("sheet.png#jump").period is None
