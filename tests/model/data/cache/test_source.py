"""Clips from files as a source: windows, real times, repetition, and training that goes on with the same data."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model import UsageError, runs
from hamvae_model.data import StoredClips, reopen_source
from hamvae_model.training import draw_views, untrained
from hamvae_model.training.preview import PreviewClips

from ...drawn import square, write_folder

SIZE = 32


def opened(root: Path, **options: object) -> StoredClips:
    source = hv.open_source("folder", root, size=SIZE, **options)  # type: ignore[arg-type]
    assert isinstance(source, StoredClips)
    return source


def position(source: StoredClips, name: str) -> tuple[str, torch.Tensor]:
    split = "train" if name in source.names("train") else "test"
    return split, torch.tensor([source.names(split).index(name)])


def configuration(source: StoredClips) -> hv.Config:
    config = hv.build("clips", source=source, steps=4, seed=3)
    small = {"content_dim": 8, "encoder_widths": (8, 8, 8), "feature_dim": 16, "decoder_hidden": (16,)}
    model = dataclasses.replace(config.model, **small, decoder_widths=(8,))  # type: ignore[arg-type]
    training = dataclasses.replace(config.training, batch=4, warmup=2, save_every=2, sample_every=4)
    return dataclasses.replace(config, model=model, training=training)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "clips")


# Times -----------------------------------------------------------------------------------------------------------


def test_clips_of_one_rate_have_whole_times(root: Path) -> None:
    source = opened(root)
    assert source.data.frame_seconds == pytest.approx(0.1)
    assert source.clips("train", torch.tensor([0])).times.tolist() == [list(range(8))]


def test_a_clip_at_another_rate_has_fractional_times(root: Path) -> None:
    hv.write(root / "hop" / "fast.gif", square(5, 16), fps=20)
    source = opened(root)
    split, clip = position(source, "hop/fast.gif")
    assert source.times(split, clip, torch.arange(4).unsqueeze(0))[0].tolist() == pytest.approx([0, 0.5, 1, 1.5])


def test_the_unit_of_time_can_be_given(root: Path) -> None:
    source = opened(root, frame_seconds=0.2)
    assert source.clips("train", torch.tensor([0])).times[0].tolist() == pytest.approx([t / 2 for t in range(8)])
    clip = source.clip("train", source.names("train")[0])
    assert (clip.frame_seconds, float(clip.times[1])) == (0.2, 0.5)


def test_a_clip_without_a_clock_counts_its_frames(root: Path) -> None:
    hv.write(root / "hop" / "strip.png", square(5))
    source = opened(root)
    split, clip = position(source, "hop/strip.png")
    assert source.times(split, clip, torch.arange(8).unsqueeze(0))[0].tolist() == list(range(8))


def test_a_clip_that_repeats_goes_on_after_its_last_frame(root: Path) -> None:
    hv.write(root / "hop" / "long.gif", square(5, 11), fps=10)
    source = opened(root, loop=True)
    split, clip = position(source, "hop/long.gif")
    indices = torch.tensor([[0, 10, 11, 25]])
    assert source.times(split, clip, indices)[0].tolist() == [0, 10, 11, 25]
    assert source.frames(split, clip, indices)[0].equal(square(5, 11)[[0, 10, 0, 3]])
    assert source.clip(split, "hop/long.gif").period == 11


def test_a_clip_that_holds_its_last_frame_begins_again_after_that(root: Path) -> None:
    hv.write(root / "hop" / "holds.gif", square(5), durations=[0.1] * 7 + [0.3])
    source = opened(root, loop=True)
    split, clip = position(source, "hop/holds.gif")
    assert source.times(split, clip, torch.tensor([[7, 8, 16]])).tolist() == [[7, 10, 20]]
    whole = source.clip(split, "hop/holds.gif")
    assert (whole.lasting, whole.period) == (3, 10)


def test_a_gif_is_only_taken_to_repeat_when_somebody_says_so(root: Path) -> None:
    assert opened(root).periods == (None, None)
    assert opened(root, loop=True).periods == (8, 8)


@pytest.mark.parametrize(("said", "loop", "period"), [("true", False, 10), ("false", True, None)])
def test_what_a_sheet_says_of_repeating_counts_whatever_is_said_of_the_others(
    tmp_path: Path, said: str, loop: bool, period: int | None
) -> None:
    rows = torch.cat([square(5, 4), square(100, 4)]).view(2, 4, 3, SIZE, SIZE).permute(2, 0, 3, 1, 4)
    for name in ("a", "b"):
        hv.write(tmp_path / f"{name}.png", rows.reshape(1, 3, 2 * SIZE, 4 * SIZE))
    actions = "".join(
        f"[actions.{name}]\nrow = {row}\nframes = [0, 1, 2, 3]\nduration = [100, 100, 100, 700]\n"
        for row, name in enumerate(("hop", "run"))
    )
    (tmp_path / "sheet.toml").write_text(f"cell = [{SIZE}, {SIZE}]\nloop = {said}\n{actions}")
    assert opened(tmp_path, loop=loop, length=4).periods == (period, period)


def test_a_clip_that_ends_stays_at_its_last_frame(root: Path) -> None:
    source = opened(root)
    clip = torch.tensor([0])
    assert source.frames("train", clip, torch.tensor([[7, 9]]))[0, 1].equal(
        source.frames("train", clip, torch.tensor([[7]]))[0, 0]
    )
    assert source.times("train", clip, torch.tensor([[7, 9]])).tolist() == [[7, 7]]


def test_classes_that_repeat_after_different_times_have_operators_that_start_so(tmp_path: Path) -> None:
    write_folder(tmp_path, actions=("hop",))
    write_folder(tmp_path, actions=("spin",), count=6)
    source = opened(tmp_path, loop=True, length=6)
    config = hv.build("clips", source=source)
    assert (config.model.period, config.model.periods) == (None, (8.0, 6.0))
    hop, spin = untrained(config).operators()
    assert max(hop.periods) == pytest.approx(8, rel=1e-4) and max(spin.periods) == pytest.approx(6, rel=1e-4)


def test_motions_that_end_start_with_frequencies_of_their_whole_length_not_of_a_window(tmp_path: Path) -> None:
    write_folder(tmp_path, actions=("hop",), count=30)
    write_folder(tmp_path, actions=("run",), count=12)
    config = hv.build("clips", source=opened(tmp_path))
    assert (config.model.periods, config.model.spans) == ((None, None), (30, 12))
    hop, run = untrained(config).operators()
    assert max(hop.periods) == pytest.approx(30, rel=1e-4) and max(run.periods) == pytest.approx(12, rel=1e-4)


# Windows ---------------------------------------------------------------------------------------------------------


def test_training_looks_through_windows_anywhere_in_a_long_clip(tmp_path: Path) -> None:
    for action in ("hop", "run"):
        for number in range(2):
            frames = torch.zeros(40, 3, SIZE, SIZE, dtype=torch.uint8)
            frames[:, 0] = torch.arange(40).view(-1, 1, 1) * 6 + number  # a frame's red says its number
            (tmp_path / action).mkdir(exist_ok=True)
            hv.write(tmp_path / action / f"{number}.png", frames)
    source = opened(tmp_path)
    config = configuration(source)
    seen: set[int] = set()
    for seed in range(60):
        views = draw_views(config, source, torch.Generator().manual_seed(seed))
        numbers = views.targets[:, :, 0, 0, 0].int() // 6
        reference = views.window[:, -1, 0, 0, 0].int() // 6
        assert (numbers - reference.unsqueeze(1)).equal(views.offsets.int())
        assert int(numbers.max(1).values.sub(numbers.min(1).values).max()) < 8
        seen |= set(reference.tolist())
    assert min(seen) == 0 and max(seen) > 36


def test_a_clip_at_twice_the_rate_is_learned_at_half_steps_with_its_history_a_unit_apart(tmp_path: Path) -> None:
    for action, fps in (("hop", 10), ("run", 20)):
        frames = torch.arange(24, dtype=torch.uint8).view(-1, 1, 1, 1).mul(10).expand(-1, 3, SIZE, SIZE)
        for number in range(2):
            (tmp_path / action).mkdir(exist_ok=True)
            hv.write(
                tmp_path / action / f"{number}.gif", frames.clone().index_fill(1, torch.tensor(1), number), fps=fps
            )
    source = opened(tmp_path, frame_seconds=0.1)
    config = configuration(source)
    whole = set()
    for seed in range(30):
        views = draw_views(config, source, torch.Generator().manual_seed(seed))
        numbers = views.window[:, :, 0, 0, 0].int() // 10
        for row in range(4):
            stride = int(views.labels[row]) + 1  # frames of this class in a unit of time
            seen = views.history[row]
            assert numbers[row][seen].diff().eq(stride).all()
            offsets = (views.targets[row, :, 0, 0, 0].int() // 10 - numbers[row, -1]) / stride
            torch.testing.assert_close(views.offsets[row], offsets)
            whole |= {float(offset) % 1 for offset in offsets}
    assert whole == {0, 0.5}


def test_a_batch_reads_the_frames_it_needs_and_no_others(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened(root)
    config = configuration(source)
    read: list[int] = []
    whole = source.store.read
    monkeypatch.setattr(source.store, "read", lambda shards, rows: read.append(rows.size) or whole(shards, rows))
    draw_views(config, source, torch.Generator().manual_seed(0))
    assert read == [config.training.batch * (config.model.history + config.training.decoded_frames)]


def test_a_share_of_a_batch_reads_its_own_frames_and_sees_what_the_whole_batch_sees(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hv.write(root / "hop" / "long.gif", square(5, 30))
    source = opened(root)
    config = configuration(source)
    rows, read, store = slice(1, 3), [], source.store.read
    for seed in range(10):
        whole = draw_views(config, source, torch.Generator().manual_seed(seed))
        with monkeypatch.context() as patch:
            patch.setattr(source.store, "read", lambda shards, rows: read.append(rows.size) or store(shards, rows))
            part = draw_views(config, source, torch.Generator().manual_seed(seed), rows)
        assert all(value.equal(vars(whole)[name][rows]) for name, value in vars(part).items())
    assert read == 10 * [2 * (config.model.history + config.training.decoded_frames)]


def test_previews_show_windows_of_clips_of_any_length(root: Path) -> None:
    hv.write(root / "hop" / "long.gif", square(5, 30))
    assert PreviewClips(opened(root)).frames.shape[1:] == (8, 3, SIZE, SIZE)


def test_previews_begin_with_other_motions_and_other_characters(tmp_path: Path) -> None:
    source = opened(write_folder(tmp_path, clips=5))
    names = source.names("train")
    previews = PreviewClips(source)
    shown = [
        next(
            name
            for number, name in enumerate(names)
            if torch.equal(clip, source.clips("train", torch.tensor([number])).frames[0])
        )
        for clip in previews.frames
    ]
    assert sorted(shown) == sorted(names)
    first, second, third = (Path(name) for name in shown[:3])
    assert first.parent != second.parent
    assert len({first.stem, second.stem, third.stem}) == 3


# Runs ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(root: Path, tmp_path: Path) -> Path:
    """A run on the folder that was stopped after two of its four steps."""
    source = opened(root)
    reports = hv.fit(configuration(source), tmp_path / "run", source=source)
    next(reports)
    reports.close()
    return tmp_path / "run"


def resumed(run: Path, root: Path) -> Iterator[hv.Report]:
    config = runs.load_config(run)
    return hv.fit(config, run, source=reopen_source(config, root), resume=True)


def test_a_run_opens_its_folder_again_as_it_was(stopped: Path, root: Path) -> None:
    config = runs.load_config(stopped)
    assert config.data == opened(root).data
    assert [report.step for report in resumed(stopped, root)] == [4]
    assert hv.open_clip("folder:hop/1.gif", root, like=config).frames.shape[-1] == SIZE


def test_a_clip_is_found_with_and_without_its_split(root: Path) -> None:
    whole = hv.open_clip("folder:run/2.gif", root)
    assert hv.open_clip("folder:test/run/2.gif", root).frames.equal(whole.frames)
    assert whole.source == "folder:test/run/2.gif"


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("folder:run/2.gfi", "The folder source has no clip 'run/2.gfi'; did you mean 'run/2.gif'?"),
        ("folder:train/run/2.gif", "The train split of folder has no clip 'run/2.gif'; did you mean 'run/"),
    ],
)
def test_a_clip_that_is_not_there_is_answered_with_the_nearest(root: Path, reference: str, sentence: str) -> None:
    with pytest.raises(UsageError) as refusal:
        hv.open_clip(reference, root)
    assert str(refusal.value).startswith(sentence)


def test_a_run_that_meets_other_clips_says_what_changed(stopped: Path, root: Path) -> None:
    hv.write(root / "hop" / "0.gif", square(222))
    hv.write(root / "hop" / "new.gif", square(223))
    (root / "run" / "1.gif").unlink()
    with pytest.raises(UsageError) as refusal:
        list(resumed(stopped, root))
    assert "1 added (hop/new.gif), 1 missing (run/1.gif), 1 changed (hop/0.gif)" in str(refusal.value)


def test_a_clip_that_was_moved_to_the_other_side_is_called_so(stopped: Path, root: Path) -> None:
    (held_out,) = opened(root).names("test")
    (root / "clips.csv").write_text(f"clip,split\n{held_out},train\n")
    with pytest.raises(UsageError) as refusal:
        list(resumed(stopped, root))
    assert " moved between train and test (" in str(refusal.value) and held_out in str(refusal.value)


def test_a_run_that_meets_renamed_actions_is_refused(stopped: Path, root: Path) -> None:
    (root / "run").rename(root / "sprint")
    with pytest.raises(UsageError, match="The run moves hop, run; the folder source has other classes"):
        list(resumed(stopped, root))


def test_clips_in_the_inventory_are_known_by_side_motion_and_frames(root: Path) -> None:
    before = opened(root).inventory
    assert set(before) == {f"{action}/{number}.gif" for action in ("hop", "run") for number in range(3)}
    (root / "clips.csv").write_text("clip,split\n" + "".join(f"{name},train\n" for name in before))
    moved = opened(root).inventory
    assert {name for name in before if before[name] != moved[name]} == {
        name for name, facts in before.items() if facts.startswith("test")
    }
