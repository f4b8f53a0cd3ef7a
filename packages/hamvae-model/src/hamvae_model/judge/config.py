"""What a judge is of, as plain frozen data; it travels inside the judge's file. No torch here."""

from dataclasses import dataclass, field
from pathlib import Path

from ..config.run import DataConfig
from ..errors import HamvaeError
from ..limits import CLASS_LIMIT, SIZE_LIMIT
from ..words import is_plain

JUDGES = Path("judges")  # where they are looked for, seen from the working folder
ACTION = "action"  # the head that every judge has; the others are called as their attributes


@dataclass(frozen=True, kw_only=True)
class JudgeConfig:
    """What a judge tells apart, and where it learned that.

    Args:
        data: the clips it was trained on.
        material: a hash of each layer of art or of each clip from files; see `network.material`.
        classes: the actions, in label order.
        attributes: each attribute of characters with the names of its values; none for clips from files.
        size: height and width of a frame.
        length: frames of the windows it was trained on.
        steps, seed: of its training.
        accuracy: the share of held-out clips that each head is right about, once that was measured.
    """

    data: DataConfig
    material: dict[str, str]
    classes: tuple[str, ...]
    attributes: dict[str, tuple[str, ...]]
    size: int
    length: int
    steps: int
    seed: int
    accuracy: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises: HamvaeError: a judge that cannot be."""
        heads = (ACTION, *self.attributes)
        for wrong, what in (
            (len(self.classes) < 2, "it must tell at least two actions apart"),
            (any(len(values) < 2 for values in self.attributes.values()), "an attribute has at least two values"),
            (
                not 16 <= self.size <= SIZE_LIMIT or self.size % 16 != 0,
                f"frames have a multiple of 16 pixels, at most {SIZE_LIMIT}; got {self.size}",
            ),
            (not all(map(is_plain, heads)), "an attribute has a name that cannot be shown"),
            (max(map(len, (self.classes, *self.attributes.values()))) > CLASS_LIMIT, "it tells too much apart"),
            (self.length < 1, f"a window has at least one frame; got {self.length}"),
            (any(head not in heads for head in self.accuracy), "an accuracy is of a head that it does not have"),
            (not all(0 <= share <= 1 for share in self.accuracy.values()), "accuracies lie between 0 and 1"),
        ):
            if wrong:
                raise HamvaeError(f"The judge is not usable: {what}.")


def default_path(source_name: str, labels: str) -> Path:
    """Where the judge of a source is looked for, seen from the working folder."""
    return JUDGES / f"{source_name}-{labels}.safetensors"
