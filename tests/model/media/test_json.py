"""A sprite sheet is two files that belong together; a picture that belongs to nothing of ours is never replaced."""

import json
from pathlib import Path

import pytest
import torch

from hamvae_model.errors import HamvaeError, UsageError
from hamvae_model.media import write

BLACK = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
WHITE = torch.full((2, 3, 4, 4), 255, dtype=torch.uint8)


@pytest.mark.parametrize(
    "description",
    [
        None,
        "{",
        "[]",
        '{"meta": 3}',
        '{"meta": {"app": "https://www.aseprite.org/", "image": "hero.png"}}',
        '{"meta": {"app": "hamvae", "image": "other.png"}}',
        b"\xff",
    ],
)
def test_a_picture_of_ones_own_is_not_replaced(tmp_path: Path, description: str | bytes | None) -> None:
    (tmp_path / "hero.png").write_bytes(b"mine")
    if description is not None:
        data = description if isinstance(description, bytes) else description.encode()
        (tmp_path / "hero.json").write_bytes(data)
    with pytest.raises(UsageError, match=r"hero\.png would be replaced by the picture of hero\.json"):
        write(tmp_path / "hero.json", BLACK)
    assert (tmp_path / "hero.png").read_bytes() == b"mine"


def test_a_sheet_that_was_written_before_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "hero.json", BLACK)
    write(tmp_path / "hero.json", WHITE)
    assert json.loads((tmp_path / "hero.json").read_text())["meta"]["image"] == "hero.png"


def test_no_picture_is_left_when_its_description_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "hero.json").mkdir()
    with pytest.raises(UsageError, match=r"hero\.json is a folder"):
        write(tmp_path / "hero.json", BLACK)
    assert [path.name for path in tmp_path.iterdir()] == ["hero.json"]


def test_both_files_stay_as_they_were_when_the_picture_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write(tmp_path / "hero.json", BLACK)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr("hamvae_model.media.png.write_strip", full)
    with pytest.raises(HamvaeError, match="No space left on device"):
        write(tmp_path / "hero.json", WHITE[:1])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
