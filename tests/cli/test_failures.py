"""How commands fail: one sentence, the right exit code, nothing half-written; the unforeseen keeps its traceback."""

import shutil
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner

import hamvae_model as hv
from hamvae_cli._failures import FailingGroup
from hamvae_model.runs.paths import STATES, WEIGHTS

Refusal = Callable[..., str]
LEFT, SLASH = "builtin:test/3/walk-left", "builtin:test/8/slash-left"


def group_of(command: Callable[[], None]) -> click.Group:
    return FailingGroup(commands={"do": click.Command("do", callback=command)})


def raises(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(("error", "code"), [(hv.UsageError("Ask for less."), 2), (hv.HamvaeError("Disk full."), 1)])
def test_what_the_library_raises_becomes_one_sentence_and_an_exit_code(error: hv.HamvaeError, code: int) -> None:
    result = CliRunner().invoke(group_of(raises(error)), ["do"])
    assert (result.exit_code, result.stderr) == (code, f"Error: {error}\n")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("[enforce fail] can't allocate memory: you tried to")])
def test_memory_that_ends_anywhere_is_said_in_one_sentence(error: Exception) -> None:
    result = CliRunner().invoke(group_of(raises(error)), ["do"])
    assert result.exit_code == 1 and result.stderr.startswith("Error: This needs more memory than there is. Close ")
    assert result.stderr.count("\n") == 1


def test_what_nobody_foresaw_keeps_its_traceback() -> None:
    error = RuntimeError("a bug")
    assert CliRunner().invoke(group_of(raises(error)), ["do"]).exception is error


def test_ctrl_c_exits_with_130_and_without_a_traceback() -> None:
    result = CliRunner().invoke(group_of(raises(KeyboardInterrupt())), ["do"])
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_an_unknown_preset_is_answered_with_the_nearest(refusal: Refusal) -> None:
    assert refusal("train", "--data", "builtin", "--preset", "dmeo", code=2).endswith("'dmeo'; did you mean 'demo'?")


def test_an_unknown_source_that_resembles_none_is_answered_with_all(refusal: Refusal) -> None:
    assert "'films'; choose from builtin, sprites" in refusal("train", "--data", "films", code=2)


def test_an_unknown_command_is_answered_with_the_nearest(refusal: Refusal) -> None:
    assert "No such command 'swop'. Did you mean 'swap'?" in refusal("swop", code=2)


@pytest.mark.parametrize("command", ["generate", "sample"])
def test_an_unknown_action_is_answered_with_the_nearest(refusal: Refusal, run: Path, command: str) -> None:
    image = ["--image", LEFT] if command == "generate" else []
    sentence = refusal(command, run, *image, "--action", "slsh-left", "-o", "out.gif", code=2)
    assert "no action 'slsh-left'; did you mean 'slash-left'?" in sentence


def test_a_picture_file_does_not_say_its_action_so_it_is_asked_for(refusal: Refusal, run: Path, tmp_path: Path) -> None:
    hv.write("clip.gif", hv.open_clip(SLASH).frames)
    sentence = refusal("swap", run, "--content", LEFT, "--motion", "clip.gif", "-o", "out.gif", code=2)
    assert "'clip.gif' does not say which motion it shows; name its action (--action), one of " in sentence


def test_a_missing_run_is_refused_with_the_command_that_makes_one(refusal: Refusal) -> None:
    assert "no trained run at 'nowhere" in refusal("inspect", "nowhere", code=2)
    assert "no trained run at 'nowhere" in refusal("train", "--resume", "nowhere", code=2)


@pytest.mark.parametrize(
    ("files", "words"), [(WEIGHTS, ["inspect"]), (f"{STATES}/*.safetensors", ["train", "--resume"])]
)
def test_a_damaged_run_is_refused_by_the_name_of_the_file(
    refusal: Refusal, run: Path, here: Path, files: str, words: list[str]
) -> None:
    shutil.copytree(run, here / "damaged")
    damaged = list(Path("damaged").glob(files))
    for path in damaged:
        path.write_bytes(path.read_bytes()[:1000])
    sentence = refusal(*words, "damaged", code=1)
    assert damaged and all(f"'{path}' is damaged" in sentence for path in damaged)


@pytest.mark.parametrize("words", [("swap", "--content", LEFT, "--motion", SLASH), ("reconstruct", "--clip", LEFT)])
@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("out.webm", "'out.webm' must end in one of .gif .apng .webp .mp4 .png .json"),
        ("out", "'out' must end in one of .gif"),
        ("absent/out.gif", "The folder 'absent' does not exist; make it first."),
        ("folder.gif", "'folder.gif' is a folder; name a file."),
        ("file.gif/out.gif", "'file.gif' is a file; name a folder"),
    ],
)
def test_an_output_that_could_not_be_written_is_refused_before_the_model_is_loaded(
    refusal: Refusal, here: Path, words: tuple[str, ...], output: str, sentence: str
) -> None:
    (here / "folder.gif").mkdir()
    (here / "file.gif").touch()
    command, *clips = words
    (here / "broken.safetensors").write_bytes(b"junk")
    assert sentence in refusal(command, "broken.safetensors", *clips, "-o", output, code=2)


def test_a_folder_that_takes_no_files_is_refused(refusal: Refusal, here: Path) -> None:
    kernel = Path("/proc") if Path("/proc").is_dir() else here / "closed"  # the superuser can write anywhere else
    kernel.mkdir(mode=0o500, exist_ok=True)
    (here / "broken.safetensors").write_bytes(b"junk")
    sentence = refusal("sample", "broken.safetensors", "-o", kernel / "out.gif", code=2)
    assert f"The folder '{kernel}' takes no files" in sentence


@pytest.mark.parametrize("absent", ["cuda", "mps"])
def test_a_device_that_is_absent_is_refused(refusal: Refusal, run: Path, absent: str) -> None:
    sentence = refusal("sample", run, "--device", absent, "-o", "out.gif", code=2)
    assert f"finds no {absent} device on this machine; use --device auto or --device cpu." in sentence


def test_sprites_without_their_sheets_are_refused_with_what_to_set(refusal: Refusal) -> None:
    assert "pass --root DIR or set HAMVAE_SPRITES_SHEETS" in refusal("train", "--data", "sprites", code=2)
    assert "'absent' does not exist" in refusal("train", "--data", "sprites", "--root", "absent", code=2)


def test_a_sheet_of_another_size_is_refused_by_name(refusal: Refusal, here: Path) -> None:
    (here / "sheets" / "body").mkdir(parents=True)
    hv.write(here / "sheets" / "body" / "0.png", torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    sentence = refusal("data", "preview", "sheets", "--data", "sprites", "-o", "out.png", code=2)
    assert "sheets/body/0.png' is 64×64 pixels where 832×1344 was expected" in sentence


@pytest.mark.parametrize(
    ("run", "why"),
    [("x" * 300, "cannot be looked up (File name too long)"), ("\ud892", "has signs in it that cannot be shown")],
    ids=["too long", "half a character"],
)
@pytest.mark.parametrize("words", [("inspect",), ("swap", "--content", "a", "--motion", "b", "-o", "c.gif")])
def test_a_run_whose_name_no_file_can_have_is_refused(
    refusal: Callable[..., str], words: tuple[str, ...], run: str, why: str
) -> None:
    assert why in refusal(*words, run, code=2)
