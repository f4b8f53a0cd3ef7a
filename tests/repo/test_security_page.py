"""SECURITY.md states the limits that the code has."""

import re
from pathlib import Path

from hamvae_model import limits


def test_the_limits_in_the_page_are_those_of_the_code(root: Path) -> None:
    page = (root / "SECURITY.md").read_text("utf-8")
    stated = {
        name: int(value.replace(" ", "")) for name, value in re.findall(r"^\| `(\w+)` \| ([\d ]+) \|", page, re.M)
    }
    assert stated == {name: value for name, value in vars(limits).items() if name.isupper()}


def test_the_page_names_files_that_are_there(root: Path) -> None:
    page = (root / "SECURITY.md").read_text("utf-8")
    named = re.findall(r"`((?:tests|benchmarks)/[\w/.]*)`", page)
    assert named
    assert all((root / name).exists() for name in named)
