"""The repository speaks of the project alone: no machine's folders, no index's address, nothing left for later."""

import re
from pathlib import Path

import pytest

# Patterns and examples are put together from pieces so that this file does not hold what it forbids.
FORBIDDEN = {
    "a folder of one machine": rf"(?<![\w.~-])/({'|'.join(['home', 'root', 'work', 'opt', 'srv', 'tmp', 'Users'])})/\w",
    "where packages come from": "|".join(["index" + "-url", "find" + "-links", "python" + "hosted", "/sim" + "ple/"]),
    "unfinished work": rf"\b(?:{'|'.join(['TO' + 'DO', 'FIX' + 'ME', 'X' * 3])})\b",
}
EXAMPLES = {
    "a folder of one machine": "read `" + "/" + "home/ann/clips.gif`",
    "where packages come from": "pip install --index" + "-url=somewhere",
    "unfinished work": "# TO" + "DO: later",
}
BINARY = {".gif", ".npz", ".png", ".safetensors"}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str, root: Path, files: list[Path]) -> None:
    texts = {path: path.read_text("utf-8") for path in files if path.suffix not in BINARY}
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(FORBIDDEN[what], line)
    ]
    assert not found


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_check_above_can_fail(what: str) -> None:
    assert re.search(FORBIDDEN[what], EXAMPLES[what])


def test_no_lock_file_is_committed(root: Path, files: list[Path]) -> None:
    locks = [path for path in files if path.suffix == ".lock" or path.name.startswith(("pylock.", "requirements"))]
    assert not locks


def test_no_committed_file_is_larger_than_two_megabytes(root: Path, files: list[Path]) -> None:
    assert not [path.relative_to(root) for path in files if path.stat().st_size > 2 * 2**20]
