"""Content and positions to frames: the mean φ(z, q) of the likelihood, eq. (6)."""

import torch
from torch import Tensor, nn

from ..config import ModelConfig
from .layers import activation, initialise


class Decoder(nn.Module):
    """Latents (m, inputs) to images (m, 3, size, size) in [0, 1].

    Most of the parameters sit in the linear maps, where each is used once per frame: at equal time on a CPU they hold
    many more drawings than the weights of convolutions, which are used at every position (docs/notes/0002).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        count = len(config.classes)
        width = config.content_dim + count * config.pairs + count * config.class_in_decoder
        layers: list[nn.Module] = []
        for hidden in config.decoder_hidden:
            layers += [nn.Linear(width, hidden), activation()]
            width = hidden
        channels, side = config.decoder_widths[0], config.decoder_grid
        layers += [nn.Linear(width, channels * side**2), activation(), nn.Unflatten(1, (channels, side, side))]
        for finer in config.decoder_widths[1:]:
            layers += [nn.Conv2d(channels, 4 * finer, 3, padding=1), nn.PixelShuffle(2), activation()]
            channels, side = finer, 2 * side
        patch = config.image_size // side
        layers += [nn.Conv2d(channels, 3 * patch**2, 3, padding=1), nn.PixelShuffle(patch)]
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def forward(self, latents: Tensor) -> Tensor:
        return torch.sigmoid(self.layers(latents))
