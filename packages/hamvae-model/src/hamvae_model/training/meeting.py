"""Where processes that start together find each other, in a store that remembers those that ended.

torchrun keeps its store over restarts, with the addresses that were left in it. Its count of restarts cannot tell
them apart: each machine counts its own, and one whose processes were well when another's failed counts none.
"""

import time
from uuid import uuid4

import torch.distributed as group

ASKING = "hamvae/asking"
SHORTLY = 0.05  # seconds between two looks at who asks


def fresh_part(store: "group.Store", rank: int, size: int) -> "group.PrefixStore":  # type: ignore[name-defined]
    """A part of the store that the processes which call this now share with nobody who ended before.

    Each asks under a name that nobody had before it, and number 0 answers with its own, under which they meet.
    A process that has ended is answered as well, which has no effect.

    Args:
        store: all of them reach it.
        rank: this one's number.
        size: how many they are.
    """
    name = uuid4().hex
    store.append(ASKING, name)
    if rank > 0:
        name = store.get(name).decode()  # waits for the answer
        store.add(f"{name}/met", 1)
    else:
        _answer(store, name, size - 1)
    return group.PrefixStore(name, store)  # type: ignore[attr-defined]


def _answer(store: "group.Store", name: str, others: int) -> None:  # type: ignore[name-defined]
    """Tell everybody who asks the name, until so many have met under it."""
    answered = 0
    while store.add(f"{name}/met", 0) < others:
        asking = store.get(ASKING).decode()
        for start in range(answered, len(asking), len(name)):
            store.set(asking[start : start + len(name)], name)
        answered = len(asking)
        time.sleep(SHORTLY)
