"""Words for messages: the nearest spelling of a name, and a number with its noun."""

from collections.abc import Iterable
from difflib import get_close_matches

LISTED = 20  # names: more than these nobody reads in a sentence


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word, with its full stop: a close match, or what is known."""
    names = list(known)
    close = get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"; choose from {', '.join(names[:LISTED])}{more}." if names else "; there is none."


def counted(number: int, noun: str) -> str:
    """``1 clip``, ``2 clips``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
