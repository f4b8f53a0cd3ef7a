"""symplectic-ops <- hamvae-model <- hamvae-cli: nothing imports what stands above it, at run time or in its text."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import PATIENCE

STOREYS = ["symplectic_ops", "hamvae_model", "hamvae_cli"]
SOURCES = {
    package: Path(__file__).resolve().parents[2] / "packages" / package.replace("_", "-") / "src" / package
    for package in STOREYS
}
IMPORTED_AS = {"pillow": "PIL"}  # where a distribution and its module have different names

LOAD_EVERYTHING = """
import importlib, json, pkgutil, sys
for name in sys.argv[1:]:
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, name + "."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
print(json.dumps([name.partition(".")[0] for name in sys.modules]))
"""


def loaded_by(*packages: str) -> set[str]:
    """What a fresh interpreter holds after importing every module of `packages`."""
    command = [sys.executable, "-P", "-c", LOAD_EVERYTHING, *packages]
    outcome = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return set(json.loads(outcome.stdout))


def imported_by(source: str) -> set[str]:
    """Top-level names imported anywhere in a module's text, inside functions and TYPE_CHECKING blocks too."""

    def names() -> Iterator[str]:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                yield node.module

    return {name.partition(".")[0] for name in names()}


def imports_of(package: str) -> dict[Path, set[str]]:
    """File of a package, relative to it -> top-level names imported there."""
    home = SOURCES[package]
    return {path.relative_to(home): imported_by(path.read_text("utf-8")) for path in home.rglob("*.py")}


@pytest.mark.parametrize("package", STOREYS[:-1])
def test_a_package_loads_nothing_above_itself(package: str) -> None:
    above = STOREYS[STOREYS.index(package) + 1 :]
    assert not loaded_by(package) & set(above)


def test_the_check_above_can_fail() -> None:
    assert {"symplectic_ops", "hamvae_model"} <= loaded_by("symplectic_ops", "hamvae_model")


@pytest.mark.parametrize("package", STOREYS)
def test_a_package_imports_what_it_declares_and_declares_what_it_imports(package: str) -> None:
    project = tomllib.loads((SOURCES[package].parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]

    def modules(lines: list[str]) -> set[str]:
        found = [re.match(r"[\w-]+", line) for line in lines]
        names = {match.group().lower() for match in found if match}
        return {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}

    imported = set().union(*imports_of(package).values()) - sys.stdlib_module_names - {package}
    assert imported - modules(extras) == modules(project["dependencies"]) - modules(extras)


@pytest.mark.parametrize(
    ("library", "place"), [("PIL", "media"), ("av", "media"), ("symplectic_ops", "network/motion.py")]
)
def test_one_place_of_the_model_alone_imports(library: str, place: str) -> None:
    users = {path for path, imported in imports_of("hamvae_model").items() if library in imported}
    assert users and all(path.is_relative_to(place) for path in users)


def test_an_import_hidden_in_a_function_is_seen_and_a_relative_one_is_not() -> None:
    source = "from . import motion\ndef f():\n    from PIL.Image import open\n    import torch.nn as nn, numpy"
    assert imported_by(source) == {"PIL", "torch", "numpy"}
