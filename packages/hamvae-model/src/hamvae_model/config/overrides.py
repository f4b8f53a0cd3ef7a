"""Any field of a configuration instead of a preset's: ``model.content_dim=64``. No torch here."""

import dataclasses
import types
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ..errors import HamvaeError, UsageError
from ..words import nearest
from .run import Config, DataConfig, ModelConfig, ObjectiveConfig, TrainingConfig

OPENED = "the clips decide it when a source is opened"
DECIDED = {
    "data.source": "--data names it",
    "data.labels": "--labels chooses them",
    "data.loop": "--clips-repeat sets it",
    "data.frame_seconds": "--clip-fps sets it",
    "data.framing.background": "--background sets it",
    **{f"model.{name}": OPENED for name in ("classes", "image_size", "length", "period", "periods", "spans")},
    "training.earlier_rates": "training writes them when a run goes on at another rate",
    "training.seed": "--seed sets it",
}
"""Fields that are not set by their key, and why."""

SAME = {
    "operator": "model.operator",
    "steps": "training.steps",
    "minutes": "training.steps",
    "batch": "training.batch",
    "precision": "training.bfloat16",
    "learning_rate": "training.learning_rate",
}
"""Arguments of `presets.build` and of the command line that set a field, and its key."""

WORDS = {"true": True, "false": False, "none": None}
Part = TypeVar("Part")


def settings() -> dict[str, tuple[Any, Any]]:
    """The keys that can be set, ``model.content_dim`` and so on: the type of the field, and its default."""
    sections = (
        ("data", DataConfig),
        ("model", ModelConfig),
        ("objective", ObjectiveConfig),
        ("training", TrainingConfig),
    )
    return {
        key: described
        for section, kind in sections
        for key, described in _fields(kind, section).items()
        if key not in DECIDED
    }


def _fields(kind: type[Any], prefix: str) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    types_of = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        key, of = f"{prefix}.{field.name}", types_of[field.name]
        found |= _fields(of, key) if dataclasses.is_dataclass(of) else {key: (of, field.default)}  # type: ignore[arg-type]
    return found


def parse_assignments(words: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` as typed, by key.

    Raises: UsageError: no equals sign, a key that is set twice, or one that is not for people to set.
    """
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"'{word}' sets nothing; write KEY=VALUE, such as model.content_dim=64.")
        if key in found:
            raise UsageError(f"'{key}' is set twice; set it once.")
        _check(key)
        found[key] = value
    return found


def refuse_twice(given: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    """Args: given: arguments by name, None where left out; those that set no field are ignored.

    Raises: UsageError: a field is set by its key in `wanted` and by an argument too, so that one would be ignored.
    """
    for argument, key in SAME.items():
        if key in wanted and given.get(argument) is not None:
            option = f"--{argument.replace('_', '-')}"
            raise UsageError(f"'{key}' is set twice, by {option} too; leave one of them out.")


def set_in_data(data: DataConfig, wanted: Mapping[str, object]) -> DataConfig:
    """What a source is opened with, with those of `wanted` that begin with ``data.``.

    Raises: UsageError: as `overridden`.
    """
    return _changed(data, {key: value for key, value in wanted.items() if key.startswith("data.")}, "data")


def overridden(config: Config, wanted: Mapping[str, object]) -> Config:
    """The configuration with some of its fields set; ``data.`` keys must say what the source was opened with.

    Args: wanted: by key, ``model.content_dim``: a value of the field's type, or a text that stands for one: numbers in
        any notation, ``true``, ``false``, ``none``, and whole numbers with commas between them for several.

    Raises: UsageError: an unknown key, one that is not for people to set, or a value that the field cannot have.
    """
    for key in wanted:
        _check(key)
    if set_in_data(config.data, wanted) != config.data:
        key = next(key for key in wanted if key.startswith("data."))
        raise UsageError(f"'{key}' is decided when a source is opened; open the source with it.")
    parts = {
        section: _changed(
            getattr(config, section),
            {key: value for key, value in wanted.items() if key.startswith(f"{section}.")},
            section,
        )
        for section in ("model", "objective", "training")
    }
    return dataclasses.replace(config, **parts)


def _check(key: str) -> None:
    """Raises: UsageError: no such key, or not one for people to set."""
    if key in DECIDED:
        raise UsageError(f"'{key}' cannot be set: {DECIDED[key]}.")
    if key not in (known := settings()):
        raise UsageError(f"There is no setting '{key}'{nearest(key, known)}")


def _changed(part: Part, wanted: Mapping[str, object], prefix: str) -> Part:
    """A part of a configuration with the values of some keys, all below `prefix`."""
    known, changes = settings(), {}
    for key, value in wanted.items():
        _check(key)
        name, _, rest = key.removeprefix(f"{prefix}.").partition(".")
        changes[name] = (
            _changed(getattr(part, name), {key: value}, f"{prefix}.{name}")
            if rest
            else _value(key, known[key][0], value)
        )
    try:
        return dataclasses.replace(part, **changes)  # type: ignore[type-var]
    except HamvaeError as error:
        raise UsageError(str(error)) from None


def _value(key: str, kind: Any, value: object) -> object:
    """A value of the field's type.

    Raises: UsageError: it is of another type.
    """
    allowed = get_args(kind) if get_origin(kind) is types.UnionType else (kind,)
    read = _read(allowed, value) if isinstance(value, str) else value
    if isinstance(read, list):
        read = tuple(read)
    if float in allowed and type(read) is int:
        read = float(read)
    of_numbers = get_origin(kind) is tuple and isinstance(read, tuple) and all(type(one) is int for one in read)
    if not (of_numbers or type(read) in allowed or (read is None and types.NoneType in allowed)):
        raise UsageError(f"'{key}' is {_described(kind)}; got {value!r:.80}.")
    return read


def _read(allowed: Sequence[Any], text: str) -> object:
    """What a text stands for; the text itself where it stands for nothing else."""
    if str in allowed:
        return text
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if any(get_origin(kind) is tuple for kind in allowed):
        return tuple(_number(part) for part in text.split(",") if part)
    return _number(text)


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _described(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return "whole numbers with commas between them"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a word", types.NoneType: "none"}
    kinds = get_args(kind) if get_origin(kind) is types.UnionType else (kind,)
    return " or ".join(names[one] for one in kinds)
