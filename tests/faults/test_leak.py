"""Training for long takes no more memory than training for a while."""

from pathlib import Path

import numpy as np
import pytest

from .figures import record
from .lives import Lives

EVERY = 10  # steps between two looks, as reports come
WITHIN = 0.02  # of the mean


def grown(memory: list[float] | tuple[float, ...]) -> tuple[float, float]:
    """What the line through all looks gains from the first to the last, and the largest over the smallest, less one."""
    slope, _ = np.polyfit(np.arange(len(memory)), memory, 1)
    return float(slope * (len(memory) - 1) / np.mean(memory)), max(memory) / min(memory) - 1


def test_memory_stays_flat_over_a_hundred_steps(nursery: Lives, tmp_path: Path) -> None:
    memory = nursery.live(tmp_path / "run", 150, save_every=25).memory
    assert len(memory) >= 150 / EVERY and max(map(abs, grown(memory[5:]))) < WITHIN


def test_a_leak_would_be_seen() -> None:
    assert min(grown([100 + 0.2 * look for look in range(20)])) > WITHIN


@pytest.mark.long
def test_memory_stays_flat_over_two_thousand_steps(nursery: Lives, tmp_path: Path) -> None:
    end = nursery.live(tmp_path / "run", 2000, save_every=50)
    assert end.said == "finished"
    memory = end.memory[200 // EVERY :]
    slope, spread = grown(memory)
    record(
        "leak",
        {
            "tried": "2000 steps with a save every 50; resident memory from step 200 on, flat within 2 %",
            "times": 1,
            "lost": int(max(abs(slope), spread) >= WITHIN),
            "looks": len(memory),
            "mib": {"first": round(memory[0], 1), "last": round(memory[-1], 1), "largest": round(max(memory), 1)},
            "growth_of_the_line": float(f"{slope:.1e}"),
            "largest_over_smallest_less_one": float(f"{spread:.1e}"),
        },
    )
    assert max(abs(slope), spread) < WITHIN
