"""Colours as people write them."""

from PIL import ImageColor

from ..errors import UsageError


def read_colour(text: str) -> tuple[int, int, int]:
    """Red, green and blue from 0 to 255 of a name that the web knows, or of ``#rrggbb``.

    Raises: UsageError: it is no colour, or a translucent one.
    """
    try:
        red, green, blue = ImageColor.getrgb(text)
    except ValueError:  # also where there are four
        raise UsageError(f"'{text}' is no colour; write black, white or #rrggbb.") from None
    return red, green, blue
