"""Weights and configurations on disk: exact, self-describing, refused in one sentence when damaged."""

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import hamvae_model as hv
from hamvae_model import HamvaeError, UsageError, runs
from hamvae_model.config.run import Config, FramingConfig
from hamvae_model.errors import DamagedError
from hamvae_model.files.tensors import write_tensors
from hamvae_model.files.versions import RUN
from hamvae_model.training import untrained


def test_loaded_weights_are_the_saved_ones(tiny: hv.Config, tmp_path: Path) -> None:
    model = untrained(tiny)
    runs.save_weights(tmp_path / "weights.safetensors", model)
    loaded = hv.load(tmp_path)
    assert loaded.config == tiny and not loaded.network.training
    for name, tensor in model.state_dict().items():
        assert loaded.network.state_dict()[name].equal(tensor), name


def test_the_weights_carry_their_configuration_and_win_over_the_copy(run: Path, tiny: hv.Config) -> None:
    with safe_open(run / "weights.safetensors", "pt") as file:
        assert json.loads(file.metadata()["config"])["preset"] == "demo"
    (run.parent / "other").mkdir()
    (run.parent / "other" / "weights.safetensors").write_bytes((run / "weights.safetensors").read_bytes())
    (run.parent / "other" / "config.json").write_text("{}")
    assert hv.load(run.parent / "other").config == tiny


def test_a_missing_run_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no trained run at '.*weights\.safetensors'; train one with"):
        hv.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"])
def test_a_file_that_is_something_else_is_not_called_a_damaged_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hero.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"hero\.png' is not a weights file of hamvae, which are safetensors; name"):
        hv.load(tmp_path / "hero.png")


@pytest.mark.parametrize("damage", [b"", b"not weights at all", b"\xff" * 64])
def test_a_corrupt_file_is_refused(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "weights.safetensors").write_bytes(damage)
    with pytest.raises(
        HamvaeError, match=r"weights\.safetensors' is damaged and cannot be read \(it does not begin as"
    ):
        hv.load(tmp_path)


def test_a_truncated_file_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes((run / "weights.safetensors").read_bytes()[:-100])
    with pytest.raises(HamvaeError, match="is damaged"):
        hv.load(tmp_path)


def test_weights_of_another_shape_are_refused(run: Path, tiny: hv.Config, tmp_path: Path) -> None:
    tensors = load_file(run / "weights.safetensors")
    wider = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, content_dim=9))
    write_tensors(tmp_path / "weights.safetensors", tensors, {"config": wider.to_json()}, kind=RUN)
    with pytest.raises(HamvaeError, match="do not fit the configuration stored with them"):
        hv.load(tmp_path)


def test_safetensors_without_a_configuration_are_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(HamvaeError, match="names no format where 'hamvae/1' is read; it was not written by hamvae"):
        hv.load(tmp_path)


def test_a_configuration_survives_its_json(tiny: hv.Config) -> None:
    assert Config.from_json(tiny.to_json()) == tiny


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"format": "hamvae/99"},
            "the format 'hamvae/99', and 'hamvae/1' is read here; use a newer hamvae",
        ),
        ({"preset": 3}, "field 'preset' of the configuration holds 3"),
        ({"colour": "red"}, "does not have the expected fields; look at: colour"),
    ],
)
def test_a_strange_configuration_is_refused_by_field(tiny: hv.Config, change: dict[str, object], sentence: str) -> None:
    values = json.loads(tiny.to_json()) | change
    with pytest.raises(HamvaeError, match=sentence):
        Config.from_json(json.dumps(values))


def test_a_configuration_from_before_a_field_existed_takes_its_default(tiny: hv.Config) -> None:
    values = json.loads(tiny.to_json())
    del values["data"]["framing"]
    assert Config.from_json(json.dumps(values)) == tiny


def test_a_field_without_a_default_must_be_there(tiny: hv.Config) -> None:
    values = json.loads(tiny.to_json())
    del values["data"]["source"]
    with pytest.raises(HamvaeError, match="data does not have the expected fields; look at: source"):
        Config.from_json(json.dumps(values))


def test_a_configuration_that_leaves_out_what_has_a_default_still_opens(tiny: hv.Config) -> None:
    values = json.loads(tiny.to_json())
    del values["model"]["operator_norm"], values["training"]["keep"], values["data"]["framing"]
    config = hv.Config.from_json(json.dumps(values))
    assert (config.model.operator_norm, config.training.keep, config.data.framing) == (None, 3, FramingConfig())


def test_a_bit_that_flipped_is_noticed_wherever_it_is(tiny: hv.Config, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    runs.save_weights(path, untrained(tiny))
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    places = [whole.index(b"demo"), whole.index(b"sha256") + 12, header, header + 4321, len(whole) - 1]
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DamagedError, match="its content does not match its hash; use another copy"):
            hv.load(path)
    path.write_bytes(whole)
    hv.load(path)


def test_the_hash_is_of_the_content_and_not_of_the_file(tiny: hv.Config, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    runs.save_weights(path, untrained(tiny))
    with safe_open(path, "pt") as file:
        header = dict(reversed(file.metadata().items()))
    save_file(dict(reversed(load_file(path).items())), path, metadata=header | {"sha256": header["sha256"]})
    assert hv.load(path).config == tiny


def test_tensors_that_changed_places_are_noticed(tiny: hv.Config, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    runs.save_weights(path, untrained(tiny))
    with safe_open(path, "pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    tensors["start_prior.mean"] = tensors["start_prior.mean"] + 1
    save_file(tensors, path, metadata=header)
    with pytest.raises(DamagedError, match="does not match its hash"):
        hv.load(path)


def test_weights_that_do_not_fit_are_told_apart_by_name_type_and_shape(tiny: hv.Config, tmp_path: Path) -> None:
    tensors = dict(untrained(tiny).state_dict())
    tensors["start_prior.mean"] = tensors["start_prior.mean"].double()
    tensors["start_prior.factor"] = torch.zeros(2, 3)
    tensors["hat"] = torch.zeros(1)
    del tensors["motion.parameters_of_operators"]
    path = tmp_path / "weights.safetensors"
    write_tensors(path, tensors, {"config": tiny.to_json()}, kind="hamvae")
    with pytest.raises(HamvaeError) as refused:
        hv.load(path)
    assert str(refused.value) == (
        f"The tensors in '{path}' do not fit the configuration stored with them: hat has no place, "
        "motion.parameters_of_operators is missing, start_prior.factor is float32 [2, 3] and not float32 [9, 8, 8], "
        "and 1 more differ; use another copy."
    )


def test_what_cannot_be_trained_with_is_refused_by_field(tiny: hv.Config) -> None:
    for change, sentence in (
        ({"keep": 0}, "keep must be at least 1; got 0"),
        ({"learning_rate": math.nan}, "learning_rate must be a positive number; got nan"),
        ({"earlier_rates": ((1.0,),)}, "earlier_rates must be pairs"),
    ):
        with pytest.raises(HamvaeError, match=sentence):
            dataclasses.replace(tiny.training, **change)  # type: ignore[arg-type]
    with pytest.raises(HamvaeError, match="validation must be at least 0 and below 1"):
        dataclasses.replace(tiny.data, validation=1.0)
