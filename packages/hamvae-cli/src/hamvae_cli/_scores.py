"""The tables of an evaluated run as people read them: a row a protocol, published rows below, arrows to the better."""

from collections.abc import Mapping
from typing import Any

import click

from hamvae_model.evaluation import ALIKE, DRAWN, PROTOCOLS, Published, published
from hamvae_model.words import counted

from ._console import print_table

Column = tuple[str, str, str]  # of a figure: its name, what is read above it, its format

PICTURES: tuple[Column, ...] = (
    ("ssim", "SSIM ↑", ".4f"),
    ("psnr", "PSNR ↑, dB", ".2f"),
    ("mse", "MSE ↓", ".1e"),
)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "generation": (*PICTURES, ("psnr_of_mse", "PSNR of mean MSE ↑", ".2f")),
    "disentanglement": (
        ("accuracy", "accuracy ↑", ".4f"),
        ("entropy_given_x", "H(y|x) ↓", ".4f"),
        ("entropy", "H(y) ↑", ".4f"),
        ("inception_score", "exp(H(y) − H(y|x)) ↑", ".3f"),
        ("nearest_frame_mse", "MSE to nearest frame ↓", ".1e"),
    ),
    "swap": (
        *PICTURES,
        ("reconstruction_psnr", "reconstruction, dB", ".2f"),
        ("leakage_db", "leak ↓, dB", ".2f"),
        ("leakage_mse", "leak ↓, MSE", ".1e"),
        ("right_motion", "right motion ↑", ".4f"),
    ),
    "roll": (
        ("mse_1_to_8", "frames 1–8 ↓", ".1e"),
        ("mse_193_to_200", "193–200 ↓", ".1e"),
        ("ratio", "ratio ↓", ".2f"),
        ("mse_1000", "1000 ↓", ".1e"),
        ("norm_drift", "drift of ‖s‖ ↓", ".1e"),
        ("energy_drift", "of energy ↓", ".1e"),
    ),
}
ROWS = {
    "reconstruction": "reconstruction",
    "first_frame": "from the first frame alone",
    "content_from_all": "content from all frames",
    "static": "floor: first frame standing still",
    "copy": "floor: nearest training clip",
    "motion_from_fitted_prior": "motion from fitted prior",
    "motion_from_standard_prior": "motion from N(0, I)",
    "content_from_prior": "content from N(0, I)",
    "swap": "motion of another clip",
    "roll": "from the first frame alone",
}
FLOORS = ("static", "copy")
LABELLED = "†"
SAME = "‡"
NOTHING = "–"


def print_scores(found: Mapping[str, Any]) -> None:
    """Args: found: what `evaluate` returns, and `run`."""
    seen = found["identities"]
    who = counted(seen, "character") if found["characters"] else f"{seen} {'identity' if seen == 1 else 'identities'}"
    click.echo(
        f"{found['run']}: {found['source']} ({found['labels']}), preset {found['preset']}, {found['operator']} "
        f"operators, decoder {found['decoder']}; {who}, {counted(found['clips'], found['split'] + ' clip')}"
    )
    compared = False
    for table, rows in found["tables"].items():
        others = published(found["source"], table)
        columns = COLUMNS.get(table) or tuple((name, f"{name} ↑", ".4f") for name in next(iter(rows.values())))
        click.echo(f"\n{PROTOCOLS[table].title}")
        alike = {row for row in rows if others and (table, row) in ALIKE}
        compared = compared or bool(alike)
        lines = [
            (_name(row) + (f" {SAME}" if row in alike else ""), *(_figure(figures, column) for column in columns))
            for row, figures in rows.items()
        ]
        lines += [(_place(other), *(_published(other, column) for column in columns)) for other in others]
        print_table(("", *(title for _, title, _ in columns)), lines)
    for why in found["left_out"].values():
        click.echo(f"\nLeft out: {why}")
    legend = [f"{LABELLED} is told the action of a clip."]
    if compared:
        legend.append(f"{SAME} is the row of this run that is measured as the published ones are.")
    if found["seeds"] > 1 and set(DRAWN) & found["tables"].keys():
        legend.append(f"± of this run is over {found['seeds']} seeds of what is drawn at random.")
    if compared:
        legend.append("± of others is as they printed it.")
    click.echo(f"\n{' '.join(legend)}")


def _name(row: str) -> str:
    words = ROWS.get(row, row.replace("_", " "))  # of a protocol that was added elsewhere
    return words if row in FLOORS else f"{words} {LABELLED}"


def _place(other: Published) -> str:
    return f"{other.system}{f' {LABELLED}' if other.sees_labels else ''}, {other.source}"


def _figure(figures: Mapping[str, Mapping[str, float | None]], column: Column) -> str:
    name, _, form = column
    if name not in figures:
        return NOTHING
    mean, spread = figures[name]["mean"], figures[name]["std"]
    if mean is None:
        return "beyond numbers"
    return f"{mean:{form}} ± {spread:{_short(form)}}" if spread else f"{mean:{form}}"


def _published(other: Published, column: Column) -> str:
    name, _, form = column
    if name not in other.figures:
        return NOTHING
    spread = other.deviations.get(name)
    value = f"{other.figures[name]:{'.1e' if form == '.1e' else '.4g'}}"
    return f"{value} ± {spread:{'.0e' if form == '.1e' else '.4g'}}" if spread else value


def _short(form: str) -> str:
    return ".0e" if form == ".1e" else form
