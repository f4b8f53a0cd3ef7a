"""What someone who installs a distribution gets: its own package, typed and licensed, and no surprise beside it."""

import tomllib
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from hamvae_model.media.video import INSTALL

NEEDS = {
    "symplectic-ops": {"torch"},
    "hamvae-model": {"numpy", "pillow", "platformdirs", "safetensors", "symplectic-ops", "torch"},
    "hamvae-cli": {"click", "hamvae-model", "rich"},
}
distribution = pytest.mark.parametrize("distribution", NEEDS)


def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def read(wheel: Path, ending: str) -> str:
    """Text of the one member of the wheel whose name has this ending."""
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(ending)]
        return archive.read(name).decode("utf-8")


def metadata(wheel: Path) -> Message:
    return Parser().parsestr(read(wheel, ".dist-info/METADATA"))


@distribution
def test_a_wheel_holds_its_own_package_and_nothing_else(wheels: dict[str, Path], distribution: str) -> None:
    package = distribution.replace("-", "_")
    version = metadata(wheels[distribution])["Version"]
    assert {name.partition("/")[0] for name in names(wheels[distribution])} == {
        package,
        f"{package}-{version}.dist-info",
    }


@distribution
def test_a_wheel_holds_every_module_of_its_sources(wheels: dict[str, Path], root: Path, distribution: str) -> None:
    source = root / "packages" / distribution / "src"
    assert {path.relative_to(source).as_posix() for path in source.rglob("*.py")} <= names(wheels[distribution])


@distribution
def test_a_wheel_says_that_it_is_typed(wheels: dict[str, Path], distribution: str) -> None:
    assert f"{distribution.replace('-', '_')}/py.typed" in names(wheels[distribution])


@distribution
def test_a_wheel_carries_the_licence_of_the_repository(wheels: dict[str, Path], root: Path, distribution: str) -> None:
    assert metadata(wheels[distribution])["License-Expression"] == "Apache-2.0"
    assert read(wheels[distribution], "licenses/LICENSE") == (root / "LICENSE").read_text("utf-8")


@distribution
def test_a_distribution_needs_exactly_what_is_planned(wheels: dict[str, Path], distribution: str) -> None:
    needed = [Requirement(line) for line in metadata(wheels[distribution]).get_all("Requires-Dist", [])]
    assert {line.name for line in needed if "extra" not in str(line.marker)} == NEEDS[distribution]


@distribution
def test_a_distribution_asks_for_python_3_11_or_newer(wheels: dict[str, Path], distribution: str) -> None:
    assert metadata(wheels[distribution])["Requires-Python"] == ">=3.11"


def test_the_command_line_is_installed_as_hamvae(wheels: dict[str, Path]) -> None:
    assert "hamvae = hamvae_cli:main" in read(wheels["hamvae-cli"], "entry_points.txt")


def test_the_advice_for_videos_asks_for_the_releases_that_the_extra_does(root: Path) -> None:
    package = root / "packages" / "hamvae-model"
    project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    (needed,) = project["optional-dependencies"]["video"]
    assert f"pip install '{needed}'" == INSTALL
    assert f'pip install "{needed}"' in (package / "README.md").read_text("utf-8")
