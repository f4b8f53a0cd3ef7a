"""The record of scores of the test split: no line of it is lost."""

import json
import threading
from pathlib import Path

import pytest

from hamvae_model import HamvaeError, UsageError
from hamvae_model.runs import earlier_finals, record_final
from hamvae_model.runs.paths import FINAL

AT_ONCE, EACH = 4, 10


def test_those_that_record_at_once_lose_no_line(tmp_path: Path) -> None:
    def record(who: int) -> None:
        for turn in range(EACH):
            record_final(tmp_path, {"who": who, "turn": turn})

    threads = [threading.Thread(target=record, args=(who,)) for who in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {(line["who"], line["turn"]) for line in earlier_finals(tmp_path)}
    assert found == {(who, turn) for who in range(AT_ONCE) for turn in range(EACH)}


@pytest.mark.parametrize("before", [b"", b'{"date": "x"}\n', b'\xff\n{"date": "\xfc"}\n', b'{"date": "2026-'])
def test_what_was_recorded_before_stays_byte_for_byte(tmp_path: Path, before: bytes) -> None:
    (tmp_path / FINAL).write_bytes(before)
    record_final(tmp_path, {"split": "test"})
    after = (tmp_path / FINAL).read_bytes()
    assert after.startswith(before)
    assert json.loads(after.splitlines()[-1])["split"] == earlier_finals(tmp_path)[-1]["split"] == "test"


def test_a_link_in_the_place_of_the_record_is_not_followed(tmp_path: Path) -> None:
    other, run = tmp_path / "other", tmp_path / "run"
    run.mkdir()
    other.write_text("kept")
    (run / FINAL).symlink_to(other)
    with pytest.raises(HamvaeError, match=r"final\.jsonl' could not be written"):
        record_final(run, {})
    assert other.read_text() == "kept"


def test_a_record_that_cannot_be_read_is_refused_before_anything_is_scored(tmp_path: Path) -> None:
    (tmp_path / FINAL).mkdir()
    with pytest.raises(UsageError, match="move it elsewhere"):
        earlier_finals(tmp_path)
