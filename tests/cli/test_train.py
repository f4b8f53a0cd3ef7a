"""hamvae train: begin, watch, stop, continue."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click
import pytest
import torch
from torch.distributed.run import get_args_parser

import hamvae_model as hv
from hamvae_cli._console import training_view
from hamvae_cli._training import Interruption
from hamvae_cli.train import train
from hamvae_model.data import Characters
from hamvae_model.runs import kept_states, load_config, steps_done

from .conftest import Command

Refusal = Callable[..., str]
PATIENCE = 600  # seconds; the machine may be busy


@pytest.fixture
def interrupted(tiny: hv.Config, builtin: Characters, here: Path) -> Path:
    """A run stopped after 10 of its 12 steps."""
    with closing(hv.fit(tiny, here / "stopped", source=builtin)) as reports:
        next(reports)
    return here / "stopped"


@pytest.fixture
def endless(tiny: hv.Config, builtin: Characters, here: Path) -> Path:
    """A run stopped after 10 of very many steps."""
    training = replace(tiny.training, steps=10**6, save_every=10**6, sample_every=10**6)
    with closing(hv.fit(replace(tiny, training=training), here / "endless", source=builtin)) as reports:
        next(reports)
    return here / "endless"


@pytest.fixture
def training(endless: Path) -> Iterator["subprocess.Popen[str]"]:
    """`hamvae train --resume` of the endless run in another process, after its first line of progress."""
    command = [sys.executable, "-u", "-m", "hamvae_cli", "train", "--resume", str(endless), "--device", "cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    with process:
        try:
            assert process.stdout.readline().startswith("step 20/1000000")
            yield process
        finally:
            process.kill()


@pytest.mark.usefixtures("tiny_demo")
def test_training_leaves_a_complete_run_where_it_was_told_to(hamvae: Command, here: Path) -> None:
    result = hamvae("train", "--data", "builtin", "--run", "mine", "--steps", "3", "--seed", "5")
    assert result.exit_code == 0, result.output
    config = load_config(here / "mine")
    assert (steps_done(here / "mine"), config.training.steps, config.training.seed) == (3, 3, 5)


@pytest.mark.usefixtures("tiny_demo")
def test_by_default_the_preset_and_the_folder_follow_from_the_source(hamvae: Command, here: Path) -> None:
    assert hamvae("train", "--data", "builtin", "--steps", "1").exit_code == 0
    assert load_config(here / "runs" / "builtin-demo").preset == "demo"


@pytest.mark.usefixtures("tiny_demo")
def test_operator_and_labels_take_the_place_of_the_presets(hamvae: Command, here: Path) -> None:
    words = ["train", "--data", "builtin", "--steps", "1", "--run", "r", "--operator", "elliptic", "--labels", "action"]
    assert hamvae(*words).exit_code == 0
    config = load_config(here / "r")
    assert (config.model.operator, config.model.classes) == ("elliptic", ("walk", "wave", "slash"))


@pytest.mark.usefixtures("tiny_demo")
def test_a_log_gets_plain_lines_with_every_fact(hamvae: Command) -> None:
    lines = hamvae("train", "--data", "builtin", "--run", "r").stdout.splitlines()
    assert len(lines) == 3  # the first report, the last one, and what to do next
    assert lines[0].startswith("step 10/12  ")
    for fact in (" left  ", " clips/s  ", "loss ", "reconstruction ", "content ", "position ", "momentum "):
        assert fact in lines[0]
    assert " dB  sheet r/samples/step-000012.png" in lines[1]
    assert lines[2] == "Trained r; look at what it learned with: hamvae inspect r"


@pytest.mark.usefixtures("tiny_demo", "on_a_terminal")
def test_a_terminal_gets_a_panel_with_every_fact(hamvae: Command) -> None:
    screen = click.unstyle(hamvae("train", "--data", "builtin", "--run", "r").stdout)
    first, last = screen.index("Training"), screen.index("Trained")
    assert screen.index("Preparing") < first < last
    assert "━━━" in screen[first:last] and "10/12" in screen[first:last]
    for fact in ("12/12", " left", " clips/s", "loss", "reconstruction", "content", "position", "momentum"):
        assert fact in screen[last:]
    assert " dB  newest sheet r/samples/step-000012.png" in screen[last:]
    assert screen.count("\x1b[?25l") == screen.count("\x1b[?25h")  # the cursor comes back as often as it is hidden


@pytest.mark.usefixtures("tiny_demo")
def test_json_is_all_there_is_on_standard_output(hamvae: Command) -> None:
    result = hamvae("train", "--data", "builtin", "--run", "r", "--json")
    summary = json.loads(result.stdout)
    assert summary.keys() == {"run", "steps", "seconds", "sequences_per_second", "losses", "psnr"}
    assert (summary["run"], summary["steps"]) == ("r", 12)
    assert summary["psnr"] > 0 and summary["losses"]["reconstruction"] > 0
    assert result.stderr.startswith("step 10/12")


def test_resuming_continues_to_the_end(hamvae: Command, interrupted: Path) -> None:
    assert steps_done(interrupted) == 10
    result = hamvae("train", "--resume", interrupted)
    assert result.exit_code == 0, result.output
    assert steps_done(interrupted) == 12


def test_an_interruption_changes_nothing_of_what_is_learned(hamvae: Command, interrupted: Path, run: Path) -> None:
    hamvae("train", "--resume", interrupted, "--device", "cpu")
    resumed, whole = (hv.load(folder).network.state_dict() for folder in (interrupted, run))
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())


def test_resuming_a_finished_run_says_that_nothing_is_left(hamvae: Command, run: Path) -> None:
    assert hamvae("train", "--resume", run).stdout == f"{run} has done all its 12 steps; nothing is left to train.\n"
    assert json.loads(hamvae("train", "--resume", run, "--json").stdout)["losses"] is None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(
    training: "subprocess.Popen[str]", endless: Path, number: signal.Signals, code: int
) -> None:
    training.send_signal(number)
    _, errors = training.communicate(timeout=PATIENCE)
    done = steps_done(endless)
    assert training.returncode == code
    assert done is not None and done >= 20
    assert errors == f"Saved after step {done} of 1000000; go on with: hamvae train --resume {endless}\n"


def test_a_second_signal_exits_at_once_and_damages_nothing(training: "subprocess.Popen[str]", endless: Path) -> None:
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):  # stopped, so that both are waiting
        training.send_signal(number)
    _, errors = training.communicate(timeout=PATIENCE)
    assert (training.returncode, errors) == (143, "")
    assert steps_done(endless) == 10


@pytest.mark.parametrize("extra", [("--preset", "demo"), ("--operator", "elliptic"), ("--seed", "0"), ("--run", "x")])
def test_resuming_takes_nothing_that_the_run_has_settled(refusal: Refusal, extra: tuple[str, str]) -> None:
    sentence = refusal("train", "--resume", "anything", *extra, code=2)
    assert f"--resume continues a run as it was begun; leave out {extra[0]}." in sentence


def test_going_back_needs_a_run_to_go_back_in(refusal: Refusal) -> None:
    sentence = refusal("train", "--data", "builtin", "--from-step", "2", code=2)
    assert "--from-step goes back in a run; name it with --resume RUN." in sentence


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "fast"])
def test_a_learning_rate_is_a_positive_number(refusal: Refusal, rate: str) -> None:
    assert "--learning-rate" in refusal("train", "--data", "builtin", "--learning-rate", rate, code=2)


@pytest.mark.usefixtures("tiny_demo")
def test_a_run_that_diverges_goes_on_by_the_command_that_it_is_told(hamvae: Command, here: Path) -> None:
    words = ["--data", "builtin", "--operator", "unconstrained", "--learning-rate", "30"]
    result = hamvae("train", *words, "--run", "my run")
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    told = result.stderr.splitlines()[-1]
    assert told.startswith("Error: Training diverged: the gradient norm is not finite at step 3. Go back to step 0 ")
    again = hamvae("train", "--resume", "my run")  # as it was: to the same numbers, and so to the same end
    assert (again.exit_code, again.stderr.splitlines()[-1]) == (1, told)
    command = shlex.split(told.partition("learning rate: ")[2])
    assert command == [*["hamvae", "train", "--resume"], "my run", *["--from-step", "0", "--learning-rate", "3"]]
    result = hamvae(*command[1:])
    assert result.exit_code == 0, result.output
    training = load_config(here / "my run").training
    assert (steps_done(here / "my run"), training.learning_rate, training.earlier_rates) == (12, 3.0, ((0.0, 30.0),))


def test_a_damaged_state_is_named_on_standard_error_and_the_one_before_taken(
    hamvae: Command, run: Path, here: Path
) -> None:
    copy = shutil.copytree(run, here / "copy")
    (copy / "state" / "step-000012.safetensors").write_bytes(b"")
    result = hamvae("train", "--resume", "copy")
    assert result.exit_code == 0, result.output
    assert "Going on after step 0, because what was saved later is damaged. 'copy/state/step-000012" in result.stderr
    assert steps_done(copy) == 12


def test_training_needs_a_source_or_a_run(refusal: Refusal) -> None:
    assert "--data SOURCE, or continue a run with --resume RUN" in refusal("train", code=2)


@pytest.mark.usefixtures("tiny_demo")
def test_a_folder_that_holds_a_run_is_not_overwritten(refusal: Refusal, run: Path) -> None:
    sentence = refusal("train", "--data", "builtin", "--run", run, code=2)
    assert f"already holds a run; continue it with `hamvae train --resume {run}`, or choose another folder" in sentence


@pytest.mark.usefixtures("tiny_demo")
def test_batch_and_precision_take_the_place_of_the_presets(hamvae: Command, here: Path) -> None:
    words = ["train", "--data", "builtin", "--steps", "1", "--run", "r", "--batch", "3", "--precision", "bfloat16"]
    assert hamvae(*words).exit_code == 0
    training = load_config(here / "r").training
    assert (training.batch, training.bfloat16) == (3, True)


def test_how_a_run_is_carried_out_may_change_when_it_is_resumed(hamvae: Command, interrupted: Path, run: Path) -> None:
    result = hamvae("train", "--resume", interrupted, "--accumulate", "2", "--workers", "1", "--device", "cpu")
    assert result.exit_code == 0, result.output
    resumed, whole = (hv.load(folder).network.state_dict() for folder in (interrupted, run))
    assert all(torch.allclose(resumed[name], tensor, atol=1e-5) for name, tensor in whole.items())


# Several processes, as far as one can show it; tests/faults/test_processes.py starts them --------------------------


@pytest.mark.usefixtures("tiny_demo")
def test_a_command_that_the_launcher_gives_again_goes_on_with_the_run_it_began_and_with_no_other(
    hamvae: Command, interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    result = hamvae("train", "--data", "builtin", "--seed", "1", "--run", interrupted)
    assert (result.exit_code, steps_done(interrupted)) == (2, 10) and "already holds a run" in result.stderr
    result = hamvae("train", "--data", "builtin", "--run", interrupted, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("step 12/12")


@pytest.mark.parametrize("rate", [[], ["--learning-rate", "0.003"], ["--learning-rate", "0.0001"]], ids=str)
def test_a_command_that_goes_back_does_so_once_however_often_the_launcher_gives_it(
    hamvae: Command, interrupted: Path, monkeypatch: pytest.MonkeyPatch, rate: list[str]
) -> None:
    """Also when the state that it went back to is no longer kept."""
    words = ["train", "--resume", interrupted, *rate, "--from-step"]
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    assert "keeps no state after step 3" in hamvae(*words, "3").stderr
    assert hamvae(*words, "0").stdout.startswith("step 10/12")
    first = kept_states(interrupted)[0].rename(interrupted / "first")
    assert hamvae(*words, "0").stdout.endswith("has done all its 12 steps; nothing is left to train.\n")
    first.rename(interrupted / "state" / "step-000000.safetensors")
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")
    assert hamvae(*words, "0").stdout.startswith("step 10/12")


def test_another_rate_changes_nothing_of_a_run_that_is_done(hamvae: Command, run: Path, here: Path) -> None:
    copy = shutil.copytree(run, here / "copy")
    assert hamvae("train", "--resume", copy, "--learning-rate", "0.1").exit_code == 0
    assert hv.load(copy).config == load_config(copy) == load_config(run)


def test_torchrun_leaves_every_option_to_the_command_of_which_run_goes_by_its_other_name() -> None:
    """torchrun takes the beginning of one of its own options for the whole wherever it stands: `--run` for one."""
    parser = get_args_parser()
    options = [option for option in train.params if isinstance(option, click.Option)]
    names = [name for option in options for name in option.opts if name != "--run"]
    assert {"-o", "--resume", "--batch"} < set(names)
    for name in names:
        words = ["train", name, "1"]
        read = parser.parse_args(["--standalone", "--nproc-per-node", "2", "-m", "hamvae_cli", *words])
        assert (read.training_script, read.training_script_args) == ("hamvae_cli", words)
    words = ["train", "--run", "1"]
    assert parser.parse_args(["-m", "--", "hamvae_cli", *words]).training_script_args == words


def test_what_is_wrong_with_a_request_is_said_by_one_process_of_a_machine(
    hamvae: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hamvae_cli._failures.OTHERS_SPEAK", 0)
    monkeypatch.setenv("RANK", "5")
    for local, said in (("0", True), ("1", False)):
        monkeypatch.setenv("LOCAL_RANK", local)
        for words in (("train", "--preset", "dmeo"), ("train", "--resume", "nowhere")):
            result = hamvae(*words)
            assert result.exit_code == 2 and bool(result.stderr) == said
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert hamvae("train", "--resume", "nowhere").stderr.startswith("Error: Process 5: There is no trained run")


def test_a_signal_that_the_launcher_hands_on_to_one_who_has_it_already_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    interruption = Interruption()
    with closing(training_view(quiet=True)) as view, interruption.heeded(view):
        assert not interruption()
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
    assert interruption() and interruption.received == signal.SIGTERM
