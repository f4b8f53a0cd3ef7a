"""Render the committed results into the READMEs, between their markers.

    python docs/tables.py

Reads benchmarks/results/*.json; no figure in a README is typed by hand.
"""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from hamvae_model.config import settings
from hamvae_model.evaluation import ALIKE, published
from hamvae_model.words import counted

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
FUSED = "0009-fused-on-the-gpu.md"
ABLATION = "0008-what-the-preset-is-made-of.md"
ROWS = {  # where the result has it: what the reader sees, and how
    "generation.first_frame.ssim": ("16 frames from the first frame alone: SSIM", "{:.4f}"),
    "generation.first_frame.psnr": ("16 frames from the first frame alone: PSNR, dB", "{:.2f}"),
    "generation.first_frame.mse": ("16 frames from the first frame alone: MSE", "{:.1e}"),
    "generation.content_from_all.psnr": ("the same with content from all frames: PSNR, dB", "{:.2f}"),
    "generation.static.psnr": ("floor, the first frame standing still: PSNR, dB", "{:.2f}"),
    "generation.copy.psnr": ("floor, the training clip that begins most alike: PSNR, dB", "{:.2f}"),
    "disentanglement.motion_from_fitted_prior.accuracy": ("motion from the fitted prior: accuracy", "{:.4f}"),
    "disentanglement.motion_from_fitted_prior.entropy_given_x": ("H(y\\|x)", "{:.4f}"),
    "disentanglement.motion_from_fitted_prior.entropy": ("H(y), at most 2.1972", "{:.4f}"),
    "disentanglement.motion_from_fitted_prior.nearest_frame_mse": ("MSE to the nearest true frame", "{:.1e}"),
    "disentanglement.motion_from_standard_prior.accuracy": ("motion from N(0, I): accuracy", "{:.4f}"),
    "disentanglement.motion_from_standard_prior.entropy_given_x": ("H(y\\|x)", "{:.4f}"),
    "disentanglement.motion_from_standard_prior.entropy": ("H(y)", "{:.4f}"),
    "disentanglement.motion_from_standard_prior.nearest_frame_mse": ("MSE to the nearest true frame", "{:.1e}"),
    "disentanglement.content_from_prior.accuracy": ("content from N(0, I), motion of real clips: accuracy", "{:.4f}"),
    "identity.swap.body": ("attributes kept when the motion is swapped: skin", "{:.4f}"),
    "identity.swap.topwear": ("shirt", "{:.4f}"),
    "identity.swap.bottomwear": ("trousers", "{:.4f}"),
    "identity.swap.hair": ("hair", "{:.4f}"),
    "swap.swap.psnr": ("motion swap against the exact render: PSNR, dB", "{:.2f}"),
    "swap.swap.reconstruction_psnr": ("the same clips through the model: PSNR, dB", "{:.2f}"),
    "swap.swap.right_motion": ("swaps nearest to the right render", "{:.4f}"),
    "roll.roll.ratio": ("error of frames 193–200 over that of frames 1–8", "{:.2f}"),
    "roll.roll.mse_1000": ("MSE of frame 1000", "{:.1e}"),
}
SHORT = {
    place: ROWS[place]
    for place in (
        "generation.first_frame.psnr",
        "generation.static.psnr",
        "generation.copy.psnr",
        "disentanglement.motion_from_standard_prior.accuracy",
        "swap.swap.psnr",
        "roll.roll.ratio",
    )
}
SETS = {
    "sprites-small": "Sprites, `sprites-small`, CPU",
    "sprites": "Sprites, `sprites`, one GPU",
    "demo": "built-in, `demo`, CPU",
}
OPERATORS = {
    **{name: f"`{name}`" for name in ("skew-symmetric", "elliptic", "hamiltonian", "unconstrained")},
    "no-action-in-decoder": "`skew-symmetric`, decoder φ(z, q)",
}
ALIASES = {"topwear": "shirt", "bottomwear": "trousers"}  # what the built-in characters call them
COMPARED = {  # the same for the studies, a column each
    "generation.first_frame.ssim": ("SSIM", "{:.3f}"),
    "generation.first_frame.psnr": ("PSNR", "{:.2f}"),
    "generation.first_frame.mse": ("MSE", "{:.1e}"),
    "swap.swap.psnr": ("swap PSNR", "{:.2f}"),
    "swap.swap.leakage_db": ("leak, dB", "{:.2f}"),
    "disentanglement.motion_from_fitted_prior.accuracy": ("accuracy, fitted prior", "{:.3f}"),
    "disentanglement.motion_from_fitted_prior.nearest_frame_mse": ("nearest frame MSE", "{:.1e}"),
    "disentanglement.motion_from_standard_prior.accuracy": ("accuracy, N(0, I)", "{:.3f}"),
    "disentanglement.motion_from_standard_prior.nearest_frame_mse": ("nearest frame MSE", "{:.1e}"),
    "roll.roll.ratio": ("193–200 / 1–8", "{:.2f}"),
    "roll.roll.norm_drift": ("drift of the norm", "{:.1e}"),
    "roll.roll.energy_drift": ("drift of the energy", "{:.1e}"),
}


