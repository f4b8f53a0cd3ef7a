"""docs/extending.md does what it says; a source from outside is opened, trained on and scored by name."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hamvae_model as hv
from hamvae_model.config.choices import OPERATORS, TABLES
from hamvae_model.data import SOURCES, SourceEntry
from hamvae_model.evaluation import HeldOut, generation
from hamvae_model.evaluation.protocols import PROTOCOLS
from hamvae_model.network import MODELS
from hamvae_model.network.motion import SPACES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture(autouse=True)
def tables_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What the page enters in tables is gone afterwards, and its run folder too."""
    monkeypatch.chdir(tmp_path)
    before = [(table, dict(table)) for table in (SOURCES, MODELS)]
    yield
    for table, entries in before:
        table.clear()
        table.update(entries)  # type: ignore[arg-type]


@pytest.mark.usefixtures("hurried")
def test_the_blocks_of_the_page_run_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {"__name__": "extending"}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), names)
    assert capsys.readouterr().out == "The model 'hamvae' cannot sample: it shows nobody that it has not seen.\n"


@pytest.mark.usefixtures("hurried")
def test_a_source_of_another_package_is_opened_trained_on_and_scored_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_squares.py").write_text(
        f"{BLOCKS[0]}\n\ndef find_squares(root, data, device):\n    return Squares()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = SourceEntry(summary="hopping squares", home="my_squares:find_squares", preset="demo")
    monkeypatch.setitem(SOURCES, "squares", entry)
    source = hv.open_source("squares")
    assert source.splits == {"train": 38, "validation": 2, "test": 8}
    config = hv.build("demo", source=source, steps=2, set={"training.batch": 4})
    for _ in hv.fit(config, tmp_path / "run", source=source):
        pass
    model = hv.load(tmp_path / "run")
    assert hv.open_clip("squares:test/3", like=model.config).label == "slide"
    assert generation(HeldOut(model, source))["first_frame"]["psnr"] > 0


def test_tables_and_the_words_of_the_command_line_name_the_same_things() -> None:
    """Words are listed apart from what they stand for, because the command line lists them without torch."""
    assert tuple(PROTOCOLS) == TABLES
    assert set(SPACES) == set(OPERATORS)
