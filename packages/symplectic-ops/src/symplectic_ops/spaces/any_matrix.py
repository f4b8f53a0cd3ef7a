"""All real matrices of even size: no structure, to compare with."""

import math

from torch import Tensor

from ..errors import check_finite
from ._space import Normal, Space


class AnyMatrix(Space):
    """All real matrices (2d, 2d), with 4d² parameters: their entries, row by row.

    Nothing holds of exp(tH): areas in phase space, energies and bounded orbits are kept by chance alone. What learns
    with one of the other spaces is compared with this one.

    >>> AnyMatrix(1)(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([[1., 2.],
            [3., 4.]])
    """

    structure = None

    @staticmethod
    def dimension(d: int) -> int:
        return 4 * d**2

    def forward(self, params: Tensor) -> Tensor:
        self._check_params(params)
        return params.unflatten(-1, (2 * self.d, 2 * self.d))  # type: ignore[no-untyped-call,no-any-return]

    def right_inverse(self, H: Tensor) -> Tensor:
        self._check_size(H)
        check_finite(H, "H")
        return H.flatten(-2)

    def _nearest(self, A: Tensor) -> Tensor:
        return A

    def _random(self, normal: Normal, scale: float) -> Tensor:
        return normal(2 * self.d, 2 * self.d) * (scale / math.sqrt(2 * self.d))