def main() -> None:
    render(ROOT / "README.md", "short-results", quality_table(SHORT))
    render(ROOT / "docs" / "results.md", "results", quality_table(ROWS))
    (ROOT / "docs" / "configuration.md").write_text(configuration_page(), "utf-8")
    render(ROOT / "docs" / "results.md", "operators", study_table(OPERATORS))
    render(ROOT / "docs" / "notes" / ABLATION, "ablation", study_table(ablated()))
    speed, memory = (json.loads((RESULTS / f"expm-{name}.json").read_text("utf-8")) for name in ("speed", "memory"))
    ours = ROOT / "packages" / "symplectic-ops" / "README.md"
    render(ours, "speed", speed_table(speed, "ours") + "\n" + source_of(speed))
    render(ours, "plain speed", speed_table(speed, "plain"))
    render(ours, "rivals", rivals_table(speed))
    for name, result, made in (
        ("flow", "flow-speed", flow_table),
        ("drift", "flow-drift", drift_table),
        ("skew", "expm-skew", lambda found: speed_table(found, "ours")),
    ):
        measured = known(result)
        render(ours, name, made(measured) + "\n" + source_of(measured) if measured else "Not measured yet.\n")
    render(ours, "memory", memory_table(memory) + "\n" + source_of(memory))
    kernels = known("gpu-kernels")
    assert kernels is not None
    render(ROOT / "docs" / "notes" / FUSED, "kernels", kernels_table(kernels))
    render(ROOT / "docs" / "runs.md", "faults", faults_table())
    scaling = known("scaling")
    for name, made in (("scaling", scaling_table), ("options", options_table)):
        content = made(scaling) + "\n" + source_of(scaling) if scaling else "Not measured yet.\n"
        render(ROOT / "docs" / "scale.md", name, content)


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


