"""The command as a function, and one small trained run for the commands that need one."""

import functools
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

import hamvae_model as hv
from hamvae_cli import main
from hamvae_model.data import Characters
from hamvae_model.presets import PRESETS, Preset

Command = Callable[..., Result]

TINY = Preset(
    summary="trains in a second",
    model={
        "content_dim": 8,
        "encoder_widths": (4, 4, 4),
        "feature_dim": 16,
        "decoder_hidden": (16,),
        "decoder_widths": (8,),
    },
    training={"steps": 12, "batch": 2, "save_every": 100, "sample_every": 100, "warmup": 2},
)


@pytest.fixture(scope="session")
def builtin() -> Characters:
    return hv.open_source("builtin")


@pytest.fixture
def tiny_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo preset stands for a model small enough for a test, and the demo takes no time."""
    monkeypatch.setitem(PRESETS, "demo", TINY)
    monkeypatch.setattr(import_module("hamvae_cli.demo"), "MINUTES", 0.001)


@pytest.fixture(scope="session")
def tiny(builtin: Characters) -> hv.Config:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "demo", TINY)
        return hv.build("demo", source=builtin)


@pytest.fixture(scope="session")
def run(tiny: hv.Config, builtin: Characters, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, to read from."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    for _ in hv.fit(tiny, folder, source=builtin):
        pass
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, on a machine without accelerators."""
    monkeypatch.chdir(tmp_path)
    for variable in ("HAMVAE_SPRITES_SHEETS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    for module in (torch.cuda, torch.backends.mps):  # pictures are compared to the bit; a GPU rounds its own way
        monkeypatch.setattr(module, "is_available", functools.wraps(module.is_available)(lambda: False))
    return tmp_path


@pytest.fixture
def on_a_terminal(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Output is drawn as for somebody who watches."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def hamvae(here: Path) -> Command:
    """Call the command in an empty folder: hamvae("train", "--data", "builtin")."""
    return lambda *words: CliRunner().invoke(main, [os.fspath(word) for word in words], prog_name="hamvae")


@pytest.fixture
def refusal(hamvae: Command) -> Callable[..., str]:
    """The sentence a call is refused with, having left no traceback, no output and no file behind."""

    def ask(*words: str | Path, code: int) -> str:
        before = sorted(Path().rglob("*"))
        result = hamvae(*words)
        assert result.exit_code == code, result.output
        assert isinstance(result.exception, SystemExit)
        assert not result.stdout
        assert sorted(Path().rglob("*")) == before
        sentence = result.stderr.splitlines()[-1]
        assert sentence.startswith("Error: ")
        return sentence

    return ask
