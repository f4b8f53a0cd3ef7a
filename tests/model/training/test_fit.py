"""Training: the bound goes down, runs resume exactly, and a run folder holds what it promises."""

import dataclasses
import json
import math
import shutil
from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model import HamvaeError, UsageError, runs
from hamvae_model.data import Characters
from hamvae_model.network.objective import bound, terms
from hamvae_model.training import draw_step, draw_views, new_optimiser, schedule, train_step, untrained

pytestmark = pytest.mark.usefixtures("hurried")


def train(
    config: hv.Config, run: Path, source: Characters, *, stop_at: int | None = None, resume: bool = False
) -> None:
    reports = hv.fit(config, run, source=source, resume=resume)
    for report in reports:
        if report.step == stop_at:
            break
    reports.close()  # type: ignore[attr-defined]


def test_one_batch_can_be_learned_by_heart(builtin: Characters) -> None:
    config = hv.build("demo", source=builtin, seed=1)
    small = dataclasses.replace(config.model, decoder_hidden=(128,), feature_dim=64, encoder_widths=(16, 16, 32))
    training = dataclasses.replace(config.training, batch=2, single_image=0.0)
    config = dataclasses.replace(config, model=small, training=training)
    model, draw = untrained(config), draw_step(config, builtin, 1)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    errors = []
    for _ in range(150):
        explanation = model(draw.views, draw.noise)
        parts = terms(explanation, draw.views, variance=0.05, length=8)
        optimiser.zero_grad()
        bound(parts, dataclasses.replace(config.objective, content_weight=0.01)).backward()
        optimiser.step()
        errors.append(parts["reconstruction"].item())
    assert errors[-1] < errors[0] / 50


@pytest.mark.parametrize("preset", hv.PRESETS)
def test_every_preset_takes_a_step(builtin: Characters, preset: str) -> None:
    config = hv.build(preset, source=builtin)
    config = dataclasses.replace(config, training=dataclasses.replace(config.training, batch=2, decoded_frames=1))
    model = untrained(config)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    train_step(model, new_optimiser(model), builtin, 1)
    assert [name for name, parameter in model.named_parameters() if parameter.equal(before[name])] == []


def test_views_hold_the_frames_their_offsets_say(tiny: hv.Config, builtin: Characters) -> None:
    seed = 11
    views = draw_views(tiny, builtin, torch.Generator().manual_seed(seed))
    clips = torch.randint(builtin.splits["train"], (4,), generator=torch.Generator().manual_seed(seed))
    whole = builtin.clips("train", clips)
    assert views.labels.equal(whole.labels)
    for row in range(4):
        matches = (whole.frames[row] == views.window[row, -1]).flatten(1).all(1).nonzero().flatten()
        assert len(matches) == 1
        for target, offset in zip(views.targets[row], views.offsets[row], strict=True):
            assert target.equal(whole.frames[row, (int(matches) + int(offset)) % 8])


def test_targets_reach_beyond_the_clip_so_that_the_flow_learns_to_come_round(
    tiny: hv.Config, builtin: Characters
) -> None:
    offsets = torch.cat([draw_views(tiny, builtin, torch.Generator().manual_seed(s)).offsets for s in range(50)])
    assert offsets.min() < 0
    assert offsets.max() > tiny.model.length


def test_the_bound_is_the_weighted_sum_of_its_named_terms(tiny: hv.Config) -> None:
    sizes = {"reconstruction": 1.0, "content": 10.0, "position": 100.0, "momentum": 1000.0}
    parts = {name: torch.tensor(size) for name, size in sizes.items()}
    weights = dataclasses.replace(tiny.objective, content_weight=2, position_weight=3, momentum_weight=4)
    assert float(bound(parts, weights)) == 1 + 20 + 300 + 4000


def test_the_divergences_equal_those_of_torch_distributions(tiny: hv.Config, builtin: Characters) -> None:
    draw = draw_step(tiny, builtin, 1)
    explanation = untrained(tiny)(draw.views, draw.noise)
    parts = terms(explanation, draw.views, variance=0.05, length=8)
    for name in ("content", "position", "momentum"):
        gaussian = getattr(explanation, name)
        posterior = torch.distributions.Normal(gaussian.mean.double(), gaussian.log_deviation.double().exp())
        reference = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(-1).mean()
        torch.testing.assert_close(parts[name].double(), reference, rtol=1e-5, atol=1e-5)


def test_decoding_a_few_frames_estimates_the_sum_over_all(tiny: hv.Config, builtin: Characters) -> None:
    draw = draw_step(tiny, builtin, 1)
    explanation = untrained(tiny)(draw.views, draw.noise)
    error = (explanation.images.double() - draw.views.targets / 255) ** 2
    expected = 8 * error.sum((2, 3, 4)).mean() / (2 * 0.05)
    torch.testing.assert_close(
        terms(explanation, draw.views, variance=0.05, length=8)["reconstruction"].double(), expected, rtol=1e-5, atol=0
    )


def test_the_learning_rate_warms_up_and_ends_near_zero(tiny: hv.Config) -> None:
    training = dataclasses.replace(tiny.training, steps=100, warmup=10)
    rates = [schedule(step, training) for step in range(1, 101)]
    assert rates[0] == pytest.approx(0.1) and max(rates) > 0.97 and rates.index(max(rates)) == 9
    assert rates[9:] == sorted(rates[9:], reverse=True) and rates[-1] < 1e-3


