"""Words for messages: the nearest spelling of a name, a number with its noun, and texts that came from elsewhere."""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

LISTED = 20  # names: more than these nobody reads in a sentence
LONGEST = 200  # characters of a name that is looked for: a longer one is like no other
LEGIBLE = 2000  # characters of a sentence
REORDERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # show a text in another order than it has


def is_plain(text: str) -> bool:
    """Whether a text can be shown as it is: on one line, without signs that a terminal obeys or that hide others."""
    return all(map(_is_plain, text))


def _is_plain(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp") and sign not in REORDERING


def printable(text: str) -> str:
    """A text on one line of legible length, with escapes for the signs that cannot be shown as they are."""
    line = " ".join(text.split("\n")) if "\n" in text else text
    line = line if len(line) <= LEGIBLE else f"{line[: 2 * LEGIBLE // 3]} … {line[-LEGIBLE // 3 :]}"
    return line if is_plain(line) else "".join(map(_shown, line))


def _shown(sign: str) -> str:
    return sign if _is_plain(sign) else sign.encode("unicode_escape").decode()


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word, with its full stop: a close match, or what is known."""
    names = list(known)
    close = get_close_matches(word, names, n=1) if len(word) <= LONGEST else []
    if close:
        return f"; did you mean '{close[0]}'?"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"; choose from {', '.join(names[:LISTED])}{more}." if names else "; there is none."


def counted(number: int, noun: str) -> str:
    """``1 clip``, ``2 clips``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
