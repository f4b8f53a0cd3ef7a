"""One version per distribution, the same wherever it is written."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

DISTRIBUTIONS = ["symplectic-ops", "hamvae-model", "hamvae-cli"]


def project(root: Path, distribution: str) -> dict[str, object]:
    text = (root / "packages" / distribution / "pyproject.toml").read_text("utf-8")
    return tomllib.loads(text)["project"]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_newest_entry_of_the_changelog_is_the_version_in_the_sources(root: Path, distribution: str) -> None:
    headings = re.findall(rf"^## {distribution} (\S+)", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == project(root, distribution)["version"]


def test_the_citation_names_the_version_of_the_model(root: Path) -> None:
    cited = re.findall(r"^version: (\S+)$", (root / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert cited == [project(root, "hamvae-model")["version"]]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_distribution_accepts_its_neighbours_as_they_are(root: Path, distribution: str) -> None:
    dependencies = project(root, distribution)["dependencies"]
    neighbours = [need for need in map(Requirement, dependencies) if need.name in DISTRIBUTIONS]
    refused = [str(need) for need in neighbours if project(root, need.name)["version"] not in need.specifier]
    assert not refused
