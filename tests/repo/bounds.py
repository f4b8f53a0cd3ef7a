"""Both ends of the ranges of what the packages need, each in an environment of its own with the quick tests run there.

    python -m tests.repo.bounds [--environments DIR]

The oldest environment has every lower bound exactly, the newest what an index offers. The extra `gpu` is not asked for,
because every torch brings the Triton that it works with. Writes benchmarks/results/faults-bounds.json. Known weaknesses
of releases are not looked up: that takes a service of its own, such as pip-audit's.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..faults.figures import record

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {path.name: path for path in sorted((ROOT / "packages").iterdir())}
WANTED = ("symplectic-ops[cpu,plot,testing]", "hamvae-model[video]", "hamvae-cli")
OLDEST, NEWEST = "oldest", "newest"
LIST = "import importlib.metadata as m, json; print(json.dumps({d.name.lower(): d.version for d in m.distributions()}))"


def needs() -> Iterator[tuple[str, Requirement]]:
    """What each package's pyproject.toml asks for: (where it stands, the requirement), our own packages left out."""
    for name, folder in PACKAGES.items():
        settings = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
        project = settings["project"]
        places = {
            "build-system": settings["build-system"]["requires"],
            "dependencies": project["dependencies"],
            **project.get("optional-dependencies", {}),
        }
        for place, lines in places.items():
            for requirement in map(Requirement, lines):
                if requirement.name not in PACKAGES:
                    yield f"{name}, {place}", requirement


def lower_bound(requirement: Requirement) -> str | None:
    """The oldest release that is allowed."""
    found = [part.version for part in requirement.specifier if part.operator == ">="]
    return found[0] if len(found) == 1 else None


def upper_bound(requirement: Requirement) -> str | None:
    """The first release that is not allowed any more."""
    found = [part.version for part in requirement.specifier if part.operator == "<"]
    return found[0] if len(found) == 1 else None


def constraints() -> list[str]:
    """Every lower bound, for pip."""
    pinned = {
        need.name: lower_bound(need) for where, need in needs() if not where.endswith((", gpu", ", build-system"))
    }
    return [f"{name}=={version}" for name, version in pinned.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, help="keep them there, and use those that are there again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.environments or Path(temporary)
        ends = {end: outcome(environment(folder / end, end)) for end in (OLDEST, NEWEST)}
    broken = [end for end, found in ends.items() if found["failed"] or not found["passed"]]
    record(
        "bounds",
        {
            "command": "make test-bounds",
            "tried": "the quick tests with the oldest and with the newest releases that the packages allow",
            "times": len(ends),
            "lost": len(broken),
            "ends": ends,
        },
    )
    sys.exit(f"The tests fail with the {' and the '.join(broken)} releases." if broken else 0)


def environment(folder: Path, end: str) -> Path:
    """The interpreter of an environment at one end of the ranges."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pinned = folder / "constraints.txt"
    pinned.write_text("\n".join(constraints()) if end == OLDEST else "")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir", "--upgrade"]
    subprocess.run([*pip, "pip>=25.1"], check=True)
    wanted = [words for name in WANTED for words in ("--editable", f"./packages/{name}")]
    # What builds the packages comes first: they are built in this environment, not each in one of its own.
    subprocess.run([*pip, "--constraint", str(pinned), "--group", "dev"], cwd=ROOT, check=True)
    options = ["--constraint", str(pinned), "--no-build-isolation"]
    subprocess.run([*pip, *options, *wanted], cwd=ROOT, check=True)
    return python


def outcome(python: Path) -> dict[str, object]:
    """What the quick tests say in an environment, and the releases there of what the packages need."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            str(python),
            "-m",
            "pytest",
            "-q",
            "-m",
            "not long",
            "-p",
            "no:cacheprovider",
            f"--junitxml={report}",
        ]
        subprocess.run(command, cwd=ROOT, check=False)
        (suite,) = ElementTree.parse(report).getroot().iter("testsuite")
    counted = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    failed = counted["failures"] + counted["errors"]
    listed = subprocess.run([str(python), "-c", LIST], capture_output=True, text=True, check=True)
    there = {canonicalize_name(name): version for name, version in json.loads(listed.stdout).items()}
    names = sorted({canonicalize_name(need.name) for _, need in needs()})
    return {
        "passed": counted["tests"] - failed - counted["skipped"],
        "failed": failed,
        "skipped": counted["skipped"],
        "releases": {name: there[name] for name in names if name in there},
    }


if __name__ == "__main__":
    main()
