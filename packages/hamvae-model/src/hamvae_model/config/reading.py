"""Frozen dataclasses from JSON, strictly: nothing is guessed, converted or ignored."""

import dataclasses
import math
import types
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from ..errors import HamvaeError
from ..files import versions
from ..files.bounded import parse_json
from ..words import is_plain

Data = TypeVar("Data")

LARGEST = 2**63 - 1  # whole number that is read: what a tensor holds


def read_json(kind: type[Data], text: str, written: str) -> Data:
    """A frozen dataclass from the JSON of its fields and its format version, which is of the kind `written`.

    Raises: HamvaeError: not JSON, another format version, or a field that is missing, unknown or of another type.
    """
    try:
        values = parse_json(text)
    except ValueError as error:
        raise HamvaeError(f"The configuration is not JSON ({error}).") from None
    if isinstance(values, dict):
        versions.check(written, values.pop("format", None))
    parsed: Data = _parse(kind, values, "configuration")
    return parsed


def _parse(kind: Any, value: Any, where: str) -> Any:
    """Build `kind` from JSON data, strictly: nothing is guessed, converted or ignored."""
    if dataclasses.is_dataclass(kind):
        types_of = get_type_hints(kind)
        given = value.keys() if isinstance(value, dict) else set()
        needed = {
            field.name
            for field in dataclasses.fields(kind)
            if field.default is field.default_factory is dataclasses.MISSING
        }
        odd = (given - types_of.keys()) | (needed - given)
        if odd or not isinstance(value, dict):
            raise HamvaeError(f"The {where} does not have the expected fields; look at: {', '.join(sorted(odd))}.")
        return kind(**{name: _parse(types_of[name], item, name) for name, item in value.items()})  # type: ignore[operator]
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_parse(get_args(kind)[0], item, where) for item in value)
    if get_origin(kind) is dict and isinstance(value, dict):
        return {name: _parse(get_args(kind)[1], item, where) for name, item in value.items()}
    allowed = get_args(kind) if get_origin(kind) in (types.UnionType, Literal) else (kind,)
    if (type(value) is int and abs(value) > LARGEST) or (type(value) is float and not math.isfinite(value)):
        raise HamvaeError(f"The field '{where}' of the configuration holds a number that is too large.")
    if float in allowed and type(value) is int:
        return float(value)
    if type(value) not in allowed:
        raise HamvaeError(f"The field '{where}' of the configuration holds {value!r:.80}, which has the wrong type.")
    if isinstance(value, str) and not is_plain(value):
        raise HamvaeError(f"The field '{where}' of the configuration holds {value!r:.80}, which cannot be shown.")
    return value
