"""docs/configuration.md is what `make docs` makes of the fields, and leaves none without a meaning."""

import re
import runpy
from pathlib import Path

from hamvae_model.config import settings

from .conftest import ROOT

PAGE = ROOT / "docs" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "tables.py"))["configuration_page"]()
    assert PAGE.read_text("utf-8") == made, "run `make docs`"


def test_every_setting_has_a_line_and_a_meaning() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| .* \| (.*) \|$", Path(PAGE).read_text("utf-8"), re.MULTILINE)
    assert [key for key, _ in rows] == list(settings())
    assert all(meaning for _, meaning in rows)
