"""The checkout itself, and the wheels made from it, as the tests of this folder see them."""

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 900  # seconds that another program may take; the machine may be busy


def committable() -> list[Path]:
    """Every file that is or could be committed; in an archive without git, every file that is not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE)
        listed = outcome.stdout.split("\0")
        paths = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        ignored = [".git", *(line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line)]
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(fnmatch(part, name) for part in path.relative_to(ROOT).parts for name in ignored)
        ]
    return sorted(path for path in paths if path.is_file())


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[Path]:
    return committable()


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One wheel per distribution, each built from its own folder and nothing else."""
    built = {}
    for project in sorted((ROOT / "packages").iterdir()):
        out = tmp_path_factory.mktemp(project.name)
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(project)]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        (built[project.name],) = out.glob("*.whl")
    return built
