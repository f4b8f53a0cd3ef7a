"""Noticing who looks at an operation besides plain execution."""

import torch
from torch import Tensor
from torch.autograd import forward_ad

# Said of tensors that are not `unwatched`.
WATCHED = "a tensor subclass, a dispatch mode or a trace watches the operations, which a kernel would hide"


def forward_mode() -> bool:
    """Whether a level of forward-mode differentiation is entered, so that tensors may carry directions."""
    return forward_ad._current_level >= 0


def has_tangent(x: Tensor) -> bool:
    """Whether x carries a direction of forward-mode differentiation."""
    return forward_ad.unpack_dual(x).tangent is not None  # type: ignore[no-untyped-call]


def functorch_active() -> bool:
    """Whether a transform of torch.func is active."""
    return torch._C._are_functorch_transforms_active()


def stacked(x: Tensor) -> bool:
    """Whether x stands for a stack of tensors: as in gradients with `is_grads_batched`, which has no other sign."""
    return torch._C._functorch.is_legacy_batchedtensor(x)


def watched(x: Tensor) -> bool:
    """Whether more than plain reverse mode looks on: then only operations that torch knows all about will do."""
    return torch.compiler.is_compiling() or functorch_active() or forward_mode() or stacked(x)


def readable(x: Tensor) -> bool:
    """Whether the numbers of x can be looked at here and now: not while they stand for others, or while a graph of
    CUDA kernels is recorded."""
    return not (
        torch.compiler.is_compiling()
        or functorch_active()
        or stacked(x)
        or (x.is_cuda and torch.cuda.is_current_stream_capturing())
    )


def unwatched(x: Tensor) -> bool:
    """Whether x is plain dense numbers with nobody watching what happens to them.

    What traces operations (torch.jit.trace, make_fx) or counts them (a dispatch mode) has to see them.
    """
    return (
        (type(x) is Tensor or type(x) is torch.nn.Parameter)
        and x.layout is torch.strided
        and not stacked(x)
        and not torch._C._len_torch_dispatch_stack()
        and torch._C._get_tracing_state() is None
    )
