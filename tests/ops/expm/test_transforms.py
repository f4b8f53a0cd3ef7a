"""expm inside torch.compile, torch.export and recorded graphs, and in modules that are copied and saved."""

import copy
import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.utils._python_dispatch import TorchDispatchMode

from symplectic_ops import expm, expm_frechet, hamiltonian, is_symplectic

pytestmark = [
    pytest.mark.usefixtures("either_way"),
    # torch's own modules, loaded by the first use of forward mode and of the compiler, call what torch deprecates.
    pytest.mark.filterwarnings("ignore:`torch.jit.script", "ignore::DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def _nothing_compiled_before() -> None:
    torch.compiler.reset()


def matrices(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def compiled(function: Any) -> Any:
    """Captured and differentiated as for any backend; generating machine code would only take time."""
    return torch.compile(function, fullgraph=True, backend="aot_eager")


@pytest.mark.parametrize("shape", [(4, 4), (3, 4, 4), (2, 3, 4, 4), (2, 1, 1), (0, 4, 4)])
def test_one_full_graph_gives_the_same_value_and_gradient(shape: tuple[int, ...]) -> None:
    def total(A: Tensor) -> Tensor:
        return expm(A).square().sum()

    A, B = (matrices(*shape).requires_grad_() for _ in range(2))
    torch.testing.assert_close(compiled(expm)(A), expm(B))
    compiled(total)(A).backward()
    total(B).backward()
    assert A.grad is not None and B.grad is not None
    torch.testing.assert_close(A.grad, B.grad)


def test_one_graph_serves_batches_of_every_size_and_norm() -> None:
    graph = torch.compile(expm, fullgraph=True, backend="aot_eager", dynamic=True)
    for size, scale in ((2, 1e-9), (5, 1.0), (7, 60.0)):
        A = scale * matrices(size, 3, 3)
        torch.testing.assert_close(graph(A), expm(A))


def test_the_derivative_compiles_too() -> None:
    A, E = matrices(2, 4, 4), matrices(2, 4, 4, seed=1)
    torch.testing.assert_close(compiled(expm_frechet)(A, E), expm_frechet(A, E))


def test_vmap_compiles() -> None:
    A = matrices(2, 3, 4, 4)
    torch.testing.assert_close(compiled(torch.func.vmap(expm, in_dims=1, out_dims=1))(A), expm(A))


def test_what_was_exported_still_runs_on_other_numbers() -> None:
    class Exponential(nn.Module):
        def forward(self, A: Tensor) -> Tensor:
            return expm(A, norm_bound=9.0)

    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(Exponential(), (matrices(3, 4, 4),), dynamic_shapes=({0: batch},))
    A = matrices(5, 4, 4, seed=1)
    torch.testing.assert_close(program.module()(A), expm(A))


@pytest.mark.parametrize("forward", [torch.func.jacfwd(expm), lambda A: torch.func.jvp(expm, (A,), (A,))[1]])
def test_a_forward_derivative_in_a_full_graph_is_an_error_and_never_zero(forward: Any) -> None:
    with pytest.raises(Exception, match="no forward-mode derivative"):
        compiled(forward)(matrices(3, 3))


@pytest.mark.parametrize("made", ["exported", "compiled"])
def test_what_came_out_of_a_compiler_refuses_forward_mode_too(made: str) -> None:
    class Exponential(nn.Module):
        def forward(self, A: Tensor) -> Tensor:
            return expm(A)

    A = matrices(2, 3, 3)
    function = torch.export.export(Exponential(), (A,)).module() if made == "exported" else compiled(expm)
    function(A)
    with pytest.raises(Exception, match=r"no forward-mode derivative|functorch tracing"):
        torch.func.jvp(function, (A,), (A,))


def test_the_operator_itself_refuses_forward_mode() -> None:
    A = matrices(2, 3, 3)
    with forward_ad.dual_level(), pytest.raises(NotImplementedError, match="no forward-mode derivative"):
        torch.ops.symplectic_ops.expm(forward_ad.make_dual(A, A), False, None, "auto")


@pytest.mark.parametrize("transform", [torch.func.grad, torch.func.jacrev])
def test_transforms_of_torch_func_in_a_full_graph_are_an_error(transform: Any) -> None:
    with pytest.raises(torch._dynamo.exc.TorchDynamoException):
        compiled(transform(lambda A: expm(A).sum()))(matrices(3, 3))


def test_without_a_full_graph_a_forward_derivative_falls_back_and_is_right() -> None:
    A, E = matrices(2, 3, 3), matrices(2, 3, 3, seed=1)

    def along(A: Tensor, E: Tensor) -> Tensor:
        return torch.func.jvp(expm, (A,), (E,))[1]

    torch.testing.assert_close(torch.compile(along, backend="aot_eager")(A, E), along(A, E))


def test_a_second_derivative_through_the_operator_is_an_error() -> None:
    A = matrices(1, 3, 3).requires_grad_()
    X = torch.ops.symplectic_ops.expm(A, True, None, "auto")
    (first,) = torch.autograd.grad(X.sum(), A, create_graph=True)
    with pytest.raises(RuntimeError, match="no autograd formula"):
        first.sum().backward()


@pytest.mark.parametrize("memory", ["save", "recompute"])
@pytest.mark.parametrize("bound", [1e-3, 0.2, 8.0])
@pytest.mark.parametrize("again", [False, True], ids=["once", "to be differentiated again"])
def test_with_a_bound_and_unchecked_nothing_is_read_and_nothing_fetched(memory: str, bound: float, again: bool) -> None:
    """What a graph of CUDA kernels forbids while it is recorded: seen here by the operations that would do it."""

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            seen.append(str(function))
            return function(*args, **(kwargs or {}))

    def step() -> None:
        X = expm(A, norm_bound=bound, check_finite=False, memory=memory, backend="torch")
        torch.autograd.grad(X, A, X.detach(), create_graph=again)

    A, seen = matrices(3, 4, 4).requires_grad_(), list[str]()
    step()
    with Watch():
        step()
    assert any("mm" in name or "add" in name for name in seen)
    assert not [name for name in seen if "_local_scalar_dense" in name or "lift_fresh" in name or "_to_copy" in name]


def test_a_module_that_uses_it_can_be_copied_and_saved() -> None:
    layer = hamiltonian(nn.Linear(4, 4, bias=False), "weight")
    expected = expm(layer.weight)
    torch.testing.assert_close(expm(copy.deepcopy(layer).weight), expected)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = hamiltonian(nn.Linear(4, 4, bias=False), "weight")
    other.load_state_dict(torch.load(file))
    torch.testing.assert_close(expm(other.weight), expected)


def test_the_exponential_can_be_a_parametrisation_itself() -> None:
    class Symplectic(nn.Module):
        def forward(self, H: Tensor) -> Tensor:
            return expm(H)

    layer = hamiltonian(nn.Linear(4, 4, bias=False), "weight")
    nn.utils.parametrize.register_parametrization(layer, "weight", Symplectic())
    assert is_symplectic(layer.weight)
    layer(torch.ones(4)).sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())
