"""A batch in parts, in many processes, ahead of time or compiled: the same numbers, in less memory or less time."""

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
import torch
from torch import Tensor, nn
from torch.distributed import HashStore, PrefixStore

import hamvae_model as hv
from hamvae_model.config.execution import Execution
from hamvae_model.data import Characters
from hamvae_model.network import HamVAE, Network
from hamvae_model.training import Ranks, Stepper, draw_step, new_optimiser, untrained
from hamvae_model.training.meeting import ASKING, fresh_part
from hamvae_model.training.memory import is_out_of_memory
from hamvae_model.training.views import share

pytestmark = pytest.mark.usefixtures("hurried")


class Alone(Ranks):
    """One of several processes that hears nothing of the others."""

    def wrap(self, model: nn.Module) -> nn.Module:
        return model

    def total(self, values: Tensor) -> Tensor:
        return values


@pytest.fixture(scope="session")
def uneven(tiny: hv.Config) -> hv.Config:
    """A batch of seven, whose gradient is never clipped."""
    return dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, batch=7, gradient_clip=1e9))


def stepped(
    config: hv.Config,
    source: Characters,
    execution: Execution | None = None,
    ranks: Ranks | None = None,
    steps: int = 1,
) -> tuple[dict[str, Tensor], Network]:
    """The terms of the last of so many steps, and the model they leave."""
    model = untrained(config)
    step = Stepper(model, new_optimiser(model), source, execution, ranks or Ranks())
    for number in range(1, steps + 1):
        terms = step(number)
    step.close()
    return terms, model


def gradient(model: nn.Module) -> Tensor:
    return torch.cat([value.grad.double().flatten() for value in model.parameters() if value.grad is not None])


def weights(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def distance(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).norm() / theirs.norm())


@pytest.mark.parametrize(("rows", "parts", "sizes"), [(10, 4, [3, 3, 2, 2]), (4, 4, [1, 1, 1, 1]), (7, 1, [7])])
def test_a_batch_is_shared_in_its_order_and_as_evenly_as_it_can_be(rows: int, parts: int, sizes: list[int]) -> None:
    shares = [list(range(rows))[share(rows, parts, part)] for part in range(parts)]
    assert [len(some) for some in shares] == sizes
    assert [row for some in shares for row in some] == list(range(rows))


def test_rows_of_a_draw_are_those_of_the_draw_of_the_whole_batch(uneven: hv.Config, builtin: Characters) -> None:
    whole = draw_step(uneven, builtin, 5)
    for rows in (slice(0, 3), slice(3, 7)):
        part = draw_step(uneven, builtin, 5, rows)
        for ours, theirs in ((part.views, whole.views), (part.noise, whole.noise)):
            assert all(value.equal(vars(theirs)[name][rows]) for name, value in vars(ours).items())


@pytest.mark.parametrize("size", [2, 3])
def test_the_gradients_and_terms_of_the_shares_make_up_those_of_the_batch(
    uneven: hv.Config, builtin: Characters, size: int
) -> None:
    terms, whole = stepped(uneven, builtin)
    shares = [stepped(uneven, builtin, ranks=Alone(rank=rank, size=size)) for rank in range(size)]
    mean = sum(gradient(model) for _, model in shares) / size  # as the processes average them
    assert isinstance(mean, Tensor) and distance(mean, gradient(whole)) < 1e-5
    for name in terms.keys() - {"gradient_norm", "clipped"}:
        assert float(sum(found[name] for found, _ in shares)) == pytest.approx(float(terms[name]), rel=1e-5)


def test_a_batch_in_parts_leaves_the_same_losses_and_weights(uneven: hv.Config, builtin: Characters) -> None:
    terms, whole = stepped(uneven, builtin, steps=4)
    for parts in (2, 7):
        found, model = stepped(uneven, builtin, Execution(accumulate=parts), steps=4)
        assert distance(weights(model), weights(whole)) < 1e-5
        assert {name: float(value) for name, value in found.items()} == pytest.approx(
            {name: float(value) for name, value in terms.items()}, rel=1e-4
        )


def test_batches_prepared_ahead_are_the_same_to_the_last_bit_and_made_by_threads_that_end(
    uneven: hv.Config, builtin: Characters
) -> None:
    _, plain = stepped(uneven, builtin, steps=5)
    before = threading.active_count()
    _, ahead = stepped(uneven, builtin, Execution(workers=2), steps=5)
    assert weights(ahead).equal(weights(plain)) and threading.active_count() == before


