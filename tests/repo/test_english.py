"""Messages, help and documents are in plain English: the phrases of the style page are absent, sentences are short.

CONTRIBUTING.md has the page. Sentences are counted in the documents, in docstrings of commands (their help), and in
texts that are raised or printed.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT
from .imports import PACKAGES

AVOIDED = (
    r"[Ss]ay what to learn from",
    r"(?<!here )\bis no (colour|finite|weights file|split|name|number|file|state|picture|clip|run|judge|square)\b",
    r"\bholds? no clips out\b",
    r"\bnobody said\b",
    r"\bsomebody (said|else)\b",
    r"\bwhoever\b",
    r"\bstrangers?\b",
    r"\bdoors?\b",
    r"\blearnt\b",
    r"\bheeds it not\b",
    r"\bin vain\b",
    r"\bfor what was\b",
    r"\bin place of\b",
)
LONGEST = 40  # words of a sentence
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs" / "notes").glob("*.md"),
    *(ROOT / "packages").glob("*/README.md"),
]
MODULES = [path for home in PACKAGES.values() for path in sorted(home.rglob("*.py"))]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(markdown: str) -> Iterator[str]:
    """The paragraphs and list entries of a document, without code, tables and headings."""
    text = re.sub(r"(?ms)^```.*?^```", "", markdown)
    text = re.sub(r"(?m)^(\||#|<!--|!\[|    ).*$", "", text)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
        yield " ".join(block.split())


def said(module: str) -> Iterator[str]:
    """The docstrings of commands, and the texts of a module that are raised, printed or help."""
    tree = ast.parse(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any("command" in ast.unparse(line) for line in node.decorator_list):
            text = (ast.get_docstring(node) or "").split("\b")[0]
            yield from (" ".join(block.split()) for block in text.split("\n\n"))
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if re.search(r"(Error|fail|echo)$", name):
                yield from (_text(argument) for argument in node.args)
            yield from (_text(word.value) for word in node.keywords if word.arg in ("help", "summary"))


def _text(node: ast.expr) -> str:
    """A text with ‹…› where something is filled in; nothing for other expressions."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "‹…›" for part in node.values)
    return ""


def sentences(text: str) -> Iterator[str]:
    """What ends with a full stop, a question or an exclamation mark; code counts as one word."""
    yield from re.split(r"(?<=[.!?])\**\s+(?=\**[A-Z`\[(‹'\"0-9])", re.sub(r"`[^`]*`", "X", text))


@pytest.mark.parametrize("path", [*DOCUMENTS, *MODULES], ids=named)
def test_phrases_to_avoid_are_avoided(path: Path) -> None:
    text = path.read_text("utf-8")
    if path.name == "CONTRIBUTING.md":
        text = text.partition("| today | write |")[0]  # the page lists them
    found = [match.group() for phrase in AVOIDED for match in re.finditer(phrase, text)]
    assert found == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_sentences_of_documents_are_short(path: Path) -> None:
    long = [one for block in prose(path.read_text("utf-8")) for one in sentences(block) if len(one.split()) > LONGEST]
    assert long == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_sentences_of_messages_and_help_are_short(path: Path) -> None:
    texts = said(path.read_text("utf-8"))
    assert [one for text in texts for one in sentences(text) if len(one.split()) > LONGEST] == []


def test_the_checks_can_fail() -> None:
    assert re.search(AVOIDED[1], "'red' is no colour") and not re.search(AVOIDED[1], "there is no file")
    assert list(said("raise UsageError(f'no {x} here')")) == ["no ‹…› here"]
    assert list(prose("# A\n\none two\nthree\n\n```\ncode\n```\n- four")) == ["", "one two three", "- four"]
