"""Whatever a package needs has a lower and an upper bound, and what is installed here lies between them."""

from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from .bounds import PACKAGES, constraints, lower_bound, needs, upper_bound

NEEDS = list(needs())
each_need = pytest.mark.parametrize(("where", "need"), NEEDS, ids=[f"{need.name} of {where}" for where, need in NEEDS])


@each_need
def test_a_need_has_a_lower_and_an_upper_bound(where: str, need: Requirement) -> None:
    lower, upper = lower_bound(need), upper_bound(need)
    assert lower and upper and Version(lower) < Version(upper)


@each_need
def test_the_installed_release_lies_within_the_bounds(where: str, need: Requirement) -> None:
    try:
        installed = version(need.name)
    except PackageNotFoundError:
        assert need.name == "av" or not where.endswith(("dependencies", "build-system"))
        return
    older = need.name == "triton" and Version(version("torch")) < Version("2.14")  # it brings its own, an older one
    assert installed in need.specifier or older


def test_one_release_is_the_oldest_of_each_need() -> None:
    names = [line.partition("==")[0] for line in constraints()]
    assert {"torch", "numpy", "click", "av", "numba", "hypothesis"} <= set(names)
    for name in names:
        assert len({lower_bound(need) for _, need in NEEDS if need.name == name}) == 1


def test_needs_of_every_package_are_read() -> None:
    assert {where.partition(",")[0] for where, _ in NEEDS} == set(PACKAGES)


@pytest.mark.parametrize("line", ["torch", "torch>=2", "torch<3", "torch==2.10"])
def test_a_need_without_both_bounds_would_be_seen(line: str) -> None:
    assert not (lower_bound(Requirement(line)) and upper_bound(Requirement(line)))