def test_what_goes_wrong_while_preparing_ahead_is_raised_by_the_step_it_was_for(
    uneven: hv.Config, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = untrained(uneven)
    step = Stepper(model, new_optimiser(model), builtin, Execution(workers=2))
    step(1)
    step.draws._coming.clear()

    def refuse(*arguments: object) -> Tensor:
        raise hv.HamvaeError("The disk refused a clip.")

    monkeypatch.setattr(builtin, "frames", refuse)
    with pytest.raises(hv.HamvaeError, match="The disk refused a clip"):
        step(2)
    step.close()


@pytest.mark.filterwarnings("ignore")  # dynamo's own, of what it met
def test_a_compiled_network_learns_the_same_and_leaves_the_model_as_it_was(
    uneven: hv.Config, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a compiler that takes no time: what it is given is what the real one is given."""
    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda model, **options: real(model, backend="eager", **options))
    terms, whole = stepped(uneven, builtin, steps=3)
    found, model = stepped(uneven, builtin, Execution(compile=True), steps=3)
    assert distance(weights(model), weights(whole)) < 1e-5
    assert float(found["loss"]) == pytest.approx(float(terms["loss"]), rel=1e-5)
    assert model.state_dict().keys() == whole.state_dict().keys()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_the_compiler_of_this_machine_compiles_it(uneven: hv.Config, builtin: Characters) -> None:
    terms, _ = stepped(uneven, builtin, steps=3)
    found, _ = stepped(uneven, builtin, Execution(compile=True), steps=3)
    assert float(found["loss"]) == pytest.approx(float(terms["loss"]), rel=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_where_nothing_can_be_compiled_it_is_said_in_one_sentence(
    uneven: hv.Config, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = torch.compile

    def broken(graph: object, examples: object) -> None:
        raise RuntimeError("No working C++ compiler found")

    monkeypatch.setattr(torch, "compile", lambda model, **options: real(model, backend=broken, **options))
    with pytest.raises(hv.HamvaeError, match=r"cannot be compiled here \(.*compiler.*\); train without --compile"):
        stepped(uneven, builtin, Execution(compile=True))


def test_deterministic_operations_are_asked_for_while_training_and_no_longer(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    forward = HamVAE.forward

    def watched(model: HamVAE, *inputs: object) -> object:
        asked.append(torch.are_deterministic_algorithms_enabled() and torch.backends.cudnn.deterministic)
        return forward(model, *inputs)  # type: ignore[arg-type]

    monkeypatch.setattr(HamVAE, "forward", watched)
    for _ in hv.fit(tiny, tmp_path / "run", source=builtin, execution=Execution(deterministic=True)):
        assert not torch.are_deterministic_algorithms_enabled() and not torch.backends.cudnn.deterministic
    assert asked and all(asked)


# Too much ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the network fail, as torch does, on more than so many clips at once."""
    forward = HamVAE.forward

    def limit(rows: int) -> None:
        def limited(model: HamVAE, views: object, noise: object) -> object:
            if len(views.labels) > rows:  # type: ignore[attr-defined]
                raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")
            return forward(model, views, noise)  # type: ignore[arg-type]

        monkeypatch.setattr(HamVAE, "forward", limited)

    return limit


def test_without_memory_training_saves_and_says_what_would_fit_and_that_continues_to_the_same_end(
    tiny: hv.Config, builtin: Characters, run: Path, tmp_path: Path, memory_for: Callable[[int], None]
) -> None:
    reports = hv.fit(tiny, tmp_path / "run", source=builtin)
    next(reports)
    memory_for(2)
    with pytest.raises(hv.HamvaeError) as told:
        list(reports)
    assert str(told.value) == (
        "A batch of 4 clips needs more memory than there is; what was learned is saved. 2 at a time would fit and give "
        f"the same result; go on with: hamvae train --resume {tmp_path / 'run'} --accumulate 2"
    )
    for _ in hv.fit(tiny, tmp_path / "run", source=builtin, resume=True, execution=Execution(accumulate=2)):
        pass
    assert distance(weights(hv.load(tmp_path / "run").network), weights(hv.load(run).network)) < 1e-5


def test_a_process_that_does_not_write_promises_only_what_was_saved_and_names_the_command_of_all(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, memory_for: Callable[[int], None], second: None
) -> None:
    memory_for(1)
    with pytest.raises(hv.HamvaeError) as told:
        list(hv.fit(tiny, tmp_path / "run", source=builtin, resume=True))
    assert str(told.value) == (
        "A batch of 4 clips needs more memory than there is; what was saved last is kept. 1 at a time would fit and "
        "give the same result; go on with: torchrun --standalone --nproc-per-node 2 -m hamvae_cli train "
        f"--resume {tmp_path / 'run'} --accumulate 2"
    )


@pytest.mark.parametrize(
    "said",
    ["could not create a primitive", "could not execute a primitive", "std::bad_alloc", "CUBLAS_STATUS_ALLOC_FAILED"],
)
def test_libraries_say_in_words_of_their_own_that_memory_ended(said: str) -> None:
    assert is_out_of_memory(RuntimeError(said)) and not is_out_of_memory(RuntimeError("sizes do not fit"))


def test_where_no_number_of_parts_fits_none_is_named(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, memory_for: Callable[[int], None]
) -> None:
    memory_for(0)
    with pytest.raises(hv.HamvaeError, match="Not even in parts does it fit"):
        list(hv.fit(tiny, tmp_path / "run", source=builtin))


def test_a_batch_that_cannot_even_be_drawn_is_answered_in_one_sentence(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> Tensor:
        raise MemoryError

    reports = hv.fit(tiny, tmp_path / "run", source=builtin)
    monkeypatch.setattr("hamvae_model.training.step.draw_step", refuse)
    with pytest.raises(hv.HamvaeError, match="A batch of 4 clips needs more memory than there is"):
        list(reports)


def test_other_failures_of_the_network_stay_what_they_are(
    tiny: hv.Config, builtin: Characters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*inputs: object) -> None:
        raise RuntimeError("sizes do not fit")

    monkeypatch.setattr(HamVAE, "forward", broken)
    with pytest.raises(RuntimeError, match="sizes do not fit"):
        stepped(tiny, builtin)


def test_more_processes_or_parts_than_clips_are_refused(uneven: hv.Config, builtin: Characters) -> None:
    with pytest.raises(hv.UsageError, match="A batch of 7 cannot be shared among 8 processes; start at most 7"):
        stepped(uneven, builtin, ranks=Alone(rank=0, size=8))
    with pytest.raises(hv.UsageError, match=r"cut into 4 parts for each of 2 processes; use --accumulate 3 or less"):
        stepped(uneven, builtin, Execution(accumulate=4), Alone(rank=0, size=2))
    with pytest.raises(hv.UsageError, match="at least one part"):
        Execution(accumulate=0)


# Met ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def second(tiny: hv.Config, builtin: Characters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is the second of two, which have just begun a run."""
    hv.fit(tiny, tmp_path / "run", source=builtin).close()
    monkeypatch.setattr(Ranks, "current", lambda: Alone(rank=1, size=2))


def test_a_process_that_finds_another_state_than_the_first_does_not_train_with_it(
    tiny: hv.Config, builtin: Characters, tmp_path: Path, second: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Alone, "agreed", lambda ranks, answer: answer + 20)
    with pytest.raises(hv.HamvaeError, match="is not the one that process 0 sees"):
        hv.fit(tiny, tmp_path / "run", source=builtin, resume=True)


def test_what_the_first_process_answers_reaches_the_others_as_a_number_of_one_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """gloo ends processes whose numbers differ in size."""
    sent = []
    monkeypatch.setattr(Alone, "total", lambda ranks, value: sent.append(value) or value)
    assert Alone(rank=0, size=2).agreed(True) == 1 and Alone(rank=1, size=2).agreed(7) == 0
    assert {value.dtype for value in sent} == {torch.int64}


def test_processes_that_start_again_meet_apart_from_all_who_ended_in_the_same_store() -> None:
    store = HashStore()

    def meet(size: int) -> list[PrefixStore]:
        with ThreadPoolExecutor(size) as processes:
            return list(processes.map(lambda rank: fresh_part(store, rank, size), range(size)))

    for part in meet(3):
        part.set("address", "of one who ended")
    store.append(ASKING, uuid4().hex)  # and one who asked, and ended before there was an answer
    first, *others = meet(3)
    assert not first.check(["address"])
    first.set("address", "of one who lives")
    assert [part.get("address") for part in others] == [b"of one who lives"] * 2


# Stopped -----------------------------------------------------------------------------------------------------------


def test_asked_to_stop_training_finishes_the_step_and_saves(
    tiny: hv.Config, builtin: Characters, run: Path, tmp_path: Path
) -> None:
    answers = iter([False, False, True])
    *_, last = hv.fit(tiny, tmp_path / "run", source=builtin, stop=lambda: next(answers))
    assert last.step == 3
    *_, last = hv.fit(tiny, tmp_path / "run", source=builtin, resume=True)
    assert last.step == 6
    assert weights(hv.load(tmp_path / "run").network).equal(weights(hv.load(run).network))
