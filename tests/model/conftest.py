"""A source, a model small enough for a test, and a run of it."""

import dataclasses
import os
from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model.data import Characters
from hamvae_model.network import HamVAE
from hamvae_model.training import untrained

from .oracle import NearestJudge


@pytest.fixture(scope="session")
def builtin() -> Characters:
    return hv.open_source("builtin")


@pytest.fixture(scope="session")
def sprites() -> Characters:
    """The real sheets. Continuous integration points the variable at them, so these tests run there."""
    if not os.environ.get("HAMVAE_SPRITES_SHEETS"):
        pytest.skip("HAMVAE_SPRITES_SHEETS does not point at the Sprites sheets")
    return hv.open_source("sprites")


@pytest.fixture(scope="session")
def tiny(builtin: Characters) -> hv.Config:
    """A configuration that trains in a second."""
    config = hv.build("demo", source=builtin, steps=6, seed=3)
    model = dataclasses.replace(
        config.model,
        content_dim=8,
        encoder_widths=(8, 8, 8),
        feature_dim=16,
        decoder_hidden=(16,),
        decoder_widths=(8,),
    )
    training = dataclasses.replace(config.training, batch=4, warmup=2, save_every=2, sample_every=4)
    return dataclasses.replace(config, model=model, training=training)


@pytest.fixture(scope="session")
def judge(builtin: Characters) -> NearestJudge:
    """Of built-in characters, right by construction."""
    return NearestJudge(builtin)


@pytest.fixture
def network(tiny: hv.Config) -> HamVAE:
    """Untrained."""
    made = untrained(tiny).eval()
    assert isinstance(made, HamVAE)
    return made


@pytest.fixture
def model(network: HamVAE) -> hv.Model:
    return hv.Model(network)


@pytest.fixture(scope="session")
def run(tiny: hv.Config, builtin: Characters, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run folder; tests only read it."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        for _ in hv.fit(tiny, folder, source=builtin):
            pass
    return folder


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run does besides learning takes no time."""
    hurry(monkeypatch)


def hurry(patch: pytest.MonkeyPatch) -> None:
    """A starting prior of a few clips, and sheets of a few."""
    patch.setattr("hamvae_model.training.run.PRIOR_CLIPS", 1)
    patch.setattr("hamvae_model.training.preview.SHOWN", 1)
    patch.setattr("hamvae_model.training.preview.SCORED", 6)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Bitwise claims hold for one thread count."""
    torch.set_num_threads(1)
