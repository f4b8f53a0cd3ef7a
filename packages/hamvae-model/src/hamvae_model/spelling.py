"""The nearest spelling of a name, for error messages."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word, with its full stop: a close match, or everything that is known."""
    names = list(known)
    close = get_close_matches(word, names, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; choose from {', '.join(names)}."
