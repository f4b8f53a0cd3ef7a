"""Which clips are trained on and which are held out, decided alike on every machine and on every day.

What `clips.csv` says stands. The rest is decided by a hash, of the clip's identity when that is known and else of its
name: about one in ten is held out, and adding clips moves no other. Among so few that the hash holds out none, the one
nearest to it is. All clips of an identity share a side, because a character seen in training is no test of new ones.
"""

import hashlib
from collections.abc import Sequence

from .recording import Recording

SPLITS = ("train", "test")
HELD_OUT = 0.1  # of the clips that nobody assigned


def assign(recordings: Sequence[Recording]) -> list[str]:
    """The split of each recording, in their order."""
    said = {recording.identity: recording.split for recording in recordings if recording.identity and recording.split}
    splits = [recording.split or said.get(recording.identity or "") for recording in recordings]
    keys = [recording.identity or recording.name for recording in recordings]
    open_keys = {key for key, split in zip(keys, splits, strict=True) if split is None}
    held_out = {key for key in open_keys if place(key) < HELD_OUT}
    if not held_out and "test" not in splits and len(open_keys) > 1:
        held_out = {min(open_keys, key=place)}
    return [split or ("test" if key in held_out else "train") for key, split in zip(keys, splits, strict=True)]


def place(key: str) -> float:
    """Where a hash puts a key between 0 and 1."""
    return int.from_bytes(hashlib.blake2b(key.encode(errors="surrogateescape"), digest_size=8).digest()) / 2**64
