"""Colours as people write them."""

from PIL import ImageColor

from ..errors import UsageError


def read_colour(text: str) -> tuple[int, int, int]:
    """Red, green and blue from 0 to 255 of a name that the web knows, or of ``#rrggbb``.

    Raises: UsageError: it is not a colour, or a translucent one.
    """
    try:
        colour = ImageColor.getrgb(text)
    except ValueError:
        colour = None
    if colour is None or len(colour) == 4:
        raise UsageError(f"'{text}' is not a colour; write black, white or #rrggbb.")
    return colour
