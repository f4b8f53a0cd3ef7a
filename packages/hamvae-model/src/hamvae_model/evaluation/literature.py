"""What others report, to stand beside our figures; a row names its source, and nothing is here that was not looked up.

All of it is from Khan & Storkey, "Hamiltonian prior to Disentangle Content and Motion in Image Sequences" (CtrlGen
workshop, NeurIPS 2021), who quote the other systems from Zhu et al., S3VAE (2020). ± is as printed there, where it is
not said of what.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PAPER = "Khan & Storkey 2021"

ALIKE = {("generation", "first_frame"), ("disentanglement", "motion_from_standard_prior"), ("identity", "swap")}
"""The rows, by table, that are measured as the published ones are."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A row of a published table.

    Args:
        system: as its authors call it.
        source: where it stands.
        sees_labels: whether it is told the action of a clip.
        figures: by the names that the protocols here use.
        deviations: of those that are printed with ±.
    """

    system: str
    source: str
    sees_labels: bool
    figures: Mapping[str, float]
    deviations: Mapping[str, float]


def _generation(system: str, ssim: float, psnr: float, mse: float, *deviations: float) -> Published:
    names = ("ssim", "psnr", "mse")
    return Published(
        system=system,
        source=PAPER,
        sees_labels=True,
        figures=dict(zip(names, (ssim, psnr, mse), strict=True)),
        deviations=dict(zip(names, deviations, strict=True)),
    )


def _disentanglement(system: str, *figures: float, sees_labels: bool = False) -> Published:
    return Published(
        system=system,
        source=PAPER,
        sees_labels=sees_labels,
        figures=dict(zip(("accuracy", "entropy_given_x", "entropy"), figures, strict=True)),
        deviations={},
    )


def _identity(**figures: float) -> Published:
    return Published(system="H", source=PAPER, sees_labels=True, figures=figures, deviations={})


PUBLISHED: dict[str, dict[str, tuple[Published, ...]]] = {
    "sprites": {
        "generation": (
            _generation("H", 0.982, 36.76, 0.0005, 0.005, 1.096, 0.0002),
            _generation("skew-H", 0.950, 33.88, 0.0026, 0.021, 2.03, 0.0012),
        ),
        "disentanglement": (
            _disentanglement("H", 0.994, 0.011, 2.009, sees_labels=True),
            _disentanglement("S3VAE", 0.994, 0.041, 2.197),
            _disentanglement("DSVAE", 0.907, 0.072, 2.192),
            _disentanglement("MoCoGAN", 0.928, 0.090, 2.192),
        ),
        "identity": (_identity(body=0.925, topwear=0.948, bottomwear=0.968, hair=0.992),),
    },
    "mug": {
        "generation": (
            _generation("H", 0.797, 24.49, 0.0040, 0.003, 0.099, 0.0001),
            _generation("skew-H", 0.791, 24.25, 0.0044, 0.003, 0.094, 0.0001),
        ),
        "disentanglement": (
            _disentanglement("H", 0.929, 0.108, 1.778, sees_labels=True),
            _disentanglement("S3VAE", 0.705, 0.135, 1.760),
            _disentanglement("DSVAE", 0.543, 0.374, 1.657),
            _disentanglement("MoCoGAN", 0.631, 0.183, 1.721),
        ),
    },
}
"""By source, then by table; a source or table that nobody reported on is absent."""


def published(source: str, table: str) -> tuple[Published, ...]:
    """The rows to stand beside a table of a source; none for clips that only their owner has."""
    return PUBLISHED.get(source, {}).get(table, ())
