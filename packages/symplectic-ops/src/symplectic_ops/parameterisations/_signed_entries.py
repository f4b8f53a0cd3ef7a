"""Linear spaces of matrices in which every entry is zero, a parameter or minus a parameter."""

import torch
from torch import Tensor

from ..errors import StructureError
from ..residuals import tolerance_of
from ._space import Space


class SignedEntries(Space):
    """Base of the linear spaces: a `template` (2d, 2d) of integers says which parameter stands where.

    An entry ±k of the template puts ± the k-th parameter (counted from one) there; 0 leaves a zero. Building a
    matrix is one gather and one product, exact in every dtype.
    """

    index: Tensor
    sign: Tensor
    first: Tensor

    def __init__(self, d: int, dim: int, template: Tensor) -> None:
        super().__init__()
        self.d, self.dim = d, dim
        entries = template.abs().flatten().tolist()
        # The template belongs to the class, not to the weights: it is left out of the state dict.
        self.register_buffer("index", (template.abs() - 1).clamp(min=0), persistent=False)
        self.register_buffer("sign", template.sign().to(torch.int8), persistent=False)
        self.register_buffer("first", torch.tensor([entries.index(k + 1) for k in range(dim)]).long(), persistent=False)

    def forward(self, params: Tensor) -> Tensor:
        self._check_params(params)
        return params[..., self.index] * self.sign

    def right_inverse(self, H: Tensor) -> Tensor:
        self._check_size(H)
        distance = torch.linalg.vector_norm(self.project(H) - H, dim=(-2, -1))
        size = torch.linalg.vector_norm(H, dim=(-2, -1))
        if not bool((distance <= tolerance_of(H) * size).all()):
            raise StructureError(
                f"`H` must be {self.structure}, as {type(self).__name__} describes; it is off by "
                f"{float((distance / size).max()):.1e} of its norm. Assign `project(H)`, the nearest matrix of this "
                "space, if that is what you mean."
            )
        params: Tensor = H.flatten(-2)[..., self.first] * self.sign.flatten()[self.first]
        return params
