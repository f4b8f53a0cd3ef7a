"""Linear spaces of matrices in which every entry is zero, a parameter or minus a parameter."""

import math
from abc import abstractmethod

import torch
from torch import Tensor

from ..errors import StructureError, check_finite
from ..residuals import tolerance_of
from ._space import Normal, Space


class SignedEntries(Space):
    """Base of the linear spaces: a `template` (2d, 2d) of integers says which parameter stands where.

    An entry ±k of the template puts ± the k-th parameter (counted from one) there; 0 leaves a zero. Building a
    matrix is one gather and one product, exact in every dtype.
    """

    index: Tensor
    sign: Tensor
    first: Tensor

    def __init__(self, d: int) -> None:
        super().__init__(d)
        template = self.template(d)
        numbers, places = template.abs().flatten().sort(stable=True)
        first = places[torch.searchsorted(numbers, torch.arange(1, self.dim + 1))]
        # The template belongs to the class, not to the weights: it is left out of the state dict.
        self.register_buffer("index", (template.abs() - 1).clamp(min=0), persistent=False)
        self.register_buffer("sign", template.sign().to(torch.int8), persistent=False)
        self.register_buffer("first", first, persistent=False)

    @staticmethod
    @abstractmethod
    def template(d: int) -> Tensor:
        """Which parameter stands where, (2d, 2d) int64; see above."""

    def forward(self, params: Tensor) -> Tensor:
        self._check_params(params)
        return params[..., self.index] * self.sign

    def right_inverse(self, H: Tensor) -> Tensor:
        self._check_size(H)
        check_finite(H, "H")
        distance = torch.linalg.vector_norm(self._nearest(H) - H, dim=(-2, -1))
        size = torch.linalg.vector_norm(H, dim=(-2, -1))
        if not bool((distance <= tolerance_of(H) * size).all()):
            raise StructureError(
                f"`H` must be {self.structure}, as {type(self).__name__} describes; it is off by "
                f"{float((distance / size).max()):.1e} of its norm. Assign `project(H)`, the nearest matrix of this "
                "space, if that is what you mean."
            )
        params: Tensor = H.flatten(-2)[..., self.first] * self.sign.flatten()[self.first]
        return params

    def _random(self, normal: Normal, scale: float) -> Tensor:
        """A matrix of normal numbers, projected: `dim` of its (2d)² dimensions are left."""
        return self._nearest(normal(2 * self.d, 2 * self.d)) * (scale * math.sqrt(2 * self.d / self.dim))
