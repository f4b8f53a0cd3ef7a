"""Alpha compositing of uint8 cells over black, to the last bit as Pillow's ``Image.alpha_composite`` does it.

Composing runs inside every training step, so a pixel travels as one int32 that holds its four bytes. Most
sprite pixels are opaque or absent and take one `torch.where`; the few half-transparent ones (the edge of a
blade, a hem) take the eight-bit integer blend.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

BLACK = -(1 << 24)  # the opaque black pixel: alpha 255 in the high byte, no colour


def pack(cells: Tensor) -> Tensor:
    """RGBA cells uint8 (…, 4, h, w) as int32 pixels (…, h, w)."""
    return cells.movedim(-3, -1).contiguous().view(torch.int32).squeeze(-1)


def unpack(pixels: Tensor) -> Tensor:
    """int32 pixels (…, h, w) as uint8 (…, 4, h, w), a view with the channels last in memory."""
    return pixels.unsqueeze(-1).view(torch.uint8).movedim(-1, -3)


def over(canvas: Tensor, layer: Tensor, translucent: Tensor) -> Tensor:
    """Lay one layer over an opaque canvas.

    Args:
        canvas: int32 pixels (m, h, w), opaque.
        layer: int32 pixels (m, h, w), straight alpha.
        translucent: bool (m,), which cells have a pixel with alpha strictly between 0 and 255.

    Returns: int32 pixels (m, h, w), opaque.
    """
    # The sign bit of a pixel is the highest bit of its alpha, which tells 255 from 0; other alphas are blended below.
    result = torch.where(layer < 0, layer, canvas)
    rows = translucent.nonzero().squeeze(1)
    if len(rows):
        result[rows] = _blend(canvas[rows], layer[rows])
    return result


def _blend(canvas: Tensor, layer: Tensor) -> Tensor:
    """(colour·alpha + canvas·(255 − alpha)) / 255, rounded to nearest in integers."""
    below, above = unpack(canvas).int(), unpack(layer).int()
    alpha = above[:, 3:]
    scaled = (above * alpha + below * (255 - alpha)) * 128 + 0x4000
    blended = ((((scaled >> 8) + scaled) >> 8) >> 7).to(torch.uint8)
    blended[:, 3] = 255
    return pack(blended)


def flattened(layers: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Layers uint8 (t, 4, h, w) with straight alpha, back to front, as one clip over black.

    Returns: frames uint8 (t, 3, h, w), and what they cover uint8 (t, 1, h, w): 1 − Π(1 − αₗ).
    """
    count, _, height, width = layers[0].shape
    canvas = torch.tensor(BLACK, dtype=torch.int32).expand(count, height, width)
    clear = torch.ones(count, 1, height, width)
    for layer in layers:
        alpha = layer[:, 3:]
        translucent = ((alpha > 0) & (alpha < 255)).flatten(1).any(1)
        canvas = over(canvas, pack(layer), translucent)
        clear = clear * (1 - alpha / 255)
    return unpack(canvas)[:, :3].contiguous(), ((1 - clear) * 255).round().to(torch.uint8)
