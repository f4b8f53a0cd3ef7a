"""A folder of one's own clips from the command line: checked, previewed, trained on, and its clips used."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model.data import Characters
from hamvae_model.network import Explanation, HamVAE, Noise, Views
from hamvae_model.presets import PRESETS
from hamvae_model.runs import load_config

from ..model.faces import write_faces, write_landmarks
from .conftest import TINY, Command

Refusal = Callable[..., str]
MOTIONS = ("walk-left", "wave-front")


@pytest.fixture(autouse=True)
def tiny_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The presets for one's own clips stand for a model small enough for a test."""
    for name in ("clips", "photos"):
        monkeypatch.setitem(PRESETS, name, TINY)


@pytest.fixture
def clips(here: Path, builtin: Characters) -> Path:
    for character in range(4):
        for motion in MOTIONS:
            path = here / "my clips é" / motion / f"hero {character}.gif"
            path.parent.mkdir(parents=True, exist_ok=True)
            hv.write(path, builtin.clip("train", f"{character}/{motion}").frames, fps=10)
    return Path("my clips é")


def test_training_on_a_folder_leaves_a_run_that_knows_its_motions(hamvae: Command, clips: Path) -> None:
    result = hamvae("train", "--data", "folder", "--root", clips, "--clips-repeat", "--steps", "3", "--run", "r")
    assert result.exit_code == 0, result.output
    config = load_config(Path("r"))
    assert (config.preset, config.model.classes, config.model.period) == ("clips", MOTIONS, 8)
    assert (config.data.source, config.data.frame_seconds, config.data.loop) == ("folder", 0.1, True)
    assert json.loads(hamvae("inspect", "r", "--json").stdout)["source"] == "folder"


