"""The commands and the Python of a document, for tests that run them."""

import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from click.testing import Result

ROOT = Path(__file__).resolve().parents[2]


class Document:
    """A document of the repository, by its path from there."""

    def __init__(self, path: str) -> None:
        self.text = (ROOT / path).read_text("utf-8")
        self._blocks = re.findall(r"^```(\w*)\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL)

    @property
    def commands(self) -> list[list[str]]:
        """The words of every `hamvae` command, without `hamvae`."""
        lines = "\n".join(block.replace("\\\n", " ") for _, block in self._blocks).splitlines()
        return [shlex.split(line)[1:] for line in lines if line.startswith("hamvae ")]

    @property
    def benchmarks(self) -> list[list[str]]:
        """The words of every command that runs a benchmark, without `python`."""
        lines = "\n".join(block for _, block in self._blocks).splitlines()
        return [shlex.split(line)[1:] for line in lines if line.startswith("python benchmarks/")]

    @property
    def python(self) -> list[str]:
        return [block for language, block in self._blocks if language == "python"]


def run_all(hamvae: Callable[..., Result], commands: Sequence[list[str]]) -> None:
    """One after the other, in one folder; the first that fails is shown with what it said."""
    for words in commands:
        result = hamvae(*words)
        assert result.exit_code == 0, f"{shlex.join(words)}\n{result.output}"
