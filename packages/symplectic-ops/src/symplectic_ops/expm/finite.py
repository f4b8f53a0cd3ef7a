"""Refusing NaN, infinity and overflow, in sentences that name the matrix."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .._dtypes import WORKING_DTYPES
from ..backends.thresholds import one_norm
from ..errors import NonFiniteError

LOG_LARGEST = {dtype: math.log(torch.finfo(dtype).max) for dtype in WORKING_DTYPES}


class FiniteCheck(NamedTuple):
    """Looks at matrices (B, n, n) for a caller who knows them as (*batch, n, n) of another dtype."""

    batch: tuple[int, ...]
    dtype: torch.dtype

    def refuse(self, A: Tensor, X: Tensor, norm: float | None) -> None:
        """Refuse an A that is not finite, and an X = exp(A) that the dtype cannot hold.

        `norm`, the largest ‖A‖₁ if it is known, saves looking at the entries. Else one look suffices where there is
        nothing to refuse: a finite X tells of a finite A.

        Raises:
            NonFiniteError: naming the first such matrix, and its norm if that is finite.
        """
        if norm is None:
            if bool((X.abs() <= torch.finfo(self.dtype).max).all()):
                return
            norm = math.inf
        if not math.isfinite(norm):
            self._refuse_argument(A)
        if not norm < LOG_LARGEST[self.dtype]:  # because ‖exp(A)‖ ≤ exp ‖A‖
            self._refuse_result(A, X)

    def _refuse_argument(self, A: Tensor) -> None:
        bad = ~A.isfinite().all(-1).all(-1)
        if bool(bad.any()):
            raise NonFiniteError(
                f"`{self._first(bad)}` contains NaN or infinity, so it has no exponential. Look for a division by zero "
                "or a diverged step before this call, or pass `check_finite=False` to let NaN through."
            )

    def _refuse_result(self, A: Tensor, X: Tensor) -> None:
        bad = ~(X.abs() <= torch.finfo(self.dtype).max).all(-1).all(-1)
        if bool(bad.any()):
            wider = "" if self.dtype in (torch.float64, torch.complex128) else ", or use a wider dtype"
            norm, dtype = float(one_norm(A)[bad][0]), str(self.dtype).removeprefix("torch.")
            raise NonFiniteError(
                f"the exponential of `{self._first(bad)}`, whose 1-norm is {norm:.3g}, or a power on the way to it "
                f"overflows {dtype}. Take shorter times or a smaller generator{wider}."
            )

    def _first(self, bad: Tensor) -> str:
        """The first offender as it is written in code."""
        if not self.batch:
            return "A"
        index = torch.unravel_index(bad.nonzero()[0, 0], self.batch)
        return f"A[{', '.join(str(int(i)) for i in index)}]"