def test_closing_the_iterator_early_saves_what_was_learned(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hamvae_model.training.loop.REPORT_EVERY", 1)
    train(tiny, tmp_path / "run", builtin, stop_at=3)
    assert runs.read_state(tmp_path / "run").step == 3
    assert hv.load(tmp_path / "run").config == tiny


def test_a_run_folder_holds_what_it_promises_and_can_be_moved(run: Path, builtin: Characters, tmp_path: Path) -> None:
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert names == {
        "config.json",
        "environment.json",
        "metrics.jsonl",
        "weights.safetensors",
        "best.safetensors",
        "state/step-000002.safetensors",
        "state/step-000004.safetensors",
        "state/step-000006.safetensors",
        "samples/step-000004.png",
        "samples/step-000006.png",
    }
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert {"step", "loss", "reconstruction", "content", "position", "momentum", "psnr", "gradient_norm"} <= lines[
        -1
    ].keys()
    moved = shutil.copytree(run, tmp_path / "moved")
    assert hv.load(moved).config == hv.load(run).config
    assert list(hv.fit(runs.load_config(moved), moved, source=builtin, resume=True)) == []


def test_a_folder_that_holds_a_run_is_not_overwritten(tiny: hv.Config, builtin: Characters, run: Path) -> None:
    before = (run / "weights.safetensors").read_bytes()
    with pytest.raises(UsageError, match="already holds a run; continue it with `hamvae train --resume"):
        hv.fit(tiny, run, source=builtin)
    assert (run / "weights.safetensors").read_bytes() == before


@pytest.mark.parametrize("name", ["config.json", "data.json", "metrics.jsonl", "samples/step-one.png"])
def test_a_folder_that_holds_files_of_others_keeps_them(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, name: str
) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(UsageError, match=f"holds {name}, which a run would replace; choose another folder"):
        hv.fit(tiny, tmp_path, source=builtin)
    assert (tmp_path / name).read_text() == '{"mine": 1}'
    assert {path.name for path in tmp_path.iterdir()} == {"samples", Path(name).parts[0]}


def test_a_run_that_ended_before_it_was_saved_is_begun_again(
    tiny: hv.Config, builtin: Characters, tmp_path: Path
) -> None:
    hv.fit(tiny, tmp_path / "run", source=builtin).close()
    shutil.rmtree(tmp_path / "run" / "state")
    assert next(hv.fit(tiny, tmp_path / "run", source=builtin)).step == 2


def test_resuming_where_nothing_is_says_so(tiny: hv.Config, builtin: Characters, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no trained run at"):
        hv.fit(tiny, tmp_path, source=builtin, resume=True)


def test_resuming_weights_alone_says_that_the_state_is_missing(
    tiny: hv.Config, builtin: Characters, run: Path, tmp_path: Path
) -> None:
    shutil.copy(run / "weights.safetensors", tmp_path)
    with pytest.raises(UsageError, match="has weights, but no state in 'state' to train on from; copy the whole run"):
        hv.fit(tiny, tmp_path, source=builtin, resume=True)


def test_a_resumed_log_has_each_step_once(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hamvae_model.training.loop.REPORT_EVERY", 1)
    train(tiny, tmp_path / "run", builtin, stop_at=3)
    with (tmp_path / "run" / "metrics.jsonl").open("a") as log:
        log.write('{"step": 4, "loss": 1}\n{"step": 5, "lo')  # what a killed process leaves behind
    train(tiny, tmp_path / "run", builtin, resume=True)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]


def test_a_source_with_other_classes_is_refused(tiny: hv.Config, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the builtin source has other classes"):
        hv.fit(tiny, tmp_path / "run", source=hv.open_source("builtin", labels="action"))
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_training(
    tiny: hv.Config, builtin: Characters, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = shutil.copytree(run, tmp_path / "run")

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(UsageError, match="may not be written to"):
        hv.fit(tiny, moved, source=builtin, resume=True)


def test_a_full_disk_stops_training_in_one_sentence_and_keeps_what_was_saved(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = hv.fit(tiny, tmp_path / "run", source=builtin)
    next(reports)  # after the second step, which is saved
    state = (tmp_path / "run" / "state" / "step-000002.safetensors").read_bytes()

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    kept = r"could not be written .*The run is kept as it was after step 2; make room and go on with: .*--resume .*run$"
    with pytest.raises(HamvaeError, match=kept):
        list(reports)
    assert (tmp_path / "run" / "state" / "step-000002.safetensors").read_bytes() == state
    assert list((tmp_path / "run").rglob("*.tmp")) == []


def test_small_numbers_survive_training(tiny: hv.Config, builtin: Characters, tmp_path: Path) -> None:
    for _ in hv.fit(tiny, tmp_path / "run", source=builtin):
        assert (torch.tensor(1e-310, dtype=torch.float64) * 1).item() > 0


def test_a_run_that_diverges_keeps_what_was_saved_before(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = hv.fit(tiny, tmp_path / "run", source=builtin)
    next(reports)
    state = (tmp_path / "run" / "state" / "step-000002.safetensors").read_bytes()
    monkeypatch.setattr("hamvae_model.training.step.schedule", lambda step, training: math.nan)
    with pytest.raises(HamvaeError, match="the motion is not finite at step 4"):
        list(reports)
    assert (tmp_path / "run" / "state" / "step-000002.safetensors").read_bytes() == state


@pytest.mark.parametrize(
    ("place", "blamed"),
    [("posterior.content_head.bias", "content"), ("decoder.layers.0.bias", "reconstruction"), ("", "gradient norm")],
)
def test_a_number_that_is_not_finite_stops_training_before_it_reaches_the_weights_and_its_source_is_named(
    tiny: hv.Config, builtin: Characters, place: str, blamed: str
) -> None:
    model = untrained(tiny)
    with torch.no_grad():
        if place:
            model.get_parameter(place)[0] = math.inf
        else:
            model.posterior.content_head.bias.register_hook(lambda gradient: gradient * math.nan)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(HamvaeError, match=f"The {blamed} is not finite at step 1"):
        train_step(model, new_optimiser(model), builtin, 1)
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
