"""Whatever a stranger made is refused with one sentence or accepted correctly: no traceback, no hang, no memory gone.

Every input is a function of its target's name and its number, so a failure names what makes it again. `make test` goes
through a slice of them, `make test-long` through the full count, of which it keeps the figures.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ..figures import record
from .campaign import MOST, PATIENCE, Tally, fuzz
from .mutations import altered, damaged, misspelt
from .targets import TARGETS

SLICE = 8  # inputs of each target in `make test`
FULL = 520  # in `make test-long`
WORKERS = 3  # processes that share the full count


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from .seeds import make_seeds

    folder = tmp_path_factory.mktemp("seeds")
    make_seeds(folder)
    return folder


def test_a_slice_of_damaged_inputs_is_refused_in_a_sentence_or_accepted_correctly(seeds: Path, tmp_path: Path) -> None:
    caught = [f"bad example {name}" for name in ("traceback", "escape", "execute", "babble")]
    plan = [(target, number) for target in TARGETS for number in range(SLICE)]
    tallies = fuzz([*((name, 0) for name in caught), *plan], seeds, tmp_path)
    assert all(tallies.pop(name).wrong for name in caught), "the watch sees what no input may do"
    assert not _wrong(tallies)
    assert sum(tally.inputs for tally in tallies.values()) == len(plan)
    assert sum(tally.refused for tally in tallies.values()) > len(plan) / 3
    assert sum(tally.accepted for tally in tallies.values()) > len(plan) / 10


@pytest.mark.long
def test_ten_thousand_damaged_inputs_are_refused_in_a_sentence_or_accepted_correctly(
    seeds: Path, tmp_path: Path
) -> None:
    plan = [(target, number) for target in TARGETS for number in range(FULL)]
    assert len(plan) >= 10_000

    def share(first: int) -> dict[str, Tally]:
        mine = set(list(TARGETS)[first::WORKERS])
        (tmp_path / str(first)).mkdir()
        return fuzz([one for one in plan if one[0] in mine], seeds, tmp_path / str(first))

    with ThreadPoolExecutor(WORKERS) as pool:
        tallies = {name: tally for tallies in pool.map(share, range(WORKERS)) for name, tally in tallies.items()}
    assert sum(tally.inputs for tally in tallies.values()) == len(plan)
    wrong = _wrong(tallies)
    targets = {
        name: {
            "inputs": tally.inputs,
            "refused": tally.refused,
            "accepted": tally.accepted,
            "slowest_seconds": round(tally.slowest, 2),
            "peak_mib": round(tally.peak),
        }
        for name, tally in tallies.items()
    }
    facts = {"limit_seconds": PATIENCE, "limit_mib": MOST, "targets": targets}
    record("fuzz", {"tried": "a damaged or hostile input", "times": len(plan), "lost": len(wrong), **facts})
    assert not wrong


def _wrong(tallies: dict[str, Tally]) -> list[str]:
    return [what for tally in tallies.values() for what in tally.wrong.values()]


def test_what_is_drawn_is_a_function_of_the_seed() -> None:
    from random import Random

    from . import words

    data = bytes(range(256)) * 4
    for make in (
        lambda chance: damaged(data, chance),
        lambda chance: misspelt("cell = [1, 2]\n" * 9, chance),
        lambda chance: repr(altered({"a": [1, {"b": 2.0}], "c": "d"}, chance)),
        lambda chance: words.one(words.COMMANDS, chance),
    ):
        made = [[make(Random(seed)) for seed in range(20)] for _ in range(2)]
        assert made[0] == made[1]
        assert len({repr(one) for one in made[0]}) > 10


@pytest.mark.long
@pytest.mark.parametrize("behaviour", ["hang", "grow", "crash"])
def test_the_watch_goes_on_after_an_input_that_ends_or_stops_the_process(
    behaviour: str, seeds: Path, tmp_path: Path
) -> None:
    bad = f"bad example {behaviour}"
    tallies = fuzz([(bad, 0), ("references", 0)], seeds, tmp_path, patience=0.5)
    assert tallies[bad].wrong.keys() == {0}
    assert tallies["references"].inputs == 1


@pytest.mark.long
def test_the_watch_sees_what_takes_too_long_whether_it_works_or_waits(seeds: Path, tmp_path: Path) -> None:
    tallies = fuzz([("bad example wait", 0), ("bad example labour", 0)], seeds, tmp_path)
    assert "for something else than the processor" in tallies["bad example wait"].wrong[0]
    assert "it took 11" in tallies["bad example labour"].wrong[0]
