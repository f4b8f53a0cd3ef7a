"""Versions of what is stored: a file of another kind or of a later version is refused by name."""

import re

from ..errors import HamvaeError

RUN, JUDGE = "hamvae", "hamvae-judge"
KINDS = {RUN: "a run", JUDGE: "a judge"}  # for those who confuse them
VERSION = 1


def newest(kind: str) -> str:
    """The version that is written: ``hamvae/1``."""
    return f"{kind}/{VERSION}"


def check(kind: str, found: object) -> None:
    """Raises: HamvaeError: another kind of file, or a version that is not read."""
    name, _, number = found.partition("/") if isinstance(found, str) else ("", "", "")
    if found == newest(kind):
        return
    if name != kind and name in KINDS:
        raise HamvaeError(f"It is {KINDS[name]}, where {KINDS[kind]} is needed.")
    if name == kind and re.fullmatch("[1-9][0-9]{0,5}", number):
        raise HamvaeError(f"It has the format {found!r}, and '{newest(kind)}' is read here; use a newer hamvae.")
    what = "names no format" if found is None else f"has the format {found!r:.60}"
    raise HamvaeError(f"It {what} where '{newest(kind)}' is read; it was not written by hamvae.")
