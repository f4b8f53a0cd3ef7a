"""The layout of docs/architecture: no import circle, no import of a higher layer, few files at the top, short ones."""

from pathlib import Path

import pytest

from .imports import PACKAGES, arrows, circles, imported, lines, modules

LAYERS = (
    {"_lazy", "errors", "words", "limits", "devices"},
    {"files"},
    {"config"},
    {"clips"},
    {"media"},
    {"metrics"},
    {"data"},
    {"presets"},
    {"network"},
    {"animate"},
    {"runs"},
    {"training"},
    {"judge"},
    {"evaluation"},
)
"""Folders and files of hamvae_model from the lowest to the highest; none imports from a higher set."""

LONGEST = 350  # lines of a module


def layer(module: str) -> int:
    """Which of LAYERS a module of hamvae_model belongs to."""
    part = module.split(".")[1]
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    assert circles(arrows(PACKAGES[package])) == []


def test_no_module_of_the_model_imports_from_a_higher_layer() -> None:
    upward = [
        f"{module} imports {other}"
        for module, others in arrows(PACKAGES["hamvae_model"]).items()
        for other in others
        if "." in module and other.startswith("hamvae_model.") and layer(other) > layer(module)
    ]
    assert upward == []


def test_no_module_imports_the_face_of_its_own_package() -> None:
    """The public names are made of the modules, not the other way round."""
    users = [name for package in PACKAGES for name, others in arrows(PACKAGES[package]).items() if package in others]
    assert users == ["hamvae_cli.__main__"]  # which runs the command


def test_every_folder_and_file_of_the_model_has_its_layer() -> None:
    home = PACKAGES["hamvae_model"]
    parts = {path.stem for path in home.glob("*.py")} | {path.parent.name for path in home.glob("*/__init__.py")}
    assert parts - {"__init__"} == set().union(*LAYERS)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_long(package: str) -> None:
    long = {name: count for name, path in modules(PACKAGES[package]).items() if (count := lines(path)) > LONGEST}
    assert long == {}


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


# The checks can fail ------------------------------------------------------------------------------------------------


def test_a_circle_is_found_and_a_chain_is_not() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == [{"b", "c"}]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_imports_in_functions_and_for_types_alone_are_seen() -> None:
    text = (
        "from typing import TYPE_CHECKING\nfrom ..x import f\nfrom . import c\n"
        "if TYPE_CHECKING:\n    from .d import D\ndef f():\n    import p.y\n    from p import z"
    )
    known = {"p", "p.x", "p.y", "p.q", "p.q.b", "p.q.c", "p.q.d"}
    assert imported(text, "p.q.b", Path("p/q/b.py"), known) == {"p.x", "p.q.c", "p.q.d", "p.y", "p"}
    assert imported("from .b import B", "p.q", Path("p/q/__init__.py"), known) == {"p.q.b"}
