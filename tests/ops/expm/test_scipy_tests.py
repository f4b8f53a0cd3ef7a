"""scipy's own tests of `expm` and `expm_frechet`, run against ours.

They are collected from scipy as installed. Its module is imported while `scipy.linalg` holds our functions, so that
what it imports and parametrises is ours; where it says `scipy.linalg.expm` it means, and gets, scipy's as reference.
"""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import pytest
import scipy.linalg
import torch
from numpy.typing import ArrayLike, NDArray

import symplectic_ops

pytestmark = pytest.mark.usefixtures("either_way")

Array = NDArray[Any]


def expm(A: ArrayLike) -> Array:
    """Ours as scipy calls it: whole numbers become float64, and a number is a 1 × 1 matrix."""
    A = np.atleast_2d(A)
    return symplectic_ops.expm(as_tensor(A if np.issubdtype(A.dtype, np.inexact) else A.astype(float))).numpy()


def expm_frechet(A: ArrayLike, E: ArrayLike, method: str | None = None) -> tuple[Array, Array]:
    """Ours as scipy calls it: both the value and the derivative, whichever of scipy's methods is asked for."""
    return expm(A), symplectic_ops.expm_frechet(as_tensor(np.asarray(A)), as_tensor(np.asarray(E))).numpy()


def as_tensor(A: Array) -> torch.Tensor:
    """A copy: torch warns about arrays that must not be written to, though ours never writes."""
    return torch.from_numpy(A.copy())


with mock.patch.multiple(scipy.linalg, expm=expm, expm_frechet=expm_frechet):
    from scipy.linalg.tests import test_matfuncs as theirs


@pytest.fixture(autouse=True)
def _ours_is_what_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`cosm`, `sinm` and the like, tested beside `expm`, call it too; no test here may pass without ours."""
    monkeypatch.setattr("scipy.linalg._matfuncs.expm", expm)
    with mock.patch.object(symplectic_ops, "expm", side_effect=symplectic_ops.expm) as ours:
        yield
    assert ours.called


class TestExpM(theirs.TestExpM):
    pass


class TestExpmFrechet(theirs.TestExpmFrechet):
    # Skipped by scipy as slow (n = 1000), and about the agreement of its two methods.
    test_medium_matrix = None
