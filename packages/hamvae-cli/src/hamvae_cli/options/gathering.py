"""A group of options that a command receives as one argument."""

import functools
from collections.abc import Callable
from typing import Any


def gathered(
    name: str, make: Callable[..., Any] = dict, **options: Callable[..., Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What these options say, as `make` of it by keyword, under the name that the command's argument has."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(*words: Any, **given: Any) -> Any:
            return function(*words, **{name: make(**{key: given.pop(key) for key in options})}, **given)

        for option in reversed(options.values()):
            command = option(command)
        return command

    return decorate
