"""What is held out of training to choose weights and settings by: whole identities, the same ones always."""

from pathlib import Path

import pytest
import torch

import hamvae_model as hv
from hamvae_model.data import Characters, Source, with_validation
from hamvae_model.data.validation import held_out
from hamvae_model.training.preview import PreviewClips

from ..drawn import square, write_folder

SIZE = 32


def everything(source: Source, split: str) -> torch.Tensor:
    return torch.arange(source.splits[split])


def people(source: Source) -> set[str]:
    return set(source.identities("validation"))


@pytest.fixture(scope="module")
def undivided() -> Source:
    """The built-in characters with nobody held out for validation."""
    return hv.open_source("builtin", validation=0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
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
    return tmp_path / "clips"


def test_one_in_twenty_characters_is_held_out_in_all_its_motions(builtin: Characters) -> None:
    assert builtin.splits == {"train": 950 * 9, "validation": 50 * 9, "test": 296 * 9}
    assert len(people(builtin)) == 50 and not people(builtin) & set(builtin.identities("train"))
    assert builtin.labels("validation", everything(builtin, "validation")).bincount().tolist() == [50] * 9


def test_what_is_not_held_out_is_trained_on_and_the_test_split_is_untouched(
    builtin: Characters, undivided: Source
) -> None:
    both = [*builtin.identities("train"), *builtin.identities("validation")]
    assert sorted(both) == sorted(undivided.identities("train"))
    assert builtin.identities("test") == undivided.identities("test")
    some = torch.tensor([0, 17, 2663])
    assert builtin.clips("test", some).frames.equal(undivided.clips("test", some).frames)


@pytest.mark.parametrize("how", ["at opening", "around any source"])
def test_a_clip_counted_anew_is_the_same_clip(builtin: Characters, undivided: Source, how: str) -> None:
    source = builtin if how == "at opening" else with_validation(undivided, 0.05)
    assert source.splits == builtin.splits
    for split in ("train", "validation"):
        some = torch.tensor([0, 5, 444])
        before = torch.tensor([int(source.identities(split)[clip]) * 9 + clip % 9 for clip in some.tolist()])
        indices = torch.arange(10).expand(3, -1)
        assert source.frames(split, some, indices).equal(undivided.frames("train", before, indices))
        assert source.clips(split, some).frames.equal(undivided.clips("train", before).frames)
        assert source.values(split, some).equal(undivided.values("train", before))
        assert source.labels(split, some).equal(undivided.labels("train", before))
        assert source.times(split, some, indices).equal(undivided.times("train", before, indices))
        assert source.lengths(split, some).equal(undivided.lengths("train", before))
        assert source.repeats(split, some).equal(undivided.repeats("train", before))


def test_the_same_ones_are_held_out_always(builtin: Characters, undivided: Source) -> None:
    assert people(with_validation(undivided, 0.05)) == people(builtin)
    assert people(hv.open_source("builtin", validation=0.01)) < people(builtin)


def test_a_character_keeps_its_number_whatever_is_held_out(builtin: Characters, undivided: Source) -> None:
    number = sorted(people(builtin))[0]
    for split in ("train", "validation"):
        assert builtin.clip(split, f"{number}/walk-left").frames.equal(
            undivided.clip("train", f"{number}/walk-left").frames
        )


def test_a_share_of_nothing_leaves_the_source_as_it_was(builtin: Characters, undivided: Source) -> None:
    assert with_validation(undivided, 0.0) is undivided
    assert "validation" not in undivided.splits
    assert with_validation(builtin, 0.05) is builtin  # it has a validation split already


def test_nobody_is_in_two_splits(folder: Path) -> None:
    source = hv.open_source("folder", folder, size=SIZE, validation=0.2)
    found = {split: set(source.identities(split)) for split in source.splits}
    assert len(found["validation"]) == 5 and source.splits["validation"] == 10
    assert sum(map(len, found.values())) == len(set.union(*found.values())) == 30
    assert found["test"] == {"person 29"}


def test_a_clip_is_found_by_its_name_wherever_it_is_counted(folder: Path) -> None:
    source = hv.open_source("folder", folder, size=SIZE, validation=0.2)
    who = source.identities("validation")[0].removeprefix("person ")
    for split in ("train", "validation"):
        assert source.clip(split, f"hop/{who}.gif").label == "hop"


def test_another_share_is_no_change_of_the_clips_that_a_run_was_begun_with(folder: Path) -> None:
    few, many = (hv.open_source("folder", folder, size=SIZE, validation=share) for share in (0.05, 0.5))
    assert few.inventory == many.inventory and few.splits != many.splits


@pytest.mark.parametrize(("count", "share", "expected"), [(9, 0.05, 0), (10, 0.05, 1), (9, 0.4, 3), (10, 0.0, 0)])
def test_from_ten_identities_on_at_least_one_is_held_out(count: int, share: float, expected: int) -> None:
    identities = [str(who) for who in range(count) for _ in range(2)]
    assert held_out(identities, torch.arange(2 * count) % 2, share).sum() == 2 * expected


def test_a_small_folder_is_trained_on_whole(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path, clips=4), size=SIZE)
    assert "validation" not in source.splits


def test_every_motion_keeps_a_clip_to_train_on(tmp_path: Path) -> None:
    source = hv.open_source("folder", write_folder(tmp_path, clips=3), size=SIZE, validation=0.99)
    assert source.labels("train", everything(source, "train")).bincount().tolist() == [1, 1]


def test_previews_and_scores_are_of_validation_clips_where_there_are_any(
    builtin: Characters, undivided: Source
) -> None:
    held = {clip.numpy().tobytes() for clip in builtin.clips("validation", everything(builtin, "validation")).frames}
    assert all(clip.numpy().tobytes() in held for clip in PreviewClips(builtin).frames)
    assert not all(clip.numpy().tobytes() in held for clip in PreviewClips(undivided).frames)


def test_previews_of_composed_characters_show_every_motion_as_often(builtin: Characters) -> None:
    labels = PreviewClips(builtin).labels
    assert labels[:9].unique().tolist() == list(range(9))
    assert labels.bincount().tolist() == [4] * 9
