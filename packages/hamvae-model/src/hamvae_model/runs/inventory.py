"""What was learned from: a word for every clip or layer of art, so that later data can be told from it."""

from collections.abc import Iterable, Mapping

NAMED = 3  # of the things that changed, in a sentence


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What is other now, for a sentence: "1 added (walk/new.gif), 2 missing (a.gif, b.gif)"; nothing when all is alike.

    Args:
        before, now: of each name the side of the split it is on, what it shows, and a hash of it, with spaces between.
    """
    others = {name for name in before.keys() & now.keys() if before[name] != now[name]}
    moved = {name for name in others if before[name].split()[1:] == now[name].split()[1:]}
    changes = {
        "added": now.keys() - before.keys(),
        "missing": before.keys() - now.keys(),
        "changed": others - moved,
        "moved between train and test": moved,
    }
    return ", ".join(f"{len(names)} {what} ({_some(names)})" for what, names in changes.items() if names)


def _some(names: Iterable[str]) -> str:
    first = sorted(names)
    return ", ".join(first[:NAMED]) + (", …" if len(first) > NAMED else "")
