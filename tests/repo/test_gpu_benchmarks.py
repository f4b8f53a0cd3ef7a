"""The benchmarks of the kernels for GPUs run, as far as they can without one: compiled, or interpreted on the CPU."""

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from symplectic_ops.backends import cpu, gpu

from .conftest import PATIENCE

pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning:triton"),  # numpy's, of infinities that go through
    pytest.mark.skipif(not gpu.loading.triton_is_here(), reason="there is no Triton 3.8 or newer"),
]


@pytest.fixture
def module(root: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """The benchmark of this name as a module, with the kernels interpreted."""
    monkeypatch.syspath_prepend(root / "benchmarks")
    monkeypatch.setattr(gpu, "DEVICE", "cpu")
    monkeypatch.setattr(cpu.loading, "missing", lambda: "it is switched off")
    monkeypatch.setattr(importlib.import_module("gpu.timing"), "ROUNDS", 1)
    return importlib.import_module(request.param)


def pretended(call: Any, count: int) -> float:
    """Every call takes a millisecond."""
    call()
    return 1e-3


def as_it_is(call: Any) -> Any:
    """Nothing is recorded."""
    return call


@pytest.mark.parametrize("script", ["gpu/expm.py", "gpu/flow.py"])
def test_without_a_gpu_they_say_so_in_one_sentence(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], script: str
) -> None:
    monkeypatch.syspath_prepend(root / "benchmarks")
    monkeypatch.setattr(sys, "argv", [script])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(root / "benchmarks" / script), run_name="__main__")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        f"{script} measures kernels on a GPU, and torch sees no CUDA GPU here: run it on a machine that has one.\n"
    )


@pytest.mark.parametrize("module", ["gpu.expm"], indirect=True)
def test_a_line_of_the_exponential_has_times_errors_and_shares(module: Any) -> None:
    limits = module.roofline(module.DTYPES, "cpu", pretended, size=16)
    assert limits.bytes == 2 * 4 * 4 * 16 * 16 / 1e-3 and limits.multiply_adds["float64"] == 16**3 / 1e-3
    for what, moved, passes in ((module.FORWARD, 2, 1), (module.BOTH, 5, 4)):
        line = module.row(3, 4, "float64", 0.1, what, "cpu", pretended, as_it_is)
        assert line["error_of_ours_over_plain"] > 0
        line = module.with_shares(line, limits)
        assert line["contenders"].keys() == {"torch", "plain", "checked", "ours", "recorded"}
        for cell in line["contenders"].values():
            assert cell["us"] == 1000 and cell["torch_over_it"] == 1 and cell["error"] < 1e-14
        assert line["share_of_copy_bandwidth"] == pytest.approx(moved * 3 * 16 * 8 / (2 * 4096), abs=1e-3)
        assert line["share_of_multiply_add_rate"] == pytest.approx(passes * 5 * 3 * 64 / 4096, abs=1e-3)


@pytest.mark.parametrize("module", ["gpu.expm"], indirect=True)
def test_no_products_are_counted_where_the_kernels_do_not_go(module: Any) -> None:
    line = module.row(1, 34, "float32", 0.1, module.FORWARD, "cpu", pretended, as_it_is)
    limits = module.Roofline(1e9, {"float32": 1e9})
    assert module.with_shares(line, limits)["share_of_multiply_add_rate"] is None


@pytest.mark.parametrize("module", ["gpu.expm"], indirect=True)
def test_what_is_far_from_float64_is_found_before_anything_is_timed(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.too_large("cpu", as_it_is, sizes=(3,)) == []
    monkeypatch.setitem(module.CONTENDERS, "ours", lambda A: 1.001 * torch.linalg.matrix_exp(A))
    found = module.too_large("cpu", as_it_is, sizes=(2,))
    assert "ours, forward, 2 × 2, float32, norm 0.1, factor 1: 1.0e-03" in found
    assert "recorded, forward and backward, 2 × 2, float64, norm 10, factor 1e+06: 1.0e-03" in found


@pytest.mark.parametrize("module", ["gpu.timing"], indirect=True)
def test_a_contender_that_does_not_find_the_memory_leaves_the_others_their_turns(module: Any) -> None:
    def greedy() -> None:
        raise torch.OutOfMemoryError

    assert module.measured({"greedy": greedy, "modest": lambda: None}, pretended) == {"greedy": None, "modest": 1e-3}


@pytest.mark.parametrize("module", ["gpu.flow"], indirect=True)
def test_a_line_of_the_flow_has_times_and_errors(module: Any) -> None:
    line = module.row(4, 3, 5, "cpu", pretended)
    assert line["us"] == {
        "forward": {"loop": 1000, "exponentials": 1000, "ours": 1000},
        "forward and backward": {"exponentials": 1000, "ours": 1000},
    }
    assert line["error"].keys() == {"loop", "exponentials", "ours"} and max(line["error"].values()) < 1e-6


@pytest.mark.parametrize("module", ["gpu.flow"], indirect=True)
def test_a_flow_that_is_far_from_float64_is_not_timed(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = module.flow
    monkeypatch.setattr(module, "flow", lambda H, s0, times: 1.001 * flow(H, s0, times))
    with pytest.raises(SystemExit, match=r"1\.0e-03 from float64 at n = 4, 3 states, 5 times|2\.0e-03 from"):
        module.row(4, 3, 5, "cpu", pretended)


@pytest.mark.parametrize("n", [8, pytest.param(16, marks=pytest.mark.long), pytest.param(32, marks=pytest.mark.long)])
def test_every_kernel_compiles_for_a_gpu_and_keeps_its_matrices_in_registers(
    root: Path, tmp_path: Path, n: int
) -> None:
    """No number of a float32 exponential is a float64 on the way."""
    result = tmp_path / "kernels.json"
    words = ("--sizes", str(n), "--result", str(result))
    command = [sys.executable, str(root / "benchmarks" / "gpu" / "ahead_of_time.py"), *words]
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path / "cache")}
    subprocess.run(command, check=True, capture_output=True, env=environment, timeout=PATIENCE)
    rows = json.loads(result.read_text())["rows"]
    assert len(rows) == 4 * 2  # a flow with and without what is added
    for row in rows:
        assert 0 < row["registers"] <= 255
        assert row["spilled_bytes"] <= (64 if n == 32 else 0)  # another version of Triton may need a few there
        doubles = {"DFMA", "DMMA"} & row.keys()
        assert bool(doubles) == (row["dtype"] == "float64" or row["kernel"] == "recurrences")
