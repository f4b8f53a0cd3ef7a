"""The examples in the docstrings do what they say."""

import doctest
import importlib
import pkgutil

import pytest
import torch

import symplectic_ops

MODULES = [module.name for module in pkgutil.walk_packages(symplectic_ops.__path__, "symplectic_ops.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name: str) -> None:
    torch.manual_seed(0)
    public = {key: value for key, value in vars(symplectic_ops).items() if not key.startswith("_")}
    outcome = doctest.testmod(importlib.import_module(name), extraglobs=public | {"torch": torch})
    assert outcome.failed == 0


@pytest.mark.parametrize("name", ["expm", "flow", "Flow", "form", "frequencies", "energy", "Hamiltonian"])
def test_what_people_meet_first_has_an_example(name: str) -> None:
    assert ">>> " in (getattr(symplectic_ops, name).__doc__ or "")
