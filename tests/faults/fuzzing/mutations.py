"""Blind changes of bytes and of text, drawn from a seeded source of chance: what damages any format."""

import re
import struct
from collections.abc import Callable
from random import Random

BOUNDARIES = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)
"""Integers at which readers go wrong."""

WORDS = (
    *("0", "1", "-1", "-0.0", "0.5", "1e999", "-1e999", "NaN", "Infinity", "nan", "inf", "null", "true", "false"),
    *("9" * 20, "9" * 400, "9" * 5000, "1e-400", str(2**31), str(2**63), str(2**64), "4294967295"),
    *(
        '""',
        '"\\u0000"',
        '"\\u001b[2J"',
        '"\\ud800"',
        '"' + "x" * 5000 + '"',
        '"a\\nb"',
        '"../../escaped"',
        '"/dev/zero"',
    ),
    *(
        "[]",
        "{}",
        "[" * 3000,
        "[" * 2000 + "]" * 2000,
        '{"a":' * 3000,
        "[[0]]",
        "\\",
        "#",
        "'",
        '"',
        ",",
        ";",
        "=",
        "\r",
    ),
    *(
        "../../escaped",
        "$(touch escaped)",
        "`touch escaped`",
        "%s%n",
        "\u202e",
        "\x1b[31m",
        "\x00",
        "ß" * 300,
        "!!python/object:os",
    ),
)
"""Pieces of text at which parsers go wrong."""


def damaged(data: bytes, chance: Random) -> bytes:
    """`data` after one to a few blind changes."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8, 30))):
        chance.choice(CHANGES)(changed, chance)
    return bytes(changed)


def _flip(data: bytearray, chance: Random) -> None:
    if data:
        data[min(_place(data, chance), len(data) - 1)] ^= 1 << chance.randrange(8)


def _replace(data: bytearray, chance: Random) -> None:
    if data:
        data[min(_place(data, chance), len(data) - 1)] = chance.choice((0, 255, chance.randrange(256)))


def _integer(data: bytearray, chance: Random) -> None:
    """An interesting integer of any width, anywhere."""
    form = chance.choice(("<H", ">H", "<I", ">I", "<Q", ">Q", "B"))
    size = struct.calcsize(form)
    at = _place(data, chance)
    data[at : at + size] = struct.pack(form, chance.choice(BOUNDARIES) % 2 ** (8 * size))


def _truncate(data: bytearray, chance: Random) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _insert(data: bytearray, chance: Random) -> None:
    at = _place(data, chance)
    data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 64, 5000)))


def _remove(data: bytearray, chance: Random) -> None:
    at = _place(data, chance)
    del data[at : at + chance.choice((1, 2, 4, 64))]


def _splice(data: bytearray, chance: Random) -> None:
    """One part of the file over another."""
    size = chance.choice((4, 16, 100))
    source, target = _place(data, chance), _place(data, chance)
    data[target : target + size] = data[source : source + size]


def _repeat(data: bytearray, chance: Random) -> None:
    """A chunk again and again."""
    at = _place(data, chance)
    data[at:at] = data[at : at + chance.choice((8, 40, 300))] * chance.choice((1, 10, 200))


CHANGES: tuple[Callable[[bytearray, Random], None], ...] = (
    *(_flip, _flip, _replace, _replace, _integer, _integer),
    *(_truncate, _insert, _remove, _splice, _repeat),
)


def _place(data: bytes | bytearray, chance: Random) -> int:
    """Half of the time near the beginning, where headers are."""
    return chance.randrange(min(len(data), 100) + 1 if chance.random() < 0.5 else len(data) + 1) if data else 0


def misspelt(text: str, chance: Random) -> str:
    """`text` with one to a few of its tokens changed, doubled, exchanged or left out."""
    tokens = re.findall(r'"[^"\n]*"|[\w.+-]+|\s+|.', text)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if not tokens:
            break
        at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        match chance.randrange(6):
            case 0 | 1 | 2:
                tokens[at] = chance.choice(WORDS)
            case 3:
                del tokens[at : at + chance.choice((1, 2, 10))]
            case 4:
                tokens[at:at] = tokens[other : other + 20] * chance.choice((1, 3, 300))
            case 5:
                tokens[at], tokens[other] = tokens[other], tokens[at]
    return "".join(tokens)


def altered(value: object, chance: Random) -> object:
    """A copy of JSON data in which one place, however deep, holds something else."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {name: item for name, item in value.items() if name != key}
            case 1:
                return value | {chance.choice(("", "new", key + " ", "\x1b[2J", "x" * 3000)): value[key]}
            case _:
                return value | {key: altered(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        match chance.randrange(6):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value + value[at:] * chance.choice((1, 50, 5000))
            case _:
                return [*value[:at], altered(value[at], chance), *value[at + 1 :]]
    if isinstance(value, int | float) and not isinstance(value, bool) and chance.random() < 0.6:
        return chance.choice(
            (-value, value + 1, value * 1000, value * 10**9, value / 3, 0, *BOUNDARIES, -1, 16, 10**400)
        )
    return chance.choice(
        (
            *(None, True, -1, 0, 1e308, float("nan"), float("inf"), "", "../../escaped", "/dev/zero", "x" * 3000),
            *(
                "\x1b[2J",
                "a\nb",
                "\ud800",
                "\x00",
                "{action}",
                "a/b",
                [],
                {},
                [[]],
                [value] * 3,
                {"a": value},
                10**30,
                2**31,
                2**62,
            ),
        )
    )
