"""The activation and the initialisation every network of the model uses."""

from torch import nn

SLOPE = 0.2


def activation() -> nn.Module:
    return nn.LeakyReLU(SLOPE, inplace=True)


def initialise(network: nn.Module) -> None:
    """Kaiming initialisation of every convolution and linear map, biases at zero (He et al., 2015)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=SLOPE)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
