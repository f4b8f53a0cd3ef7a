"""Any field of a preset set by its key: checked, typed, and told by its nearest spelling when it is wrong."""

import subprocess
import sys
from typing import Any

import pytest

import hamvae_model as hv
from hamvae_model.config.overrides import overridden, parse_assignments, set_in_data, settings
from hamvae_model.data import Characters


def test_every_setting_can_be_set_to_the_value_it_has(tiny: hv.Config) -> None:
    for key in settings():
        value: object = tiny
        for name in key.split("."):
            value = getattr(value, name)
        assert overridden(tiny, {key: value}) == tiny, key
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert overridden(tiny, {key: text}) == tiny, key


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("model.content_dim", "64", 64),
        ("model.encoder_widths", "32,64,128", (32, 64, 128)),
        ("model.decoder_widths", "24", (24,)),
        ("model.class_in_decoder", "false", False),
        ("model.operator_norm", "none", None),
        ("model.operator_norm", "2", 2.0),
        ("model.operator", "elliptic", "elliptic"),
        ("objective.variance", "2e-2", 0.02),
        ("training.learning_rate", "1e-3", 1e-3),
        ("training.steps", "12", 12),
        ("training.bfloat16", "True", True),
    ],
)
def test_texts_stand_for_values_of_the_fields_type(builtin: Characters, key: str, text: str, value: object) -> None:
    section, name = key.split(".")
    built = hv.build("demo", source=builtin, set={key: text})
    assert getattr(getattr(built, section), name) == value
    assert built == hv.build("demo", source=builtin, set={key: value})


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"model.content_dmi": 3}, r"no setting 'model\.content_dmi'; did you mean 'model\.content_dim'\?"),
        ({"modle.content_dim": 3}, r"no setting 'modle\.content_dim'; did you mean 'model\.content_dim'\?"),
        ({"content_dim": 3}, r"no setting 'content_dim'; did you mean 'model\.content_dim'\?"),
        ({"model.classes": ("a",)}, r"'model\.classes' cannot be set: the clips decide it when a source is opened\."),
        ({"data.loop": True}, r"'data\.loop' cannot be set: --clips-repeat sets it\."),
        ({"model.content_dim": "many"}, r"'model\.content_dim' is a whole number; got 'many'\."),
        ({"model.content_dim": 2.5}, r"'model\.content_dim' is a whole number; got 2\.5\."),
        ({"model.content_dim": True}, r"'model\.content_dim' is a whole number; got True\."),
        ({"model.content_dim": "0"}, "sizes, widths and lengths must be from 1"),
        ({"model.operator_norm": "x"}, r"'model\.operator_norm' is a number or none; got 'x'\."),
        ({"model.encoder_widths": "8,x,8"}, "is whole numbers with commas between them"),
        ({"training.learning_rate": "-1"}, "learning_rate must be a positive number; got -1"),
        ({"training.bfloat16": "maybe"}, r"'training\.bfloat16' is true or false; got 'maybe'\."),
        ({"data.validation": 0.5}, r"'data\.validation' is decided when a source is opened; open the source with it"),
    ],
)
def test_what_cannot_be_set_is_refused_in_a_sentence(
    builtin: Characters, wanted: dict[str, object], sentence: str
) -> None:
    with pytest.raises(hv.UsageError, match=sentence):
        hv.build("demo", source=builtin, set=wanted)


def test_settings_of_the_data_are_those_a_source_is_opened_with(tiny: hv.Config) -> None:
    data = set_in_data(tiny.data, {"data.validation": "0.2", "data.framing.fit": "crop", "model.pairs": 2})
    assert (data.validation, data.framing.fit, data.framing.resample) == (0.2, "crop", "nearest")
    with pytest.raises(hv.UsageError, match="fit must be one of letterbox, crop, stretch; got 'corp'"):
        set_in_data(tiny.data, {"data.framing.fit": "corp"})


def test_the_cap_of_operators_follows_from_what_was_set(builtin: Characters) -> None:
    few, many = (hv.build("demo", source=builtin, set={"model.pairs": pairs}).model for pairs in (4, 12))
    assert few.operator_norm is not None and many.operator_norm is not None
    assert many.operator_norm > few.operator_norm


def test_assignments_are_read_as_typed_and_refused_before_anything_is_loaded() -> None:
    assert parse_assignments(["model.pairs=2", "model.operator=elliptic"]) == {
        "model.pairs": "2",
        "model.operator": "elliptic",
    }
    for words, sentence in (
        (["model.pairs"], r"'model\.pairs' sets nothing; write KEY=VALUE"),
        (["model.pairs=2", "model.pairs=3"], r"'model\.pairs' is set twice"),
        (["model.paris=2"], "did you mean 'model.pairs'"),
    ):
        with pytest.raises(hv.UsageError, match=sentence):
            parse_assignments(words)
    code = "import sys, hamvae_model.config.overrides; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"operator": "elliptic"}, "model.operator"),
        ({"steps": 3}, "training.steps"),
        ({"batch": 3}, "training.batch"),
        ({"precision": "float32"}, "training.bfloat16"),
        ({"learning_rate": 0.1}, "training.learning_rate"),
    ],
)
def test_an_argument_and_a_key_that_say_the_same_are_refused(
    builtin: Characters, given: dict[str, Any], key: str
) -> None:
    option = f"--{next(iter(given)).replace('_', '-')}"
    with pytest.raises(hv.UsageError, match=f"'{key}' is set twice, by {option} too; leave one of them out"):
        hv.build("demo", source=builtin, **given, set={key: "1"})
