"""The wheels work where no checkout is: their tests pass against the installed copy, from another folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from .conftest import PATIENCE

STOREYS = ["symplectic-ops", "hamvae-model", "hamvae-cli"]


class Place:
    """A folder with some of the wheels installed, and a copy of the tests, away from the checkout.

    The interpreter starts without its `site` module, so that the .pth files of the editable packages are not read:
    what it can import is the installed wheels, the libraries beside them and the standard library.
    """

    def __init__(self, folder: Path, root: Path, wheels: list[Path]) -> None:
        self.folder = folder
        self.installed = folder / "installed"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        subprocess.run([*pip, "--target", self.installed, *wheels], check=True, capture_output=True, timeout=PATIENCE)
        for name in ("pyproject.toml", "README.md"):  # the tests' settings, and the commands one of them runs
            shutil.copy(root / name, folder)
        shutil.copytree(root / "docs", folder / "docs")
        shutil.copytree(root / "tests", folder / "tests", ignore=shutil.ignore_patterns("repo", "__pycache__"))

    def python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        libraries = [str(self.installed), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        return subprocess.run(
            [sys.executable, "-S", "-P", *arguments],
            cwd=self.folder,
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(libraries)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, root: Path, wheels: dict[str, Path]) -> Place:
    """A place with the wheels of the storeys up to and with `request.param`."""
    storeys = STOREYS[: STOREYS.index(request.param) + 1]
    return Place(tmp_path, root, [wheels[name] for name in storeys])


@pytest.mark.parametrize("place", STOREYS, indirect=True)
def test_what_is_imported_is_the_installed_copy_and_nothing_above_it(
    place: Place, request: pytest.FixtureRequest
) -> None:
    here = STOREYS.index(request.node.callspec.params["place"])
    for number, name in enumerate(STOREYS):
        package = name.replace("-", "_")
        answer = place.python("-c", f"import {package}; print({package}.__file__)")
        if number <= here:
            assert Path(answer.stdout.strip()).is_relative_to(place.installed), answer.stderr
        else:
            assert f"No module named '{package}'" in answer.stderr


@pytest.mark.parametrize("place", ["symplectic-ops"], indirect=True)
def test_the_first_law_holds_in_the_installed_copy(place: Place) -> None:
    # What is compiled is kept with the copy, and the law does not need it.
    outcome = place.python("-m", "pytest", "-q", "tests/ops/test_form.py", NUMBA_DISABLE_JIT="1")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("place", "tests"),
    [("symplectic-ops", "ops"), ("hamvae-model", "model"), ("hamvae-cli", "cli")],
    indirect=["place"],
)
def test_the_tests_pass_against_the_installed_copy(place: Place, tests: str) -> None:
    outcome = place.python("-m", "pytest", "-q", "-m", "not long", f"tests/{tests}")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
