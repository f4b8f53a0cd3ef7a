"""What training tells after some steps."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Report:
    """How far training is.

    Args:
        step, steps: done and to do.
        losses: each named term of the bound in nats per clip, and `loss`, the weighted bound per pixel value that
            is minimised; means over the steps since the last report.
        sequences_per_second: clips seen per second since training started or resumed.
        seconds: since training started or resumed.
        eta_seconds: time left at that pace.
        health: `clipped`, the share of the steps since the last report whose gradient was clipped; `learning_rate`,
            before the schedule; and `Network.health`, of `HamVAE` the `operator_norm` in radians per frame.
        psnr: of a fixed handful of clips generated from their first frame, in dB, when a sheet was made: validation
            clips, or training clips where none are held out.
        sample_sheet: the picture just written, if any.
        notice: what a user has to be told, once, about the run that was continued.
    """

    step: int
    steps: int
    losses: dict[str, float]
    sequences_per_second: float
    seconds: float
    eta_seconds: float
    health: dict[str, float] = field(default_factory=dict)
    psnr: float | None = None
    sample_sheet: Path | None = None
    notice: str | None = None

    def log_line(self) -> dict[str, float]:
        """What metrics.jsonl keeps of it."""
        line = {"step": self.step, "seconds": self.seconds, **self.losses, **self.health}
        return line if self.psnr is None else {**line, "psnr": self.psnr}