def flow_table(speed: dict) -> str:
    """The loop's and torch's time over that of `flow`, value, and value and gradient."""
    ratios = {
        (row["n"], row["b"], row["T"], row["what"], rival): row["contenders"]["ours"].get(f"{rival}_over_it")
        for row in speed["rows"]
        for rival in ("loop", "torch", "each")
    }
    columns = {
        "over a loop": ("forward", "loop"),
        "over torch, all times at once": ("forward", "torch"),
        "over torch, a time at a time": ("forward", "each"),
        "with the gradient, all at once": ("forward and backward", "torch"),
        "with the gradient, a time at a time": ("forward and backward", "each"),
    }
    lines = ["| n | b | T | " + " | ".join(columns) + " |", "|---" * (len(columns) + 3) + "|"]
    for n, b, T in dict.fromkeys(key[:3] for key in ratios):
        found = [ratios.get((n, b, T, *column)) for column in columns.values()]
        cells = ["–" if ratio is None else figure(ratio) for ratio in found]
        lines.append(f"| {n} | {b} | {T} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def drift_table(drift: dict) -> str:
    columns = {"energy, relatively": "energy_at_most", "symplectic residual": "symplectic_residual_at_most"}
    lines = ["| class | | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
    for row in drift["rows"]:
        cells = [f"{row[key]:.1e}" for key in columns.values()]
        lines.append(f"| {row['class']} | {row['way']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def memory_table(memory: dict) -> str:
    names = {"torch": "torch", "ours": "ours", "plain": "ours, plain", "plain, recompute": "ours, plain, `recompute`"}
    lines = ["| peak, in sizes of A | " + " | ".join(names.values()) + " |", "|---" * (len(names) + 1) + "|"]
    for row in memory["rows"]:
        cells = [f"{row['times_the_size_of_A'][name]:.1f}" for name in names]
        lines.append(f"| {row['dtype']}, norm {row['norm']:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def kernels_table(kernels: dict) -> str:
    lines = ["| | n | matrices, warps of a program | registers | spilled, bytes | shared, bytes | multiplications |"]
    lines.append("|-" * 7 + "|")
    for row in kernels["rows"]:
        what = {"exponentials": "value", "derivatives": "gradient"}.get(row["kernel"])
        what = what or ("flow, adjoint" if row["added"] else "flow, states")
        of_program = "16 states" if "flow" in what else str(row["pack"])
        done = sum(row.get(name, 0) for name in ("FFMA", "DFMA", "DMMA"))
        place = (f"{what}, {row['dtype']}", row["n"], f"{of_program}, {row['warps']}")
        asked = (row["registers"], row["spilled_bytes"], row["shared_bytes"], f"{done} of {row['instructions']}")
        lines.append("| " + " | ".join(map(str, place + asked)) + " |")
    return "\n".join(lines) + "\n"


def faults_table() -> str:
    """A row for each fault that the long tests counted: what was tried, how often, how many lost anything."""
    results = [json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("faults-*.json"))]
    rows = [result for result in results if "tried" in result]
    if not rows:
        return "Not counted yet.\n"
    lines = ["| tried | times | lost anything | commit, date |", "|---|---|---|---|"]
    for row in rows:
        machine = row["measured_on"]
        when = f"{machine['commit'][:10]}, {machine['date']}"
        lines.append(f"| {row['tried']} | {row['times']} | {row['lost']} | {when} |")
    return "\n".join(lines) + "\n"


def scaling_table(scaling: dict) -> str:
    """What the cost model adds up, what it predicts and what was measured."""
    batch, count = scaling["batch"], scaling["processes"]
    rows = {
        f"one process, batch {batch}": "whole_batch_in_one_ms",
        f"t_compute: batch {batch // count} in each of {count} at once": "half_a_batch_in_each_ms",
        "t_exchange": "exchange_ms",
        "predicted: the sum of both": "predicted_ms",
        f"measured: {count} processes, batch {batch}": "shared_batch_ms",
    }
    lines = ["| a step of | ms |", "|---|---|", *(f"| {words} | {scaling[key]:.1f} |" for words, key in rows.items())]
    pace = {key: 1e3 * batch / scaling[key] for key in rows.values()}
    megabytes, ratio = scaling["bytes_sent_by_each"] / 1e6, scaling["throughput_ratio"]
    lines += [
        "",
        f"{scaling['parameters']} parameters: each process sends {megabytes:.1f} MB a step. Sequences a second: "
        f"{pace['whole_batch_in_one_ms']:.0f} in one process, {pace['shared_batch_ms']:.0f} in {count}, {ratio:.2f} "
        f"times as many (predicted {scaling['predicted_throughput_ratio']:.2f}), an efficiency of "
        f"{ratio / count:.0%}. The measured time is {scaling['measured_over_predicted']:.2f} of the predicted.",
    ]
    return "\n".join(lines) + "\n"


def options_table(scaling: dict) -> str:
    lines = ["| | a step over a plain one | first step, s |", "|---|---|---|"]
    for name, row in scaling["options"].items():
        lines.append(f"| {name} | {row['over_plain']:.2f} | {row['first_step_seconds']:.1f} |")
    return "\n".join(lines) + "\n"


def figure(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def source_of(result: dict) -> str:
    """Where the figures come from."""
    machine, versions = result["measured_on"], result.get("versions", {})
    others = "".join(f", {name} {version}" for name, version in versions.items() if version and name != "torch")
    return (
        f"`{todays(result)}`: {machine['processor']}, one thread, torch {machine['torch']}{others}, commit "
        f"{machine['commit'][:10]}, {machine['date']}.\n"
    )


def known(name: str) -> dict | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def found_at(tables: dict, place: str) -> tuple[float, float] | None:
    """Mean and deviation at a place like ``swap.swap.psnr``; None where nothing is there, or not a number."""
    here: Any = tables
    for name in place.split("."):
        here = here.get(name, here.get(ALIASES.get(name, ""))) if here else None
    return (here["mean"], here["std"]) if here and here["mean"] is not None else None


def cell(tables: dict, place: str, form: str) -> str:
    found = found_at(tables, place)
    if found is None:
        return "–"
    mean, deviation = (form.format(value) for value in found)
    return f"{mean} ± {deviation}" if found[1] else mean


def quality_table(rows: dict[str, tuple[str, str]]) -> str:
    """The figures of each run in a column beside the paper's, and what they were measured on below."""
    results = {name: known(name) for name in SETS}
    lines = ["| on held-out characters | " + " | ".join(SETS.values()) + " | the paper's H |", "|---" * 5 + "|"]
    for place, (words, form) in rows.items():
        cells = [cell(result["tables"], place, form) if result else "" for result in results.values()]
        lines.append(f"| {words} | " + " | ".join([*cells, of_the_paper(place, form)]) + " |")
    minutes = [f"{result['training_minutes']:.0f} min" if result else "" for result in results.values()]
    lines += ["| training time | " + " | ".join(minutes) + " | |", ""]
    return "\n".join(lines + [line for result in results.values() if result for line in origin(result)])


def of_the_paper(place: str, form: str) -> str:
    """What Khan & Storkey print for H on Sprites, where they define the figure alike."""
    table, row, name = place.split(".")
    figures = published("sprites", table)[0].figures if (table, row) in ALIKE else {}
    return form.format(figures[name]) if name in figures else ""


def study_table(variants: dict[str, str]) -> str:
    """A row for each variant: mean and deviation over the seeds of training."""
    results = {words: known(f"sprites-{name}") for name, words in variants.items()}
    lines = ["| | " + " | ".join(words for words, _ in COMPARED.values()) + " |", "|---" * (len(COMPARED) + 1) + "|"]
    for words, result in results.items():
        if result:
            cells = [cell(result["tables"], place, form) for place, (_, form) in COMPARED.items()]
            lines.append(f"| {words} | " + " | ".join(cells) + " |")
    commands = {origin(result)[0]: None for result in results.values() if result}
    return "\n".join([*lines, "", *commands])


def ablated() -> dict[str, str]:
    """The preset and the variants of the ablation, and what each changes.

    All rows are of one split: of validation once as many were measured there, before that of test.
    """
    results = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("sprites-*.json"))}
    ablations = {  # the others change the operator
        name.removeprefix("sprites-"): one
        for name, one in results.items()
        if "changes" in one and "operator" not in one["changes"]["model"]
    }
    splits = [one.get("split", "test") for one in ablations.values()]
    split = "validation" if splits.count("validation") >= splits.count("test") else "test"
    found = {"skew-symmetric-validation" if split == "validation" else "skew-symmetric": "the preset"}
    for name, one in ablations.items():
        if one.get("split", "test") == split:
            changes = {key: value for part in one["changes"].values() for key, value in part.items()}
            found[name] = ", ".join(f"`{key}` {value}" for key, value in changes.items())
    return found


def configuration_page() -> str:
    """docs/configuration.md: every setting, its default and the comment beside it in the source."""
    lines = [
        "# Settings",
        "",
        "`hamvae train --set KEY=VALUE` sets one of these instead of the preset's, as does",
        '`hv.build(preset, source=source, set={"KEY": value})` from Python. Several numbers have commas between them:',
        "`model.encoder_widths=32,64,128`. Presets set some of them: the defaults below are those of the fields.",
        "",
        "| key | default | meaning |",
        "|---|---|---|",
    ]
    comments = field_comments()
    for key, (_, default) in settings().items():
        shown = "given by the preset" if default is dataclasses.MISSING else _shown(default)
        lines.append(f"| `{key}` | {shown} | {comments.get(key, '')} |")
    return "\n".join(lines) + "\n"


def field_comments() -> dict[str, str]:
    """What stands beside the fields of the configuration in its source, by key."""
    text = (ROOT / "packages/hamvae-model/src/hamvae_model/config/run.py").read_text("utf-8")
    sections = {
        "FramingConfig": "data.framing",
        "DataConfig": "data",
        "ModelConfig": "model",
        "ObjectiveConfig": "objective",
        "TrainingConfig": "training",
    }
    found, section = {}, ""
    for line in text.splitlines():
        if begun := re.match(r"class (\w+)", line):
            section = sections.get(begun[1], "")
        elif section and (field := re.match(r"    (\w+): [^#]*?  # (.*)", line)):
            found[f"{section}.{field[1]}"] = field[2].replace("|", "\\|")
    return found


def _shown(default: object) -> str:
    value = ",".join(map(str, default)) if isinstance(default, tuple) else str(default).lower()
    return f"`{value}`"


MOVED = {  # scripts that a result was recorded with, and where they stand today
    "expm_": "expm/",
    "flow_": "flow/",
    "gpu_": "gpu/",
    "quality": "quality/preset",
    "reproduce": "quality/reproduce",
    "scaling": "training/scaling",
}


def todays(result: dict) -> str:
    """The command that measures again what a result holds: its scripts may have moved, and test is asked for now."""
    command: str = result["command"]
    for before, now in MOVED.items():
        command = re.sub(rf"benchmarks/{before}(?=\w*\.py)", f"benchmarks/{now}", command)
    scores = re.search(r"benchmarks/quality/(preset|reproduce)\.py", command)
    tested = scores and result.get("split", "test") == "test" and "--final" not in command
    return f"{command} --final" if tested else command


def origin(result: dict) -> list[str]:
    """What was run, on what."""
    machine = result["scored_on"]
    split = result.get("split", "test")  # what was scored before results said it
    seeds = f"seed {result['seed']}" if "seed" in result else f"{counted(result['seeds'], 'seed')} of training"
    return [
        f"`{todays(result)}`: {result['characters']} {split} characters in every motion, {result['steps']} steps, "
        f"{seeds}; "
        f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}, scored at commit "
        f"{machine['commit'][:10]}, {machine['date']}.\n"
    ]


def replaced(text: str, name: str, content: str, document: str) -> str:
    """`text` with `content` between the markers called `name`."""
    pattern = rf"(<!-- {name}:[^>]*-->\n).*?(<!-- end {name} -->)"
    new, count = re.subn(pattern, lambda found: found[1] + content + found[2], text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{document} must hold the markers of '{name}' exactly once; found {count}.")
    return new


if __name__ == "__main__":
    main()
