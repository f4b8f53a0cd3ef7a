"""A model from outside the package: one class and one line in the table, and every verb works."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

import hamvae_model as hv
from hamvae_model.data import Characters
from hamvae_model.evaluation import HeldOut, generation
from hamvae_model.network import MODELS, ModelEntry, new_network

STILL = '''
"""Everybody stands still: a mean frame, one learned brightness."""

import torch
from hamvae_model.network import Explanation, Network
from hamvae_model.network.posterior import Gaussian


class Still(Network):
    term_names = ("error",)
    cannot = {"sample": "it draws nobody that it has not seen"}

    def __init__(self, config):
        super().__init__(config)
        self.brightness = torch.nn.Parameter(torch.ones(()))

    def forward(self, views, noise):
        nothing = Gaussian(noise.position, noise.position)
        images = self.brightness * self.infer_content(views.window)[:, None].expand_as(views.targets)
        return Explanation(content=nothing, position=nothing, momentum=nothing, images=images)

    def terms(self, explanation, views):
        return {"error": ((explanation.images - views.targets / 255) ** 2).sum((1, 2, 3, 4)).mean()}

    def objective(self, terms):
        return terms["error"]

    def infer_content(self, frames):
        return frames.float().mean(1) / 255

    def infer_state(self, frames, labels, times=None):
        return Gaussian(torch.zeros(len(frames), 2), torch.zeros(len(frames), 2))

    def rendered(self, content, state, labels, offsets):
        with torch.no_grad():
            yield self.brightness * content[:, None].expand(-1, offsets.shape[-1], -1, -1, -1)

    def trajectory(self, state, labels, offsets):
        return state[:, None].expand(-1, offsets.shape[-1], -1)

    def sample_content(self, count, generator):
        return torch.zeros(count, 3, 64, 64)

    def sample_state(self, labels, generator, prior="fitted"):
        return torch.zeros(len(labels), 2)

    def typical_state(self, labels):
        return torch.zeros(len(labels), 2)
'''


@pytest.fixture
def still(tiny: hv.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> hv.Config:
    """A run of a model that a package of somebody's own defines."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "still.py").write_text(STILL)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(MODELS, "still", ModelEntry(summary="stands still", home="outside.still:Still"))
    yield dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, name="still"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "outside"]:
        del sys.modules[name]


@pytest.mark.usefixtures("hurried")
def test_it_trains_resumes_swaps_generates_and_is_scored(still: hv.Config, builtin: Characters, tmp_path: Path) -> None:
    reports = hv.fit(still, tmp_path / "run", source=builtin)
    first = next(reports)
    reports.close()
    assert set(first.losses) == {"error", "loss", "gradient_norm"}
    *_, last = hv.fit(still, tmp_path / "run", source=builtin, resume=True)
    assert last.step == still.training.steps
    model = hv.load(tmp_path / "run")
    content, motion = hv.open_clip("builtin:test/3/walk-left"), hv.open_clip("builtin:test/8/slash-front")
    assert model.swap(content, motion).frames.shape == motion.frames.shape
    assert len(model.generate(content, "walk-left")) == 16
    assert model.encode(content).position.shape == (8, 1)
    assert model.operators() == []
    assert all(row["psnr"] > 0 for row in generation(HeldOut(model, builtin, 2)).values())


def test_what_it_cannot_do_is_one_sentence(still: hv.Config) -> None:
    with pytest.raises(
        hv.UsageError, match=r"^The model 'still' cannot sample: it draws nobody that it has not seen\.$"
    ):
        hv.Model(new_network(still)).sample("walk-left")


def test_an_unknown_model_is_refused_with_the_nearest_spelling(tiny: hv.Config) -> None:
    other = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, name="hamvea"))
    with pytest.raises(hv.UsageError, match="no model 'hamvea'; did you mean 'hamvae'"):
        new_network(other)


def test_the_table_is_read_without_torch() -> None:
    code = "import sys, hamvae_model.network as n; assert 'hamvae' in n.MODELS; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
