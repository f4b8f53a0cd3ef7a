"""Render the committed results into the READMEs, between their markers.

    python docs/tables.py

Reads benchmarks/results/*.json; no figure in a README is typed by hand.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
ROWS = {  # key of the result: what the reader sees, and how
    "reconstruction_psnr": ("clips through the model, PSNR", "{:.1f} dB"),
    "one_frame_psnr": ("16 frames from the first frame alone, PSNR", "{:.1f} dB"),
    "one_frame_ssim": ("the same, SSIM", "{:.3f}"),
    "one_frame_mse": ("the same, MSE", "{:.1e}"),
    "static_psnr": ("floor: the first frame standing still, PSNR", "{:.1f} dB"),
    "swap_psnr": ("motion swap against the exact render, PSNR", "{:.1f} dB"),
    "swap_class_accuracy": ("swaps whose nearest render is the right motion", "{:.1%}"),
    "roll_mse_ratio": ("error of frames 193–200 over that of frames 1–8", "{:.2f}"),
}
SETS = {
    "demo": "built-in, `demo`",
    "demo-elliptic": "built-in, `demo`, elliptic",
    "sprites-small": "Sprites, `sprites-small`",
}


def main() -> None:
    results = {name: json.loads((RESULTS / f"{name}.json").read_text("utf-8")) for name in SETS}
    render(ROOT / "README.md", "results", table(results))
    speed, memory = (json.loads((RESULTS / f"expm-{name}.json").read_text("utf-8")) for name in ("speed", "memory"))
    ours = ROOT / "packages" / "symplectic-ops" / "README.md"
    render(ours, "speed", speed_table(speed, "ours") + "\n" + source_of(speed))
    render(ours, "plain speed", speed_table(speed, "plain"))
    render(ours, "rivals", rivals_table(speed))
    render(ours, "memory", memory_table(memory) + "\n" + source_of(memory))


def render(document: Path, name: str, content: str) -> None:
    document.write_text(replaced(document.read_text("utf-8"), name, content, document.name), "utf-8")


Cell = tuple[str, str, float]  # what is computed, dtype, norm
WORDS = {"forward": "value", "forward and backward": "value and gradient"}


def by_size(speed: dict) -> dict[tuple[int, int], dict[Cell, dict[str, dict[str, float]]]]:
    """What was measured of each contender, by size and case."""
    found: dict = {}
    for row in speed["rows"]:
        found.setdefault((row["K"], row["n"]), {})[row["what"], row["dtype"], row["norm"]] = row["contenders"]
    return found


def speed_table(speed: dict, contender: str) -> str:
    """torch's time over the contender's, at both norms."""
    columns = [(what, dtype) for dtype in ("float32", "float64") for what in WORDS]
    norms = sorted({row["norm"] for row in speed["rows"]})
    lines = ["| K matrices n × n | " + " | ".join(f"{WORDS[what]}, {dtype}" for what, dtype in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for (K, n), cases in by_size(speed).items():
        cells = [
            " / ".join(figure(cases[what, dtype, norm][contender]["torch_over_it"]) for norm in norms)
            for what, dtype in columns
        ]
        lines.append(f"| {K}, {n} × {n} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def rivals_table(speed: dict) -> str:
    """The times of scipy and jax over ours: the range over dtypes and norms."""
    names = [name for name in ("scipy", "jax") if any(name in row["contenders"] for row in speed["rows"])]
    columns = [(name, what) for name in names for what in WORDS if (name, what) != ("scipy", "forward and backward")]
    lines = ["| K matrices n × n | " + " | ".join(f"{name}, {WORDS[what]}" for name, what in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for (K, n), cases in by_size(speed).items():
        cells = []
        for name, what in columns:
            ratios = [c[name]["us"] / c["ours"]["us"] for (did, *_), c in cases.items() if did == what]
            cells.append(f"{figure(min(ratios))}–{figure(max(ratios))}")
        lines.append(f"| {K}, {n} × {n} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def memory_table(memory: dict) -> str:
    names = {"torch": "torch", "ours": "ours", "plain": "ours, plain", "plain, recompute": "ours, plain, `recompute`"}
    lines = ["| peak, in sizes of A | " + " | ".join(names.values()) + " |", "|---" * (len(names) + 1) + "|"]
    for row in memory["rows"]:
        cells = [f"{row['times_the_size_of_A'][name]:.1f}" for name in names]
        lines.append(f"| {row['dtype']}, norm {row['norm']:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def figure(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def source_of(result: dict) -> str:
    """Where the figures come from."""
    machine, versions = result["measured_on"], result.get("versions", {})
    others = "".join(f", {name} {version}" for name, version in versions.items() if version and name != "torch")
    return (
        f"`{result['command']}`: {machine['processor']}, one thread, torch {machine['torch']}{others}, commit "
        f"{machine['commit'][:10]}, {machine['date']}.\n"
    )


def table(results: dict[str, dict[str, object]]) -> str:
    """The figures of each run in a column, and what they were measured on below."""
    lines = ["| on held-out characters | " + " | ".join(SETS.values()) + " |", "|---" * (len(SETS) + 1) + "|"]
    for key, (words, form) in ROWS.items():
        cells = [form.format(results[name]["figures"][key]) for name in SETS]
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    minutes = [f"{results[name]['training_minutes']:.0f} min" for name in SETS]
    lines += ["| training time | " + " | ".join(minutes) + " |", ""]
    for name in SETS:
        result, machine = results[name], results[name]["scored_on"]
        lines.append(
            f"`{result['command']}`: {result['characters']} characters in every motion, operator {result['operator']}, "
            f"seed {result['seed']}; {machine['processor']}, {machine['threads']} threads, torch {machine['torch']}, "
            f"scored at commit {machine['commit'][:10]}, {machine['date']}.\n"
        )
    return "\n".join(lines)


def replaced(text: str, name: str, content: str, document: str) -> str:
    """`text` with `content` between the markers called `name`."""
    pattern = rf"(<!-- {name}:[^>]*-->\n).*?(<!-- end {name} -->)"
    new, count = re.subn(pattern, lambda found: found[1] + content + found[2], text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{document} must hold the markers of '{name}' exactly once; found {count}.")
    return new


if __name__ == "__main__":
    main()
