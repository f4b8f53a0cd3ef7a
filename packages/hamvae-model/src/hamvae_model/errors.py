"""The two failures a user can meet; each carries one sentence that says what to do next."""


class HamvaeError(Exception):
    """The work could not be done, although what was asked for was sound (a full disk, a damaged file)."""


class UsageError(HamvaeError):
    """What was asked for is wrong: a missing file, an unknown name, a value out of range."""


class OtherProcessError(HamvaeError):
    """Another process of the same run failed; that one says why."""
