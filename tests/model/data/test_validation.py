"""What is held out of training to choose the best weights by: whole identities, the same ones always."""

from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model.data import Characters, Source, StoredClips, with_validation
from hamvae_model.presets import VALIDATION
from hamvae_model.training.preview import PreviewClips

from ..drawn import square, write_folder

SIZE = 32


def everything(source: Source, split: str) -> torch.Tensor:
    return torch.arange(source.splits[split])


def held_out(source: Source) -> set[str]:
    return set(source.identities("validation"))


@pytest.fixture
def cast(tmp_path: Path) -> StoredClips:
    """30 people in two motions, named in clips.csv, none of them assigned to the test split by hand."""
    lines = ["clip,identity,split"]
    for action in ("hop", "run"):
        for who in range(30):
            path = tmp_path / "clips" / action / f"{who}.gif"
            path.parent.mkdir(parents=True, exist_ok=True)
            hv.write(path, square(8 * who, 8, step=2 + 3 * (action == "run")), fps=10)
            lines.append(f"{action}/{who}.gif,person {who},train")
    lines[-1] = lines[-1].replace("train", "test")
    lines[30] = lines[30].replace("train", "test")
    (tmp_path / "clips" / "clips.csv").write_text("\n".join(lines))
    source = hv.open_source("folder", tmp_path / "clips", size=SIZE)
    assert isinstance(source, StoredClips)
    return source


def test_one_in_twenty_characters_is_held_out_in_all_its_motions(builtin: Characters) -> None:
    source = with_validation(builtin, 0.05)
    assert source.splits == {"train": 950 * 9, "validation": 50 * 9, "test": 296 * 9}
    assert len(held_out(source)) == 50 and not held_out(source) & set(source.identities("train"))
    assert source.labels("validation", everything(source, "validation")).bincount().tolist() == [50] * 9


def test_what_is_not_held_out_is_trained_on_and_the_test_split_is_untouched(builtin: Characters) -> None:
    source = with_validation(builtin, 0.05)
    both = [*source.identities("train"), *source.identities("validation")]
    assert sorted(both) == sorted(builtin.identities("train"))
    assert source.identities("test") == builtin.identities("test")
    some = torch.tensor([0, 17, 2663])
    assert source.clips("test", some).frames.equal(builtin.clips("test", some).frames)


def test_a_clip_counted_anew_is_the_same_clip(builtin: Characters) -> None:
    source = with_validation(builtin, 0.05)
    for split in ("train", "validation"):
        some = torch.tensor([0, 5, 444])
        before = torch.tensor([int(source.identities(split)[clip]) * 9 + clip % 9 for clip in some.tolist()])
        indices = torch.arange(10).expand(3, -1)
        assert source.frames(split, some, indices).equal(builtin.frames("train", before, indices))
        assert source.clips(split, some).frames.equal(builtin.clips("train", before).frames)
        assert source.labels(split, some).equal(builtin.labels("train", before))
        assert source.times(split, some, indices).equal(builtin.times("train", before, indices))
        assert source.lengths(split, some).equal(builtin.lengths("train", before))
        assert source.repeats(split, some).equal(builtin.repeats("train", before))


def test_the_same_ones_are_held_out_always(builtin: Characters) -> None:
    assert held_out(with_validation(builtin, 0.05)) == held_out(with_validation(hv.open_source("builtin"), 0.05))
    assert held_out(with_validation(builtin, 0.01)) < held_out(with_validation(builtin, 0.05))


def test_a_share_of_nothing_leaves_the_source_as_it_was(builtin: Characters) -> None:
    assert with_validation(builtin, 0.0) is builtin


def test_nobody_is_in_two_splits(cast: StoredClips) -> None:
    source = with_validation(cast, 0.2)
    people = {split: set(source.identities(split)) for split in source.splits}
    assert len(people["validation"]) == 5 and source.splits["validation"] == 10
    assert sum(map(len, people.values())) == len(set.union(*people.values())) == 30
    assert people["test"] == {"person 29"}


def test_a_clip_is_found_by_its_name_wherever_it_is_counted(cast: StoredClips) -> None:
    source = with_validation(cast, 0.2)
    for split in ("train", "validation"):
        who = source.identities(split)[0].removeprefix("person ")
        assert source.clip(split, f"hop/{who}.gif").label == "hop"


def test_a_small_folder_is_trained_on_whole(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path, clips=5), size=SIZE)
    config = hv.build("clips", source=source)
    assert config.training.validation == VALIDATION
    assert with_validation(source, VALIDATION) is source


def test_every_motion_keeps_a_clip_to_train_on(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path, clips=3), size=SIZE)
    cut = with_validation(source, 0.99)
    assert cut.labels("train", everything(cut, "train")).bincount().tolist() == [1, 1]


def test_previews_and_scores_are_of_validation_clips_where_there_are_any(builtin: Characters) -> None:
    source = with_validation(builtin, 0.05)
    held = {clip.numpy().tobytes() for clip in source.clips("validation", everything(source, "validation")).frames}
    assert all(clip.numpy().tobytes() in held for clip in PreviewClips(source).frames)
    assert not all(clip.numpy().tobytes() in held for clip in PreviewClips(builtin).frames)


def test_previews_of_composed_characters_show_every_motion_as_often(builtin: Characters) -> None:
    source = with_validation(builtin, 0.05)
    labels = PreviewClips(source).labels
    assert labels[:9].unique().tolist() == list(range(9))
    assert labels.bincount().tolist() == [4] * 9
