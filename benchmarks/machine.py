"""Where and from what a figure was measured; stored beside it. Run by itself, it prints that as JSON."""

import json
from datetime import UTC, datetime

from hamvae_model import runs


def provenance() -> dict[str, object]:
    """Machine, versions, commit and date. A working tree with uncommitted changes to the sources says so."""
    facts = runs.provenance()
    versions = facts["versions"]
    assert isinstance(versions, dict)
    return {
        "processor": facts["processor"],
        "cores": facts["cpus"],
        "threads": facts["threads"],
        "accelerator": facts["accelerator"],
        "python": versions["python"],
        "torch": versions["torch"],
        "commit": facts["commit"],
        "date": datetime.now(UTC).date().isoformat(),
    }


if __name__ == "__main__":
    print(json.dumps(provenance()))
