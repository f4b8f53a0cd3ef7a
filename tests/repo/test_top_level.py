"""The names at the top of the repository are its table of contents: none is missing, none was slipped in."""

from pathlib import Path

PLANNED = {
    *("packages", "benchmarks", "tests", "docs"),
    *("pyproject.toml", "Makefile", ".ci", ".gitignore", ".gitattributes"),
    *("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CITATION.cff"),
}


def test_the_top_level_holds_exactly_what_is_planned(root: Path, files: list[Path]) -> None:
    assert {path.relative_to(root).parts[0] for path in files} == PLANNED


def test_there_are_exactly_three_distributions(root: Path, files: list[Path]) -> None:
    inside = [path.relative_to(root / "packages") for path in files if path.is_relative_to(root / "packages")]
    assert {path.parts[0] for path in inside} == {"symplectic-ops", "hamvae-model", "hamvae-cli"}
