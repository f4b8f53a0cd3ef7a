"""One representative size of every family under pytest-benchmark, for comparing one commit with another.

    python -m pytest benchmarks --benchmark-only
    python -m pytest benchmarks --benchmark-only --benchmark-save=before
    python -m pytest benchmarks --benchmark-only --benchmark-compare=0001

Each family is a group, and the number in parentheses is the ratio to its fastest contender. One thread, minutes in all.
The committed tables come from `make bench`, which interleaves its contenders and takes far longer.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

import hamvae_model as hv
import symplectic_ops as so
from hamvae_model.training import new_optimiser, train_step, untrained

Benchmark = Callable[..., object]

COUNT, SIDE = 64, 16  # matrices and their rows
TIMES = 64  # of the flow
GIFS = 24  # clips that are decoded


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def matrices() -> Tensor:
    """Hamiltonian, (64, 16, 16), float32, 1-norms about 10."""
    space = so.Hamiltonian(SIDE // 2)
    H: Tensor = space(torch.randn(COUNT, space.dim, generator=torch.Generator().manual_seed(0)))
    return H * 10 / H.abs().sum(-2).amax(-1)[:, None, None]


@pytest.fixture(scope="module")
def source() -> hv.Source:
    return hv.open_source("builtin")


@pytest.fixture(scope="module")
def run(source: hv.Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the demo preset after two steps: what swapping costs does not depend on what was learned."""
    folder = tmp_path_factory.mktemp("benchmarks") / "run"
    for _ in hv.fit(hv.build("demo", source=source, steps=2), folder, source=source):
        pass
    return folder


# The exponential -----------------------------------------------------------------------------------------------------

EXPONENTIALS: dict[str, Callable[[Tensor], Tensor]] = {
    "symplectic_ops": so.expm,
    "torch": torch.linalg.matrix_exp,
}


@pytest.mark.benchmark(group="exponential of 64 matrices of 16 rows, float32: value")
@pytest.mark.parametrize("contender", [*EXPONENTIALS, "scipy"])
def test_expm_value(benchmark: Benchmark, contender: str, matrices: Tensor) -> None:
    if contender == "scipy":
        benchmark(scipy.linalg.expm, matrices.numpy())
    else:
        EXPONENTIALS[contender](matrices)  # compiles, the first time
        benchmark(EXPONENTIALS[contender], matrices)


@pytest.mark.benchmark(group="exponential of 64 matrices of 16 rows, float32: value and gradient")
@pytest.mark.parametrize("contender", [*EXPONENTIALS, "scipy"])
def test_expm_gradient(benchmark: Benchmark, contender: str, matrices: Tensor) -> None:
    G = torch.randn(matrices.shape, generator=torch.Generator().manual_seed(1))
    if contender == "scipy":  # it has no gradient; the adjoint of a derivative is one of the transpose
        pairs = list(zip(matrices.mT.numpy(), G.numpy(), strict=True))
        benchmark(lambda: np.stack([scipy.linalg.expm_frechet(A, E, compute_expm=False) for A, E in pairs]))
        return
    leaf, expm = matrices.clone().requires_grad_(), EXPONENTIALS[contender]
    torch.autograd.grad(expm(leaf), leaf, G)
    benchmark(lambda: torch.autograd.grad(expm(leaf), leaf, G))


# The flow ------------------------------------------------------------------------------------------------------------


@pytest.mark.benchmark(group="flow of 9 operators at 64 evenly spaced times: states")
@pytest.mark.parametrize("contender", ["symplectic_ops", "loop over times", "torch, one exponential per time"])
def test_flow(benchmark: Benchmark, contender: str) -> None:
    space = so.SkewSymmetricHamiltonian(SIDE // 2)  # whose orbits are bounded, so that all contenders agree
    H = space(torch.randn(9, space.dim, generator=torch.Generator().manual_seed(0)) / SIDE)
    states = torch.randn(32, 9, SIDE, generator=torch.Generator().manual_seed(2))
    times = torch.arange(float(TIMES))

    def loop() -> Tensor:
        return torch.stack([(so.expm(t * H) @ states.unsqueeze(-1)).squeeze(-1) for t in times], dim=1)

    def exponentials() -> Tensor:
        E = torch.linalg.matrix_exp(times[:, None, None, None] * H)
        return (E @ states[:, None, :, :, None]).squeeze(-1)

    def flow() -> Tensor:
        return so.flow(H, states, times.expand(len(states), -1))

    calls = {"symplectic_ops": flow, "loop over times": loop, "torch, one exponential per time": exponentials}
    torch.testing.assert_close(calls[contender](), exponentials(), rtol=1e-3, atol=1e-3)
    benchmark(calls[contender])


# The model -----------------------------------------------------------------------------------------------------------


@pytest.mark.benchmark(group="one training step of the demo preset, 32 clips")
def test_training_step(benchmark: Benchmark, source: hv.Source) -> None:
    network = untrained(hv.build("demo", source=source))
    optimiser = new_optimiser(network)
    torch.set_flush_denormal(True)
    try:
        benchmark.pedantic(  # type: ignore[attr-defined]
            train_step, args=(network, optimiser, source, 1), rounds=8, warmup_rounds=2
        )
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.benchmark(group="decoding 24 clips of 8 frames")
@pytest.mark.parametrize("format", [".gif", ".apng", ".webp"])
def test_decoding(benchmark: Benchmark, format: str, tmp_path: Path) -> None:
    clips = [hv.open_clip(f"builtin:test/{number}/walk-left") for number in range(GIFS)]
    paths = [tmp_path / f"{number}{format}" for number in range(GIFS)]
    for clip, path in zip(clips, paths, strict=True):
        hv.write(path, clip.frames)
    benchmark(lambda: [hv.read(path) for path in paths])


@pytest.mark.benchmark(group="swap from file to file")
@pytest.mark.parametrize("loaded", [True, False], ids=["model in memory", "model loaded each time"])
def test_swap(benchmark: Benchmark, run: Path, tmp_path: Path, loaded: bool) -> None:
    for name, reference in (("hero", "builtin:test/3/walk-left"), ("move", "builtin:test/8/slash-front")):
        hv.write(tmp_path / f"{name}.gif", hv.open_clip(reference).frames)
    model = hv.load(run)

    def swap() -> None:
        used = model if loaded else hv.load(run)
        clip = used.swap(hv.read(tmp_path / "hero.gif"), hv.read(tmp_path / "move.gif"), "slash-front")
        hv.write(tmp_path / "out.gif", clip.frames)

    benchmark(swap)


# Start-up ------------------------------------------------------------------------------------------------------------

STARTS = {
    "python": ["-c", "pass"],
    "import torch": ["-c", "import torch"],
    "import symplectic_ops": ["-c", "import symplectic_ops"],
    "import hamvae_model": ["-c", "import hamvae_model"],
    "hamvae --help": ["-m", "hamvae_cli", "--help"],
    "hamvae inspect RUN": ["-m", "hamvae_cli", "inspect", "RUN"],
}


@pytest.mark.benchmark(group="start-up")
@pytest.mark.parametrize("what", STARTS)
def test_start_up(benchmark: Benchmark, what: str, run: Path) -> None:
    command = [sys.executable, *(str(run) if word == "RUN" else word for word in STARTS[what])]
    benchmark.pedantic(  # type: ignore[attr-defined]
        subprocess.run, args=(command,), kwargs={"check": True, "capture_output": True}, rounds=5, warmup_rounds=1
    )
