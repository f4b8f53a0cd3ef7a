"""What other versions wrote is refused by name."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import hamvae_model as hv
from hamvae_model import HamvaeError
from hamvae_model.files import versions


def test_files_are_written_in_the_newest_version(run: Path) -> None:
    for path in (*run.glob("*.safetensors"), *(run / "state").iterdir()):
        with safe_open(path, "pt") as file:
            header = file.metadata()
        assert (header["format"], json.loads(header["config"])["format"]) == ("hamvae/1", "hamvae/1")
        assert len(header["sha256"]) == 64
    assert json.loads((run / "config.json").read_text())["format"] == "hamvae/1"


@pytest.mark.parametrize(
    ("kind", "found", "sentence"),
    [
        (versions.RUN, "hamvae/99", "the format 'hamvae/99', and 'hamvae/1' is read here; use a newer"),
        (versions.JUDGE, "hamvae-judge/2", "and 'hamvae-judge/1' is read here; use a newer"),
        (versions.RUN, "hamvae/0", "the format 'hamvae/0' where 'hamvae/1' is read; it was not written"),
        (versions.RUN, "hamvae/1.5", "the format 'hamvae/1.5' where"),
        (versions.RUN, "pickle", "the format 'pickle' where"),
        (versions.RUN, None, "It names no format where"),
        (versions.RUN, 2, "the format 2 where"),
        (versions.RUN, "hamvae-judge/1", "It is a judge, where a run is needed"),
        (versions.JUDGE, "hamvae/1", "It is a run, where a judge is needed"),
    ],
)
def test_another_version_is_refused_by_its_name_with_the_one_that_is_read(
    kind: str, found: object, sentence: str
) -> None:
    with pytest.raises(HamvaeError, match=sentence):
        versions.check(kind, found)


def test_the_version_that_is_written_is_read() -> None:
    for kind in versions.KINDS:
        versions.check(kind, versions.newest(kind))


def test_a_newer_file_is_refused_before_its_hash_is_asked_for(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "weights.safetensors", metadata={"format": "hamvae/3"})
    with pytest.raises(HamvaeError, match=r"weights\.safetensors' cannot be used\. It has the format 'hamvae/3'"):
        hv.load(tmp_path)
