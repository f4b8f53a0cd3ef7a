"""A process to take lives from, and runs that nothing happened to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .lives import SAVE_EVERY, End, Fault, Lives, lives

STEPS = 2 * SAVE_EVERY


@pytest.fixture(scope="session")
def nursery() -> Iterator[Lives]:
    with lives() as made:
        yield made


@pytest.fixture(scope="session")
def undisturbed(nursery: Lives, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, End]:
    """A finished run that nothing happened to, and what its life had to tell."""
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    end = nursery.live(run, STEPS)
    assert end.said == "finished"
    return run, end


@pytest.fixture(scope="session")
def half_done(nursery: Lives, undisturbed: tuple[Path, End], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed after its first save, to be copied."""
    run = tmp_path_factory.mktemp("half") / "run"
    nursery.live(run, STEPS, Fault(kill_after_step=SAVE_EVERY))
    return run
