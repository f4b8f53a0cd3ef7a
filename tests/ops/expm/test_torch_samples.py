"""torch's own sample inputs for `matrix_exp`, and the checks torch makes with them, run on ours."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from symplectic_ops import NonFiniteError, expm

# In a process of its own: importing torch's definitions freezes torch's global flags and changes hypothesis' settings.
WRITE_SAMPLES = """
import sys, torch
from torch.testing._internal.common_methods_invocations import op_db

(op,) = [op for op in op_db if op.name == "matrix_exp"]
samples = {}
for dtype in op.supported_dtypes("cpu"):
    found = [*op.sample_inputs("cpu", dtype)]
    if dtype.is_complex:
        found += op.sample_inputs("cpu", dtype, include_conjugated_inputs=True)
    assert not any(sample.args or sample.kwargs for sample in found)
    samples[dtype] = [sample.input for sample in found] + [sample.noncontiguous().input for sample in found]
torch.save({"samples": samples, "error inputs": op.error_inputs_func is not None}, sys.argv[1])
"""
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128]

# The first use of forward mode makes torch load a module of its own that still calls torch.jit.script.
pytestmark = [
    pytest.mark.usefixtures("either_way"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path: Path = tmp_path_factory.mktemp("torch") / "samples.pt"
    subprocess.run([sys.executable, "-c", WRITE_SAMPLES, path], check=True)
    return torch.load(path)


@pytest.fixture(scope="module")
def samples(written: dict[str, Any]) -> dict[torch.dtype, list[Tensor]]:
    return written["samples"]


def test_these_are_all_that_torch_declares(written: dict[str, Any]) -> None:
    assert written["samples"].keys() == set(DTYPES)
    assert not written["error inputs"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_value_is_the_exponential_or_an_error_where_the_dtype_overflows(
    dtype: torch.dtype, samples: dict[torch.dtype, list[Tensor]]
) -> None:
    wide = torch.complex128 if dtype.is_complex else torch.float64
    for A in samples[dtype]:
        # Doubled, because torch's own is wrong for some single matrices.
        exact = torch.linalg.matrix_exp(torch.stack([A, A]).to(wide))[0]
        if not exact.to(dtype).isfinite().all():
            with pytest.raises(NonFiniteError, match="overflows"):
                expm(A)
            continue
        error = torch.linalg.matrix_norm(expm(A) - exact) / torch.linalg.matrix_norm(exact)
        condition = 1 + torch.linalg.matrix_norm(A.to(wide))  # of a normal matrix; of others it is larger
        assert (error <= 4 * torch.finfo(dtype).eps * condition).all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_the_gradients_pass_in_every_mode(dtype: torch.dtype, samples: dict[torch.dtype, list[Tensor]]) -> None:
    for sample in samples[dtype]:
        A = sample.detach().requires_grad_()
        assert gradcheck(
            expm,
            (A,),
            check_forward_ad=True,
            check_batched_grad=True,
            check_batched_forward_grad=True,
            fast_mode=True,
        )
        assert gradgradcheck(expm, (A,), check_batched_grad=True, check_fwd_over_rev=True, fast_mode=True)
