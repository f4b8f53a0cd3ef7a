"""Every command of docs/your-own-clips.md runs, on material like the page's; a tiny model stands for the presets'."""

from pathlib import Path

import pytest

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
    assert {"my-clips.png", "hero-jumps.gif", "face.gif"} <= {path.name for path in here.iterdir()}
    assert {path.name for path in (here / "runs").iterdir()} >= {"mine", "heroes", "mug"}
