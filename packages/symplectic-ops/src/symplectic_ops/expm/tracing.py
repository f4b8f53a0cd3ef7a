"""What torch.compile is told about functions. Import it only where something may be traced: it loads torch._dynamo."""

from collections.abc import Callable

import torch
from torch import Tensor

from .._torch import forward_mode


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def traced_in_forward_mode() -> bool:
    """Asked while tracing, when the levels under way are those of the traced code."""
    levels = torch._C._functorch.get_interpreter_stack() or []
    return forward_mode() or any(level.key().name == "Jvp" for level in levels)


@torch.compiler.disable  # type: ignore[untyped-decorator]
def uncompiled(function: Callable[..., Tensor], *arguments: object) -> Tensor:
    """Call a function that torch.compile, where it gave up on the caller, would compile and lose the tangents of."""
    return function(*arguments)
