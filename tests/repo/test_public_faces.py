"""What is public: names that hamvae_model and its folders export, and the modules directly below hamvae_model.

The command line, the benchmarks and the documents import nothing else of it.
"""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT
from .imports import PACKAGES

MODEL = PACKAGES["hamvae_model"]
PUBLIC = {
    "hamvae_model",
    *(f"hamvae_model.{path.stem}" for path in MODEL.glob("*.py") if not path.stem.startswith("_")),
    *(f"hamvae_model.{path.parent.name}" for path in MODEL.glob("*/__init__.py")),
}
CHOICES = "hamvae_model.config.choices"  # the words and numbers of the command line: a module of constants
USERS = [
    *PACKAGES["hamvae_cli"].rglob("*.py"),
    *(ROOT / "benchmarks").rglob("*.py"),
    *(ROOT / "docs").glob("*.py"),
]


def reached(source: str) -> Iterator[str]:
    """The modules of hamvae_model that a text imports, or imports names from."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("hamvae_model"))
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("hamvae_model"):
            yield str(node.module)


@pytest.mark.parametrize("path", USERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_only_public_modules_are_imported(path: Path) -> None:
    assert set(reached(path.read_text("utf-8"))) <= PUBLIC | {CHOICES}


def test_the_check_can_fail() -> None:
    assert set(reached("def f():\n    from hamvae_model.runs.paths import LOG")) == {"hamvae_model.runs.paths"}
    assert "hamvae_model.runs.paths" not in PUBLIC and "hamvae_model.runs" in PUBLIC


@pytest.mark.parametrize("face", sorted(PUBLIC - {"hamvae_model.errors"}))
def test_every_name_of_a_face_can_be_imported(face: str) -> None:
    module = importlib.import_module(face)
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        assert not hasattr(value, "__path__") or face == "hamvae_model", f"{face}.{name} is a folder, not what it says"
