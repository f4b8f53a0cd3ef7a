"""Render the committed results into the README, between its markers.

    python docs/tables.py

Reads benchmarks/results/*.json; no figure in the README is typed by hand.
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
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    readme.write_text(replaced(text, "results", table(results)), "utf-8")


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


def replaced(text: str, name: str, content: str) -> str:
    """`text` with `content` between the markers called `name`."""
    pattern = rf"(<!-- {name}:[^>]*-->\n).*?(<!-- end {name} -->)"
    new, count = re.subn(pattern, lambda found: found[1] + content + found[2], text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"README.md must hold the markers of '{name}' exactly once; found {count}.")
    return new


if __name__ == "__main__":
    main()
