"""What is held out: decided alike everywhere, stable when clips are added, and never across an identity."""

from hamvae_model.data.files.recording import Recording
from hamvae_model.data.files.splits import assign


def recordings(count: int, **facts: str) -> list[Recording]:
    return [
        Recording(name=f"walk/{number}.gif", label="walk", files=(), decode=list, **facts) for number in range(count)
    ]


def test_about_one_in_ten_is_held_out_always_the_same_ones() -> None:
    splits = assign(recordings(1000))
    assert 70 < splits.count("test") < 130
    assert assign(recordings(1000)) == splits


def test_adding_clips_moves_no_other() -> None:
    assert assign(recordings(1000))[:500] == assign(recordings(500))


def test_of_a_few_clips_one_is_held_out() -> None:
    for count in range(2, 12):
        assert 1 <= assign(recordings(count)).count("test") < count


def test_nobody_is_on_both_sides() -> None:
    clips = [
        Recording(name=f"{action}/{who}.gif", label=action, files=(), decode=list, identity=str(who))
        for who in range(60)
        for action in ("walk", "run")
    ]
    sides = dict.fromkeys(range(60), "")
    for clip, split in zip(clips, assign(clips), strict=True):
        sides[int(clip.identity or 0)] += split[:2]
    assert set(sides.values()) == {"trtr", "tete"}


def test_what_was_said_stands() -> None:
    assert set(assign(recordings(30, split="train"))) == {"train"}
