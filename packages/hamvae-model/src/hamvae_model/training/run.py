"""An open run: its folder kept from others, its state restored, and what is saved of it and drawn."""

import math
import shlex
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from ..data import Source
from ..errors import DiskError, DivergedError, HamvaeError
from ..runs import folder, paths, states
from ..runs.environment import provenance, record
from ..runs.lock import run_lock
from ..runs.log import append_log, truncate_log
from ..runs.weights import holds, save_weights
from .preview import PreviewClips, sample_sheet
from .report import Report
from .step import Stepper
from .views import seed_of

PRIOR_CLIPS = 64  # clips of each class the starting prior is fitted to


class Run:
    """The state of training between two steps. Only the first of several processes writes.

    Args:
        step: with the network and the optimiser as they were restored.
        source: of the clips.
        path: the folder.
        state: what they were restored from.
        later: something in the folder is later than `state`, and is forgotten once training has gone on and saved.
    """

    def __init__(self, step: Stepper, source: Source, path: Path, state: states.State, later: bool) -> None:
        self.step, self.network, self.source, self.path = step, step.network, source, path
        self.start = self.done = self.saved = state.step
        self.best, self.later, self.notice = state.best, later, _notice(state)
        self.writes = step.ranks.rank == 0
        self.preview = PreviewClips(source) if self.writes else None
        self.again = f"{step.ranks.command} --resume {shlex.quote(str(path))}"

    @property
    def over(self) -> bool:
        """Whether all steps are done."""
        return self.done == self.network.config.training.steps

    def log(self, report: Report) -> None:
        """Add a report to the log."""
        append_log(self.path, report.log_line())

    def show(self, report: Report) -> Report:
        """Write a sample sheet, and the weights when no earlier ones generate better from a first frame."""
        assert self.preview is not None
        path = folder.sheet_path(self.path, self.done)
        score = sample_sheet(self.network, self.preview, path)
        if score > self.best:
            self.best = score
            self.fit_prior()
            save_weights(self.path / paths.BEST, self.network)
        return replace(report, psnr=score, sample_sheet=path)

    def save(self) -> None:
        """Write weights and state, unless nothing happened since they were written."""
        if self.saved == self.done or not self.writes:
            return
        self.check()
        self.fit_prior()
        save_weights(self.path / paths.WEIGHTS, self.network)
        self.save_state()

    def save_state(self) -> None:
        """Write what continues the run; only then forget older states, and what came later where training went back."""
        back = self.start if self.later else None
        states.save_state(self.path, self.network, self.step.optimiser, self.done, self.best, back)
        self.saved, self.later = self.done, False
        states.settle(self.path)
        folder.write_config(self.path, self.network.config)
        states.forget_before(self.path, self.network.config.training.keep)

    def mend(self) -> None:
        """Write the weights of a finished run again if they were lost, or are those of a step that was never saved."""
        weights = self.path / paths.WEIGHTS
        if self.writes and self.over and not holds(weights, self.network):
            save_weights(weights, self.network)

    def check(self) -> None:
        """Raises: DivergedError: the last step left a number that is not finite, of which the next would tell."""
        if not self.finite():
            raise DivergedError("A weight is not finite.", "weight", self.done)

    def finite(self) -> bool:
        """Whether all weights and moments are."""
        moments = [value for kept in self.step.optimiser.state.values() for value in kept.values()]
        return all(bool(tensor.isfinite().all()) for tensor in [*self.network.parameters(), *moments])

    def fit_prior(self) -> None:
        """Fit the starting prior to the first frames of a fixed draw of training clips."""
        count = PRIOR_CLIPS * len(self.source.classes)
        generator = torch.Generator().manual_seed(seed_of(self.network.config.training.seed, 0))
        clips = torch.randint(self.source.splits["train"], (count,), generator=generator)
        device = self.network.device
        labels = self.source.labels("train", clips).to(device)
        frames = self.source.frames("train", clips, torch.zeros(count, 1, dtype=torch.int64)).to(device)
        self.network.fit_prior(frames, labels)

    @contextmanager
    def disk_told(self) -> Generator[None, None, None]:
        """Raises: HamvaeError: instead of a DiskError within the block, with the command that goes on."""
        try:
            yield
        except DiskError as error:
            raise HamvaeError(
                f"{error} The run is kept as it was after step {self.saved}; make room and go on with:", self.again
            ) from error


@contextmanager
def open_run(
    path: Path, step: Stepper, source: Source, *, resume: bool, from_step: int | None
) -> Generator[Run, None, None]:
    """A run for the time of the block, in which no other process trains there.

    Args:
        path: the folder; made if the run is new.
        step: its network and optimiser are given the state of the run; it is closed at the end.
        resume: go on with the run that is there.
        from_step: go back to the state that was kept after this step.

    Raises: UsageError, HamvaeError: as `fit`.
    """
    ranks, config = step.ranks, step.network.config
    first = ranks.first
    with ExitStack() as held:
        held.callback(step.close)
        if not resume:
            first(lambda: folder.make_folder(path))
        first(lambda: held.enter_context(run_lock(path)))
        first(lambda: folder.sweep_run(path))
        first(lambda: states.settle(path))
        if resume:
            first(lambda: folder.check_inventory(path, source.inventory))
        else:
            first(lambda: folder.create_run(path, config, source.inventory))
            first(lambda: states.save_state(path, step.network, step.optimiser, 0, -math.inf))
        state = states.read_state(path, from_step)
        if ranks.agreed(state.step) != state.step:
            raise HamvaeError(
                f"The last state of '{path}' is not the one that process 0 sees, as a disk in a network may show it "
                "for a while; start again."
            )
        state.restore(step.network, step.optimiser)
        state = replace(state, tensors={})  # they were copied, and this block lasts as long as training
        # What was saved later is forgotten when something has taken its place, not before.
        later = from_step is not None or bool(state.damaged)
        first(lambda: truncate_log(path, math.inf if later else state.step))
        facts = provenance(
            seed=config.training.seed, device=str(step.device), processes=ranks.size, execution=step.execution
        )
        first(lambda: record(path / paths.ENVIRONMENT, facts, state.step))
        yield Run(step, source, path, state, later)


def _notice(state: states.State) -> str | None:
    if not state.damaged:
        return None
    return f"Going on after step {state.step}, because what was saved later is damaged. {' '.join(state.damaged)}"
