"""The failures a user can meet; each carries one sentence that says what to do next."""

from .words import printable


class HamvaeError(Exception):
    """The work could not be done, although what was asked for was sound (a full disk, a damaged file).

    Args:
        sentence: may hold names and texts that are untrusted; what a terminal would obey in them is written out.
        again: the command that goes on, with which the sentence then ends.
    """

    def __init__(self, sentence: str, again: str = "") -> None:
        super().__init__(printable(f"{sentence} {again}".strip()))
        self.again = again


class UsageError(HamvaeError):
    """What was asked for is wrong: a missing file, an unknown name, a value out of range."""


class OtherProcessError(HamvaeError):
    """Another process of the same run failed; that one says why."""


class DiskError(HamvaeError):
    """The disk refused data, for instance because it is full; what was there before still is."""


class DamagedError(HamvaeError):
    """A file is not what was written."""


class DivergedError(HamvaeError):
    """Numbers left the range of floats.

    Args:
        sentence: what happened, and what to do.
        term: what is no longer finite: ``gradient norm``, ``motion``.
        step: of training, at which it happened; None elsewhere.
        again: none where there is nothing to go on from.
    """

    def __init__(self, sentence: str, term: str, step: int | None = None, again: str = "") -> None:
        super().__init__(sentence, again)
        self.term, self.step = term, step