def test_the_command_that_goes_on_in_less_memory_knows_where_the_clips_are(
    hamvae: Command, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = HamVAE.forward

    def limited(model: HamVAE, views: Views, noise: Noise) -> Explanation:
        if len(views.labels) > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return forward(model, views, noise)

    monkeypatch.setattr(HamVAE, "forward", limited)
    words = [
        "train",
        "--data",
        "folder",
        "--root",
        clips,
        "--clips-repeat",
        "--steps",
        "2",
        "--batch",
        "2",
        "--run",
        "r",
    ]
    result = hamvae(*words)
    told, _, command = result.stderr.strip().partition("; go on with: ")
    assert result.exit_code == 1 and told.endswith("1 at a time would fit and give the same result")
    assert shlex.split(command) == ["hamvae", *["train", "--resume", "r", "--accumulate", "2", "--root"], str(clips)]
    assert hamvae(*shlex.split(command)[1:]).exit_code == 0


def test_clips_of_the_folder_are_swapped_by_path_and_by_reference(hamvae: Command, clips: Path) -> None:
    hamvae("train", "--data", "folder", "--root", clips, "--clips-repeat", "--steps", "1", "--run", "r")
    source = hv.open_source("folder", clips, loop=True)
    name = next(name for name in source.names("train") if name.startswith("wave"))
    look = clips / "walk-left" / "hero 1.gif"
    by_reference = hamvae(
        "swap", "r", "--content", look, "--motion", f"folder:train/{name}", "--root", clips, "-o", "a.png"
    )
    assert by_reference.exit_code == 0, by_reference.output
    by_path = hamvae("swap", "r", "--content", look, "--motion", clips / name, "--action", "wave-front", "-o", "b.png")
    assert by_path.exit_code == 0, by_path.output
    assert torch.equal(hv.read("a.png").frames, hv.read("b.png").frames)


def test_bad_clips_stop_training_unless_they_are_to_be_skipped_and_then_are_counted(
    hamvae: Command, refusal: Refusal, clips: Path
) -> None:
    (clips / MOTIONS[0] / "bad.png").write_text("no picture")
    hv.open_source("folder", clips, skip_bad=True)  # the store is there already: a refusal leaves no other file
    words = ["train", "--data", "folder", "--root", clips, "--clips-repeat", "--steps", "1", "--run", "r"]
    assert "bad.png does not hold a PNG picture" in refusal(*words, code=2)
    result = hamvae(*words, "--skip-bad")
    assert result.exit_code == 0
    assert result.stderr.startswith("Left out 1 clip that cannot be used: walk-left/bad.png\n")


@pytest.mark.parametrize("run", ["", "r"])
def test_a_run_is_not_put_among_the_clips(refusal: Refusal, clips: Path, run: str) -> None:
    before = sorted(clips.rglob("*"))
    sentence = refusal("train", "--data", "folder", "--root", clips, "--run", clips / run, code=2)
    assert "would lie among the clips in" in sentence and sorted(clips.rglob("*")) == before


def test_resuming_continues_on_the_same_folder_and_refuses_another(
    hamvae: Command, refusal: Refusal, clips: Path, builtin: Characters
) -> None:
    hamvae("train", "--data", "folder", "--root", clips, "--clips-repeat", "--steps", "2", "--run", "r")
    assert "nothing is left to train" in hamvae("train", "--resume", "r", "--root", clips).stdout
    hv.write(clips / MOTIONS[0] / "new.gif", builtin.clip("train", "9/walk-left").frames)
    hv.open_source("folder", clips)
    sentence = refusal("train", "--resume", "r", "--root", clips, code=2)
    assert "The clips are not those that 'r' was begun with: 1 added (walk-left/new.gif)" in sentence


def test_a_clip_of_the_source_by_reference_comes_in_the_models_size_and_its_file_in_its_own(
    hamvae: Command, here: Path
) -> None:
    write_faces(here / "mug", subjects=2, frames=16)
    hamvae("train", "--data", "mug", "--root", "mug", "--steps", "1", "--run", "r")
    words = ["--root", "mug", "--action", "anger", "-o", "face.gif"]
    for clip, size in (("mug:001/anger/take000", (64, 64)), ("mug/001/anger/take000", (72, 96))):
        assert hamvae("reconstruct", "r", "--clip", clip, *words).exit_code == 0
        assert tuple(hv.read("face.gif").frames.shape[-2:]) == size


def test_a_length_takes_clips_that_are_shorter(hamvae: Command, refusal: Refusal, clips: Path) -> None:
    for motion in MOTIONS:
        hv.write(clips / motion / "short.gif", hv.read(clips / motion / "hero 0.gif").frames[:5], fps=10)
    hv.open_source("folder", clips, length=5)
    words = ["train", "--data", "folder", "--root", clips, "--steps", "1", "--run", "r"]
    assert "has 5 frames and training looks through windows of 8" in refusal(*words, code=2)
    assert hamvae(*words, "--length", "5").exit_code == 0
    assert load_config(Path("r")).model.length == 5


def test_a_background_shows_through_what_is_transparent_and_stays_with_the_run(
    hamvae: Command, clips: Path, builtin: Characters
) -> None:
    for motion in MOTIONS:
        clear = torch.zeros(8, 4, 64, 64, dtype=torch.uint8)
        clear[:, :, 20:40, 20:40] = torch.arange(100, 180, 10, dtype=torch.uint8).view(8, 1, 1, 1)
        hv.write(clips / motion / "clear.webp", clear)
    words = ["--root", clips, "--clips-repeat", "--background", "#ff8000", "--steps", "1", "--run", "r"]
    assert hamvae("train", "--data", "folder", *words).exit_code == 0
    config = load_config(Path("r"))
    assert config.data.framing.background == (255, 128, 0)
    drawn = hv.open_clip("folder:walk-left/clear.webp", clips, like=config)
    assert drawn.frames[0, :, 0, 0].tolist() == [255, 128, 0]
    for words in (("data", "check", clips), ("data", "preview", clips, "-o", "p.png")):
        assert hamvae(*words, "--background", "white").exit_code == 0


@pytest.mark.parametrize("colour", ["blak", "#12345", "#11223344"])
def test_a_background_that_is_no_colour_is_refused(refusal: Refusal, colour: str) -> None:
    sentence = refusal("train", "--data", "folder", "--root", "x", "--background", colour, code=2)
    assert f"'{colour}' is not a colour; write black, white or #rrggbb." in sentence


@pytest.mark.parametrize("extra", [("--clips-repeat",), ("--length", "8"), ("--clip-fps", "5"), ("--skip-bad",)])
def test_what_concerns_only_clips_from_files_is_refused_for_characters_that_are_composed(
    refusal: Refusal, extra: tuple[str, ...]
) -> None:
    sentence = refusal("train", "--data", "builtin", *extra, code=2)
    assert f"The builtin source composes its clips; {extra[0]} is for clips from files, leave it out." in sentence


@pytest.mark.parametrize("words", [("train", "--data", "folder", "--root", "x"), ("data", "check", "x")], ids=" ".join)
def test_labels_of_a_folder_cannot_be_chosen(refusal: Refusal, words: tuple[str, ...]) -> None:
    assert "leave out --labels" in refusal(*words, "--labels", "action", code=2)


def test_check_counts_the_motions_that_training_with_the_same_labels_would_learn(hamvae: Command, here: Path) -> None:
    cells = torch.randint(0, 255, (21, 13, 3, 1, 1), dtype=torch.uint8).expand(-1, -1, -1, 64, 64)
    (here / "heroes").mkdir()
    hv.write(here / "heroes" / "knight.png", cells.permute(2, 0, 3, 1, 4).reshape(1, 3, 1344, 832))
    words = ["data", "check", "heroes", "--data", "sprites", "--preset", "clips", "--json"]
    (by_direction, by_action) = (
        json.loads(hamvae(*words, "--labels", labels).stdout)["clips"] for labels in ("action-direction", "action")
    )
    assert (len(by_direction), len(by_action)) == (21, 6)


def test_the_cost_is_measured_on_the_device_that_would_train(
    hamvae: Command, refusal: Refusal, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hamvae("data", "check", clips)
    assert "no cuda device" in refusal("data", "check", clips, "--device", "cuda", code=2)
    monkeypatch.setattr("hamvae_model.devices.choose_device", lambda name: "meta" if name == "auto" else name)
    asked = []
    monkeypatch.setattr("hamvae_model.training.cost", lambda config, source, device: asked.append(device))
    hamvae("data", "check", clips)
    hamvae("data", "check", clips, "--device", "cpu")
    assert asked == ["meta", "cpu"]


def test_training_on_faces_says_how_they_were_cropped(hamvae: Command, here: Path) -> None:
    write_faces(here / "mug", subjects=2, frames=16)
    write_landmarks(here / "mug" / "001" / "anger" / "take000")
    result = hamvae("train", "--data", "mug", "--root", "mug", "--steps", "1", "--run", "r")
    assert result.exit_code == 0, result.output
    assert "Prepared clips: cropped to its centre (5), cropped to its landmarks (1)\n" in result.stderr


def test_a_folder_without_root_says_what_to_give(refusal: Refusal) -> None:
    assert "pass --root DIR" in refusal("train", "--data", "folder", code=2)


def test_a_wrong_table_is_refused_by_line_and_column(refusal: Refusal, clips: Path) -> None:
    (clips / "clips.csv").write_text("clip,split\nwalk-left/hero 1.gif,tset\n")
    sentence = refusal("train", "--data", "folder", "--root", clips, code=2)
    assert "clips.csv, line 2, column 'split': 'tset' is not a split" in sentence


def test_check_tells_people_what_is_there_what_is_wrong_and_what_it_would_cost(hamvae: Command, clips: Path) -> None:
    (clips / MOTIONS[0] / "bad.png").write_text("no picture")
    (clips / MOTIONS[0] / "twin.gif").write_bytes((clips / MOTIONS[0] / "hero 0.gif").read_bytes())
    (clips / "clips.csv").write_text("clip,weapon\nwalk-left/hero 0.gif,sword\nwalk-left/hero 1.gif,sword\n")
    result = hamvae("data", "check", clips, "--clips-repeat")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["motion", "train", "test"]
    assert [line.split()[0] for line in lines[1:3]] == list(MOTIONS)
    for fact in (
        "frames    8 to 8 a clip, 8 in the middle, 72 in all",
        "sizes     64x64 (9)",
        "rates     10 fps (9)",
        "weapon    sword (2)",
        "the same  walk-left/hero 0.gif, walk-left/twin.gif",
        "training  8 clips in windows of 8 frames, a unit of time being 0.1 s; held out: 1 to test, 0 to validate",
        "1 clip cannot be used: mend it, or train with --skip-bad.",
    ):
        assert fact in lines
    assert any(line.startswith("unusable  ") and "bad.png does not hold a PNG picture" in line for line in lines)
    assert any(line.startswith("cost      ") and "measured on a few steps" in line for line in lines)


def test_check_counts_clips_that_the_best_weights_are_chosen_by_apart(hamvae: Command, clips: Path) -> None:
    pixels = hv.read(clips / MOTIONS[0] / "hero 0.gif").frames
    for number in range(20):
        hv.write(clips / MOTIONS[0] / f"more {number}.gif", pixels.roll(number, -1), fps=10)
    line = next(line for line in hamvae("data", "check", clips).stdout.splitlines() if line.startswith("training "))
    trained, tested, chosen_by = (int(count) for count in re.findall(r"(\d+) (?:clips|to test|to validate)", line))
    assert (trained + tested + chosen_by, chosen_by) == (28, 1)


def test_check_tells_programs_the_same(hamvae: Command, clips: Path) -> None:
    facts = json.loads(hamvae("data", "check", clips, "--json").stdout)
    assert {name: sum(counts.values()) for name, counts in facts["clips"].items()} == dict.fromkeys(MOTIONS, 4)
    assert facts["refusal"] is None and facts["cost"]["minutes"] > 0


def test_check_exits_with_1_when_training_could_not_begin(hamvae: Command, clips: Path) -> None:
    for path in (clips / MOTIONS[0]).iterdir():
        path.unlink()
    result = hamvae("data", "check", clips)
    assert result.exit_code == 1
    assert "refused   'my clips é' holds usable clips of 1 motion" in result.stdout
    assert "walk-left holds no clips; put some there, or remove it." in result.stdout
    facts = json.loads(hamvae("data", "check", clips, "--json").stdout)
    assert facts["cost"] is None and "1 motion" in facts["refusal"]


@pytest.mark.parametrize("table", ["clip;split\n", None], ids=["a wrong table", "nothing"])
def test_check_exits_with_1_for_a_folder_that_cannot_even_be_listed(
    hamvae: Command, here: Path, clips: Path, table: str | None
) -> None:
    folder = clips if table else here / "empty"
    folder.mkdir(exist_ok=True)
    (folder / "clips.csv").write_text(table or "")
    result = hamvae("data", "check", folder)
    assert result.exit_code == 1 and result.stdout.startswith("refused   ")
    assert json.loads(hamvae("data", "check", folder, "--json").stdout)["refusal"] == result.stdout[10:-1]


def test_check_of_a_folder_that_is_not_there_is_a_wrong_request(refusal: Refusal) -> None:
    assert "There is no folder of clips 'absent'" in refusal("data", "check", "absent", code=2)


def test_preview_takes_a_folder(hamvae: Command, clips: Path) -> None:
    assert hamvae("data", "preview", clips, "--count", "2", "-o", "sheet.png").exit_code == 0
    height, width = hv.read("sheet.png").frames.shape[-2:]
    assert 4 * 64 < height < 5 * 64 and width > 8 * 64


def test_preview_says_how_many_clips_it_leaves_out_and_why(hamvae: Command, clips: Path) -> None:
    for name in ("short", "shorter"):
        hv.write(clips / MOTIONS[0] / f"{name}.gif", hv.read(clips / MOTIONS[0] / "hero 0.gif").frames[:6], fps=10)
    result = hamvae("data", "preview", clips, "-o", "sheet.png")
    assert result.stderr.splitlines()[-1].startswith("Left out 2 clips that cannot be used; the first: ")
    assert "short.gif has 6 frames and training looks through windows of 8" in result.stderr
    assert "Left out" not in hamvae("data", "preview", clips, "--clips-repeat", "-o", "sheet.png").stderr


def test_preview_takes_a_folder_as_check_does_also_one_that_is_called_like_a_source(
    hamvae: Command, refusal: Refusal, here: Path, clips: Path
) -> None:
    write_faces(here / "mug", subjects=2, frames=16)
    assert hamvae("data", "preview", "mug", "--data", "mug", "-o", "faces.png").exit_code == 0
    clips.rename("sprites")
    assert hamvae("data", "preview", "sprites", "-o", "clips.png").exit_code == 0
    assert "no source and no folder of clips 'folder'" in refusal("data", "preview", "folder", "-o", "x.png", code=2)


def test_preview_of_something_that_is_neither_source_nor_folder_says_so(refusal: Refusal) -> None:
    assert "no source and no folder of clips 'bultin'; did you mean 'builtin'?" in refusal(
        "data", "preview", "bultin", "-o", "out.png", code=2
    )
