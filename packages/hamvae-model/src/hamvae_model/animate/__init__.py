"""Clips in, clips out: the character of one, the movement of another, at any times."""

from .model import Latents as Latents
from .model import Model as Model
from .performance import Performance as Performance
