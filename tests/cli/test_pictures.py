"""swap, reconstruct, generate, sample and data preview: which clips end up in which files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import hamvae_model as hv

from .conftest import Command

Refusal = Callable[..., str]
LEFT, SLASH = "builtin:test/3/walk-left", "builtin:test/8/slash-left"
SIZE = 64


def shape(path: str) -> tuple[int, ...]:
    """(frames, height, width) of a picture file."""
    frames = hv.read(path).frames
    return (len(frames), *frames.shape[-2:])


def exactly(path: str, clip: hv.Clip) -> bool:
    """Whether the PNG holds the clip to the last bit."""
    return torch.equal(hv.read(path).frames, clip.frames)


def test_swap_writes_what_the_model_swaps(hamvae: Command, run: Path) -> None:
    result = hamvae("swap", run, "--content", LEFT, "--motion", SLASH, "-o", "out.png")
    assert (result.exit_code, result.output) == (0, "Wrote out.png\n")
    assert exactly("out.png", hv.load(run).swap(hv.open_clip(LEFT), hv.open_clip(SLASH)))


def test_swap_takes_picture_files_once_their_action_is_named(hamvae: Command, run: Path) -> None:
    hv.write("content.png", hv.open_clip(LEFT).frames)
    hv.write("motion.png", hv.open_clip(SLASH).frames)
    words = ["--content", "content.png", "--motion", "motion.png", "--action", "slash-left"]
    assert hamvae("swap", run, *words, "-o", "out.png").exit_code == 0
    assert exactly("out.png", hv.load(run).swap(hv.open_clip(LEFT), hv.open_clip(SLASH)))


def test_swap_side_by_side_shows_content_motion_and_result(hamvae: Command, run: Path) -> None:
    hamvae("swap", run, "--content", LEFT, "--motion", SLASH, "--side-by-side", "--scale", "2", "-o", "out.gif")
    assert shape("out.gif") == (8, 2 * SIZE, 2 * 3 * SIZE)


def test_reconstruct_writes_what_the_model_reconstructs(hamvae: Command, run: Path) -> None:
    assert hamvae("reconstruct", run, "--clip", LEFT, "-o", "out.png").exit_code == 0
    assert exactly("out.png", hv.load(run).reconstruct(hv.open_clip(LEFT)))


def test_generate_makes_as_many_frames_as_asked_for(hamvae: Command, run: Path) -> None:
    words = ["--image", LEFT, "--action", "slash-left", "--frames", "20"]
    assert hamvae("generate", run, *words, "-o", "out.png").exit_code == 0
    assert exactly("out.png", hv.load(run).generate(hv.open_clip(LEFT), "slash-left", range(20)))


@pytest.mark.parametrize(("action", "pose"), [("walk-left", "image"), ("slash-left", "typical")])
def test_generation_starts_where_the_image_stands_only_when_that_shows_the_action(
    hamvae: Command, run: Path, action: str, pose: str
) -> None:
    words = ["generate", run, "--image", LEFT, "--action", action, "-o"]
    hamvae(*words, "auto.png")
    hamvae(*words, "other.png", "--pose", "typical" if pose == "image" else "image")
    assert exactly("auto.png", hv.load(run).generate(hv.open_clip(LEFT), action, pose=pose))
    assert not exactly("other.png", hv.read("auto.png"))


def test_generate_all_writes_one_file_for_each_action_when_the_name_has_room_for_it(hamvae: Command, run: Path) -> None:
    hamvae("generate", run, "--image", LEFT, "--action", "all", "-o", "hero-{action}.gif")
    assert {path.name for path in Path().iterdir()} == {f"hero-{action}.gif" for action in hv.load(run).classes}


def test_several_actions_play_beside_each_other_in_a_gif_and_stand_in_rows_in_a_png(hamvae: Command, run: Path) -> None:
    words = ["generate", run, "--image", LEFT, "--action", "walk-left", "--action", "slash-left", "--frames", "8", "-o"]
    hamvae(*words, "out.gif")
    hamvae(*words, "out.png")
    assert shape("out.gif") == (8, SIZE, 2 * SIZE)
    _, height, width = shape("out.png")
    assert 2 * SIZE < height < 3 * SIZE and width > 8 * SIZE


def test_sample_draws_every_action_unless_some_are_named(hamvae: Command, run: Path) -> None:
    hamvae("sample", run, "--frames", "3", "-o", "all.gif")
    hamvae("sample", run, "--frames", "3", "--action", "walk-front", "--count", "2", "-o", "two.gif")
    assert shape("all.gif") == (3, SIZE, 9 * SIZE)
    assert shape("two.gif") == (3, SIZE, 2 * SIZE)


def test_the_same_seed_samples_the_same_clip_and_another_seed_another(hamvae: Command, run: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        hamvae("sample", run, "--action", "walk-left", "--seed", seed, "-o", f"{name}.png")
    assert exactly("a.png", hv.read("b.png"))
    assert not exactly("a.png", hv.read("c.png"))


def test_a_weights_file_away_from_its_run_is_enough(hamvae: Command, run: Path, here: Path) -> None:
    (here / "model.safetensors").write_bytes((run / "weights.safetensors").read_bytes())
    assert hamvae("sample", "model.safetensors", "--action", "walk-left", "-o", "out.gif").exit_code == 0
    assert json.loads(hamvae("inspect", "model.safetensors", "--json").stdout)["steps_done"] is None


def test_preview_shows_every_motion_of_the_first_characters_of_the_test_split(hamvae: Command) -> None:
    assert hamvae("data", "preview", "builtin", "--count", "2", "-o", "out.gif").exit_code == 0
    assert shape("out.gif") == (8, SIZE, 2 * 9 * SIZE)


def test_a_picture_of_ones_own_beside_the_sheet_of_one_action_stops_all_before_the_work(
    refusal: Refusal, run: Path, here: Path
) -> None:
    (here / "hero-walk-front.png").write_bytes(b"mine")
    (here / "hero-walk-front.json").write_text("{}")
    words = ["generate", run, "--image", LEFT, "--action", "all", "-o", "hero-{action}.json"]
    assert "hero-walk-front.png would be replaced" in refusal(*words, code=2)
    assert (here / "hero-walk-front.png").read_bytes() == b"mine"
