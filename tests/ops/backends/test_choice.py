"""Which backend is used, why not the others, and taking one by name."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

import symplectic_ops
from symplectic_ops import Explanation, SkewSymmetricHamiltonian, StructureError, backends, explain, expm
from symplectic_ops.backends import TABLE, cpu, gpu
from symplectic_ops.backends.eager import Eager

SOURCES = Path(symplectic_ops.__file__).parent
NOT_ON_A_GPU = "the matrices are not on a CUDA GPU"
REAL_NUMBERS = "the matrices are complex; its kernels compute with real numbers"


def matrices(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0)) / shape[-1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_real_matrices_on_the_cpu_are_taken_by_its_kernels(dtype: torch.dtype) -> None:
    found = explain(matrices(2, 3, 8, 8).to(dtype))
    assert found == Explanation(
        "cpu", {"gpu": (NOT_ON_A_GPU,), "torch": ("cpu can take the matrices, and comes first",)}
    )
    assert str(found).splitlines() == [
        "cpu is used",
        "gpu: the matrices are not on a CUDA GPU",
        "torch: cpu can take the matrices, and comes first",
    ]


def test_complex_matrices_are_left_to_torch() -> None:
    found = explain(matrices(8, 8, dtype=torch.complex64))
    assert found == Explanation("torch", {"cpu": (REAL_NUMBERS,), "gpu": (NOT_ON_A_GPU,)})


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((0, 4, 4), "there are no matrices"), ((2, 1, 1), "the matrices are single numbers, left to torch")],
)
def test_what_needs_no_kernel_is_said_to_need_none(shape: tuple[int, ...], reason: str) -> None:
    assert explain(torch.zeros(shape)) == Explanation("torch", {"cpu": (reason,), "gpu": (reason,)})


def test_every_reason_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Marked(Tensor):
        pass

    monkeypatch.setattr(gpu, "DEVICE", "cpu")
    lines = str(explain(matrices(40, 40, dtype=torch.complex64).as_subclass(Marked))).splitlines()
    assert lines[0] == "torch is used"
    assert [line.partition(": ")[0] for line in lines[1:]] == ["cpu", "cpu", "gpu", "gpu", "gpu"]
    assert "gpu: the matrices have 40 rows; its kernels cover 2 to 32" in lines


def test_the_complex_form_is_named() -> None:
    A = SkewSymmetricHamiltonian(20).random(dtype=torch.float64)
    assert str(explain(A, structure="skew-symmetric")).startswith("cpu is used, in complex matrices of half the size\n")
    assert not explain(A).complex_form


def test_what_expm_refuses_is_refused() -> None:
    with pytest.raises(StructureError, match="`A` must be square matrices"):
        explain(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="`structure` must be one of"):
        explain(torch.zeros(2, 2), structure="symplectic")  # type: ignore[arg-type]


@pytest.mark.parametrize("structure", [None, "skew-symmetric"])
def test_a_backend_taken_by_name_is_the_one_that_would_have_been_chosen(structure: str | None) -> None:
    space = SkewSymmetricHamiltonian(20)
    A = space.random(3, dtype=torch.float64).requires_grad_()
    named, chosen = (expm(A, structure=structure, backend=name) for name in ("cpu", "auto"))
    assert torch.equal(named, chosen)
    gradients = [torch.autograd.grad(X.square().sum(), A)[0] for X in (named, chosen)]
    assert torch.equal(*gradients)


@pytest.mark.parametrize("structure", [None, "skew-symmetric"])
def test_derivatives_without_a_kernel_are_computed_all_the_same(structure: str | None) -> None:
    A = SkewSymmetricHamiltonian(17).random(2, dtype=torch.float64).requires_grad_()
    V, results = matrices(3, *A.shape), []
    for backend in ("cpu", "torch"):
        X = expm(A, structure=structure, backend=backend)
        (batched,) = torch.autograd.grad(X, A, V, is_grads_batched=True, retain_graph=True)
        (first,) = torch.autograd.grad(X, A, V[0], create_graph=True)
        results.append((batched, *torch.autograd.grad(first, A, V[1])))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected)


def test_a_backend_that_cannot_is_refused_with_its_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = r"^backend 'gpu' cannot exponentiate `A`: the matrices are not on a CUDA GPU\. Pass backend=\"auto\""
    with pytest.raises(ValueError, match=sentence):
        expm(matrices(2, 4, 4), backend="gpu")
    with pytest.raises(ValueError, match="cannot exponentiate `A`: the matrices are complex; its kernels compute with"):
        expm(matrices(4, 4, dtype=torch.complex128), backend="cpu")
    monkeypatch.setattr(gpu, "DEVICE", "cpu")
    with pytest.raises(ValueError, match=r"complex; .* numbers, and the matrices have 40 rows; its kernels cover 2"):
        expm(matrices(40, 40, dtype=torch.complex64), backend="gpu")
    with pytest.raises(ValueError, match="the matrices have 40 rows"):
        expm(matrices(40, 40), backend="gpu", structure="skew-symmetric")
    monkeypatch.setattr(cpu.loading, "missing", lambda: "it is switched off")
    with pytest.raises(ValueError, match="backend 'cpu' cannot exponentiate `A`: it is switched off"):
        expm(matrices(4, 4), backend="cpu")


def test_a_name_is_heeded_inside_transforms_and_compiled_code() -> None:
    A = matrices(2, 4, 4)

    def named(A: Tensor) -> Tensor:
        return expm(A, backend="cpu")

    assert torch.equal(torch.func.vmap(named)(A), expm(A))
    assert torch.equal(torch.compile(named, backend="eager", fullgraph=True)(A), expm(A))
    B = matrices(2, 36, 36)
    alike = expm(B, structure="skew-symmetric", backend="cpu")
    inside = torch.func.vmap(lambda B: expm(B, structure="skew-symmetric", backend="cpu"))(B)
    torch.testing.assert_close(inside, alike)
    with pytest.raises(ValueError, match="backend 'gpu' cannot"):
        torch.func.vmap(lambda A: expm(A, backend="gpu"))(A)


def test_a_new_backend_is_one_class_and_one_line_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the class stands in this file, and the line is put in from outside."""

    class Diagonal(Eager):
        name = "diagonal"

        def why_not(self, A: Tensor, E: Tensor | None = None, states: Tensor | None = None) -> list[str]:
            diagonal = A.diagonal(dim1=-2, dim2=-1)
            return [] if torch.equal(A, diagonal.diag_embed()) else ["the matrices are not diagonal"]

        def exponential(self, A, options):  # type: ignore[no-untyped-def]
            return A.diagonal(dim1=-2, dim2=-1).exp().diag_embed(), None, None

    monkeypatch.setattr(backends, "TABLE", (Diagonal(), *TABLE))
    A = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert torch.equal(expm(A), A.diagonal().exp().diag())
    assert explain(A).backend == "diagonal"
    assert explain(A + 1).reasons["diagonal"] == ("the matrices are not diagonal",)


@pytest.mark.parametrize("name", ["Cpu", "Gpu"])
def test_a_backend_is_named_by_its_own_file_and_by_the_table_alone(name: str) -> None:
    naming = {str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.py") if f" {name}" in path.read_text()}
    assert naming == {"backends/__init__.py", f"backends/{name.lower()}/__init__.py"}
