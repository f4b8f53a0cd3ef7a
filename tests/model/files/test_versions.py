"""What earlier versions wrote is read; what later ones write is refused by name."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import hamvae_model as hv
from hamvae_model import HamvaeError
from hamvae_model.data import Characters
from hamvae_model.files import versions
from hamvae_model.runs import checkpoint


def as_first_version(path: Path, config: hv.Config) -> None:
    """Rewrite a file of today as the first version did: without a hash, and without what it did not know."""
    with safe_open(path, "pt") as file:
        header = dict(file.metadata())
    values = json.loads(config.to_json()) | {"format": "hamvae/1"}
    for part, unknown in (("training", ("keep", "validation", "earlier_rates")), ("model", ("operator_norm",))):
        for name in unknown:
            del values[part][name]
    del header["sha256"]
    save_file(load_file(path), path, metadata=header | {"format": "hamvae/1", "config": json.dumps(values)})


def test_files_are_written_in_the_newest_version(run: Path) -> None:
    for path in (*run.glob("*.safetensors"), *(run / "state").iterdir()):
        with safe_open(path, "pt") as file:
            header = file.metadata()
        assert (header["format"], json.loads(header["config"])["format"]) == ("hamvae/2", "hamvae/2")
        assert len(header["sha256"]) == 64
    assert json.loads((run / "config.json").read_text())["format"] == "hamvae/2"


def test_weights_of_the_first_version_hold_nothing_out_and_cap_nothing(run: Path, tiny: hv.Config) -> None:
    path = run.parent / "first.safetensors"
    path.write_bytes((run / "weights.safetensors").read_bytes())
    as_first_version(path, tiny)
    model, today = hv.load(path), hv.load(run)
    assert (model.config.training.validation, model.config.model.operator_norm) == (0.0, None)
    assert all(tensor.equal(today.network.state_dict()[name]) for name, tensor in model.network.state_dict().items())


@pytest.mark.usefixtures("hurried")
def test_a_run_of_the_first_version_goes_on_to_the_same_numbers(
    as_before: hv.Config, builtin: Characters, tmp_path: Path
) -> None:
    first, whole = tmp_path / "first", tmp_path / "whole"
    reports = hv.fit(as_before, first, source=builtin)
    next(reports)
    reports.close()
    newest = first / "state" / "step-000002.safetensors"
    as_first_version(newest, as_before)
    newest.rename(first / "state" / "training.safetensors")
    (first / "state" / "step-000000.safetensors").unlink()  # there was but one state
    assert checkpoint.kept_states(first) == {2: first / "state" / "training.safetensors"}
    list(hv.fit(checkpoint.load_config(first), first, source=builtin, resume=True))
    list(hv.fit(as_before, whole, source=builtin))
    resumed, uninterrupted = (load_file(folder / "state" / "step-000006.safetensors") for folder in (first, whole))
    assert [name for name, tensor in uninterrupted.items() if not tensor.equal(resumed[name])] == []


@pytest.mark.parametrize(
    ("kind", "found", "sentence"),
    [
        (versions.RUN, "hamvae/99", "the format 'hamvae/99' and 'hamvae/1' and 'hamvae/2' are read here; use a newer"),
        (versions.JUDGE, "hamvae-judge/3", "and 'hamvae-judge/1' and 'hamvae-judge/2' are read here; use a newer"),
        (
            versions.RUN,
            "hamvae/0",
            "the format 'hamvae/0' where 'hamvae/1' and 'hamvae/2' are read; it was not written",
        ),
        (versions.RUN, "hamvae/1.5", "the format 'hamvae/1.5' where"),
        (versions.RUN, "pickle", "the format 'pickle' where"),
        (versions.RUN, None, "It names no format where"),
        (versions.RUN, 2, "the format 2 where"),
        (versions.RUN, "hamvae-judge/2", "It is a judge, where a run is needed"),
        (versions.JUDGE, "hamvae/1", "It is a run, where a judge is needed"),
    ],
)
def test_another_version_is_refused_by_its_name_with_those_that_are_read(
    kind: str, found: object, sentence: str
) -> None:
    with pytest.raises(HamvaeError, match=sentence):
        versions.migrated(kind, {"format": found})


def test_a_newer_file_is_refused_before_its_hash_is_asked_for(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "weights.safetensors", metadata={"format": "hamvae/3"})
    with pytest.raises(HamvaeError, match=r"weights\.safetensors' cannot be used\. It has the format 'hamvae/3'"):
        hv.load(tmp_path)


def test_every_step_between_versions_leaves_what_was_there(tiny: hv.Config) -> None:
    values = json.loads(tiny.to_json()) | {"format": "hamvae/1"}
    values["training"]["validation"] = 0.25
    migrated = versions.migrated(versions.RUN, values)
    assert migrated == values | {"format": "hamvae/2"}
    assert versions.migrated(versions.RUN, migrated) == migrated


@pytest.mark.parametrize("values", [{}, {"model": 3, "training": []}, {"model": {}}])
def test_a_configuration_without_the_parts_of_its_version_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(HamvaeError, match="The configuration is not one of version hamvae/1"):
        versions.migrated(versions.RUN, {"format": "hamvae/1", **values})
