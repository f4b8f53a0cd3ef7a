"""Linear spaces of matrices in which every entry is zero, a parameter or minus a parameter."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..errors import StructureError
from ..form import pairs
from ..residuals import tolerance_of


class SignedEntries(nn.Module):
    """Base of the linear spaces: a `template` (2d, 2d) of integers says which parameter stands where.

    An entry ±k of the template places ± the k-th parameter (counted from one) there; 0 leaves a zero. Building a
    matrix is one gather and one product, exact in every dtype.
    """

    space: ClassVar[str]
    structure: ClassVar[str]
    index: Tensor
    sign: Tensor
    first: Tensor

    def __init__(self, d: int, template: Tensor) -> None:
        super().__init__()
        self.d = d
        flat = template.flatten()
        self.dim = int(flat.abs().max()) if d else 0
        position = torch.arange(flat.numel() - 1, -1, -1)
        first = torch.zeros(self.dim + 1, dtype=torch.int64)
        first[flat.abs().flip(0)] = position  # written back to front, so the first occurrence stays
        # The template belongs to the class, not to the weights: it is left out of the state dict.
        self.register_buffer("index", (template.abs() - 1).clamp(min=0), persistent=False)
        self.register_buffer("sign", template.sign().to(torch.int8), persistent=False)
        self.register_buffer("first", first[1:], persistent=False)

    def forward(self, params: Tensor) -> Tensor:
        """The matrices (*, 2d, 2d) with parameters (*, dim).

        Raises:
            StructureError: the last dimension of `params` is not `dim`.
        """
        if params.ndim < 1 or params.shape[-1] != self.dim:
            raise StructureError(
                f"{type(self).__name__}({self.d}) takes parameters (..., {self.dim}); got {tuple(params.shape)}. "
                f"Make the last dimension {self.dim}."
            )
        return params[..., self.index] * self.sign

    def right_inverse(self, H: Tensor) -> Tensor:
        """The parameters (*, dim) of matrices H (*, 2d, 2d) of this space.

        Raises:
            StructureError: H has another size, or does not lie in this space.
        """
        if pairs(H, "H") != self.d:
            raise StructureError(
                f"{type(self).__name__}({self.d}) holds {2 * self.d} × {2 * self.d} matrices; got {tuple(H.shape)}. "
                f"Build {type(self).__name__}({H.shape[-1] // 2}) for these."
            )
        params: Tensor = H.flatten(-2)[..., self.first] * self.sign.flatten()[self.first]
        distance = torch.linalg.vector_norm(self.forward(params) - H, dim=(-2, -1))
        size = torch.linalg.vector_norm(H, dim=(-2, -1))
        if not bool((distance <= tolerance_of(H) * size).all()):
            worst = float((distance / size).max())
            raise StructureError(
                f"`H` must be {self.space}; it is off by {worst:.1e} of its norm. Assign `project(H)`, the nearest "
                "matrix of this space, if that is what you mean."
            )
        return params

    def project(self, A: Tensor) -> Tensor:
        """The nearest matrix of this space to A (*, 2d, 2d) in the Frobenius norm."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"d={self.d}, dim={self.dim}"
