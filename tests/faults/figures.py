"""Where the long counts leave their figures: benchmarks/results/faults-NAME.json, rendered in the documents."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def record(name: str, figures: dict[str, object]) -> None:
    """Write the figures of one fault with the machine, versions, commit and date they were measured at.

    Args:
        name: of the fault; the file is benchmarks/results/faults-`name`.json.
        figures: for a row of the table in docs/runs.md, `tried` (what, in words), `times` (how often) and `lost` (how
            many of them lost anything); beside these, whatever else was measured.
    """
    provenance = [sys.executable, str(ROOT / "benchmarks" / "machine.py")]
    answer = subprocess.run(provenance, capture_output=True, text=True, check=True, timeout=600)
    result = {"command": "make test-long", **figures, "measured_on": json.loads(answer.stdout)}
    path = ROOT / "benchmarks" / "results" / f"faults-{name}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
