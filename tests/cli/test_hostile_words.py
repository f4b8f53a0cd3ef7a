"""Words on the command line that nobody means: refused in one legible line, whatever they hold."""

from pathlib import Path

import pytest

from .conftest import Command

ESCAPE = "\x1b[2J"


@pytest.mark.parametrize(
    "words",
    [
        [ESCAPE],
        ["inspect", f"runs/{ESCAPE}\nfirst"],
        ["inspect", "\udcff"],
        ["sample", "RUN", "-o", f"{ESCAPE}.png"],
        ["data", "check", "\u202eDIR"],
        ["inspect", "a\0b"],
        ["train", "--data", ESCAPE],
        [f"--{ESCAPE}"],
        ["data", "check", "nowhere\u202e"],
    ],
    ids=repr,
)
def test_what_a_terminal_would_obey_is_written_out(hamvae: Command, run: Path, words: list[str]) -> None:
    result = hamvae(*(str(run) if word == "RUN" else word for word in words))
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert all(sign.isprintable() for sign in result.stderr.replace("\n", ""))


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["sample", "RUN", "-o", "a.gif", "--count", "9" * 30], "--count"),
        (["sample", "RUN", "-o", "a.gif", "--seed", str(2**63)], "--seed"),
        (["sample", "RUN", "-o", "a.png", "--scale", "9" * 30], "at most 96 million pixels"),
        (["sample", "RUN", "-o", "a.gif", "--start", "nan"], "start must be"),
        (["sample", "RUN", "-o", "a.gif", "--speed", "nan"], "speed must be"),
        (["data", "check", ".", "--clip-fps", "nan"], "the number must be finite; got nan"),
        (["data", "check", ".", "--length", "9" * 30], "--length"),
        (["train", "--data", "builtin", "--steps", "9" * 30], "--steps"),
    ],
    ids=lambda given: " ".join(given)[:60] if isinstance(given, list) else "",
)
def test_numbers_beyond_reason_are_refused(hamvae: Command, run: Path, words: list[str], what: str) -> None:
    result = hamvae(*(str(run) if word == "RUN" else word for word in words))
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert what in result.stderr.splitlines()[-1]
    assert not list(Path().iterdir())


@pytest.mark.parametrize("words", [[], ["data"], ["judge"]], ids=str)
def test_who_names_no_command_reads_a_line_for_each(hamvae: Command, words: list[str]) -> None:
    result = hamvae(*words)
    assert result.exit_code == 2
    assert result.stderr == hamvae(*words, "--help").stdout
    assert result.stderr.count("\n") > 8


def test_names_in_another_encoding_are_read_and_written_but_for_those_of_runs(hamvae: Command, run: Path) -> None:
    assert hamvae("sample", str(run), "--action", "walk-left", "-o", "l\udce4ufer.gif").exit_code == 0
    words = ("reconstruct", str(run), "--clip", "l\udce4ufer.gif", "--action", "walk-left", "-o", "\udce4.mp4")
    assert hamvae(*words).exit_code == 0
    Path("l\udce4ufer").symlink_to(run)
    assert "not UTF-8 text, and safetensors cannot open it; rename it." in hamvae("inspect", "l\udce4ufer").stderr
