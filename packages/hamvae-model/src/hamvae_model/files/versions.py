"""Versions of what is stored: which are read, and how what an older one wrote becomes what today's would write."""

import re
from collections.abc import Callable
from typing import Any

from ..errors import HamvaeError

Values = dict[str, Any]
Step = Callable[[Values], Values]

RUN, JUDGE = "hamvae", "hamvae-judge"
KINDS = {RUN: "a run", JUDGE: "a judge"}  # for those who confuse them


def _run_2(values: Values) -> Values:
    """Runs of version 1 held no training clips out and capped no operator; their files had no hash."""
    return (
        values
        | {"model": _before(values["model"], operator_norm=None)}
        | {"training": _before(values["training"], validation=0.0)}
    )


def _judge_2(values: Values) -> Values:
    """Judges of version 1 knew the same; their files had no hash."""
    return values


STEPS: dict[str, tuple[Step, ...]] = {RUN: (_run_2,), JUDGE: (_judge_2,)}
"""For each kind of file, what turns a configuration of version n into one of version n + 1, from n = 1."""

HASHED_SINCE = 2


def newest(kind: str) -> str:
    """The version that is written: ``hamvae/2``."""
    return f"{kind}/{len(STEPS[kind]) + 1}"


def number_of(kind: str, found: object) -> int:
    """The number of a version that is read.

    Raises: HamvaeError: another kind of file, or a version that is not known here.
    """
    name, _, number = found.partition("/") if isinstance(found, str) else ("", "", "")
    known = len(STEPS[kind]) + 1
    if name != kind and name in KINDS:
        raise HamvaeError(f"It is {KINDS[name]}, where {KINDS[kind]} is needed.")
    if name == kind and re.fullmatch("[1-9][0-9]{0,5}", number):
        if int(number) <= known:
            return int(number)
        raise HamvaeError(f"It has the format {found!r} and {_read(kind)} read here; use a newer hamvae.")
    what = "names no format" if found is None else f"has the format {found!r:.60}"
    raise HamvaeError(f"It {what} where {_read(kind)} read; it was not written by hamvae.")


def migrated(kind: str, values: Values) -> Values:
    """A configuration as today's version would have written it; `values` has its version under ``format``.

    Raises: HamvaeError: as `number_of`; or the configuration lacks a part that this version had.
    """
    number = number_of(kind, values.get("format"))
    try:
        for step in STEPS[kind][number - 1 :]:
            values = step(values)
    except (KeyError, TypeError):
        raise HamvaeError(f"The configuration is not one of version {kind}/{number}; use another copy.") from None
    return values | {"format": newest(kind)}


def _before(values: Values, **absent: object) -> Values:
    """The fields, and those that a version did not have yet with what it did without them."""
    return absent | values


def _read(kind: str) -> str:
    names = [f"'{kind}/{number}'" for number in range(1, len(STEPS[kind]) + 2)]
    return f"{', '.join(names[:-1])} and {names[-1]} are"
