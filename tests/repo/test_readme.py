"""Every command, import and file that a document names exists, and the cheap commands are really run."""

import ast
import contextlib
import doctest
import importlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hamvae_cli import main

from .conftest import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")]
RUN_AS = {"make": ["make"], "hamvae": [sys.executable, "-m", "hamvae_cli"]}


def blocks(text: str) -> list[tuple[str, str]]:
    """(language, content) of every fenced block."""
    return re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(text: str, program: str) -> list[list[str]]:
    """Every call of `program` in the fenced blocks, split into words; prompts and comments are dropped."""
    lines = "\n".join(content.replace("\\\n", " ") for _, content in blocks(text)).splitlines()
    steps = [step.strip().removeprefix("$ ") for line in lines for step in line.split("&&")]
    # A comment begins at a word of its own: sheet.png#walk is a word like any other.
    return [shlex.split(re.sub(r"(^|\s)#.*", "", step)) for step in steps if step.split(" ")[0] == program]


def mentions(text: str, program: str) -> list[list[str]]:
    """Every call of `program` in running text and tables; such a mention may leave out what the command needs."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [shlex.split(code) for code in re.findall(rf"`({program} [^`]+)`", prose)]


def documented(program: str) -> list[list[str]]:
    found = {tuple(words) for path in DOCUMENTS for words in commands(path.read_text("utf-8"), program)}
    return [list(words) for words in sorted(found)]


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Hand the words to click as `hamvae` would, up to the point where the command would start to work.

    Raises:
        click.UsageError: a command, option or choice that does not exist, or a value too many or too few.
    """
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=command.name, parent=parent)
        _, words, _ = command.make_parser(context).parse_args(list(words))
        if words:
            _, inner, words = command.resolve_command(context, words)
            assert inner is not None
            parse(inner, words, context)
    else:
        with contextlib.suppress(click.exceptions.Exit):  # --help ends here
            command.make_context(command.name, list(words), parent)


def sessions(document: Path) -> str:
    """What is typed and answered in the interactive sessions of a document, in order."""
    return "".join(content for language, content in blocks(document.read_text("utf-8")) if language == "pycon")


def named(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.fixture
def no_file_need_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document names runs and clips that its reader has: the command line is not to look for them here."""
    monkeypatch.setattr(click.Path, "convert", lambda path, value, parameter, context: Path(value))
    monkeypatch.setattr("hamvae_cli.options.common.check_there", lambda run: None)
    monkeypatch.setattr("hamvae_cli.options.common.check_clip", lambda reference: None)


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_readme_shows(target: str) -> None:
    assert ["make", target] in commands((ROOT / "README.md").read_text("utf-8"), "make")


@pytest.mark.parametrize("words", documented("hamvae"), ids=shlex.join)
@pytest.mark.usefixtures("no_file_need_exist")
def test_a_documented_hamvae_command_is_understood(words: list[str]) -> None:
    parse(main, words[1:])


@pytest.mark.parametrize("words", documented("make"), ids=shlex.join)
def test_a_documented_make_target_exists(words: list[str]) -> None:
    assert {word for word in words[1:] if "=" not in word} <= targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_what_a_document_mentions_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    for words in mentions(text, "hamvae"):
        parse(main, [*words[1:], "--help"])
    assert {words[1] for words in mentions(text, "make")} <= targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_what_a_document_links_to_exists(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))
    assert not [link for link in links if "://" not in link and not (document.parent / link).exists()]


@pytest.mark.parametrize("words", [["swop"], ["--colour", "red"], ["demo", "spare"], ["train"]], ids=shlex.join)
def test_the_parser_above_refuses_what_hamvae_would_refuse(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(main, words)


@pytest.mark.parametrize(
    "words",
    [words for words in [*documented("make"), *documented("hamvae")] if words[-1] in {"help", "--help", "--version"}],
    ids=shlex.join,
)
def test_a_documented_command_that_only_informs_answers(words: list[str]) -> None:
    program, *rest = words
    command = [*RUN_AS[program], *rest]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert answer.returncode == 0
    assert answer.stdout
    assert not answer.stderr


def test_make_help_lists_every_target() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert set(re.findall(r"^make ([a-z-]+) +\S", listed.stdout, re.MULTILINE)) == targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_the_imports_of_a_documents_python_work(document: Path) -> None:
    sources = [content for language, content in blocks(document.read_text("utf-8")) if language == "python"]
    for node in [node for source in sources for node in ast.walk(ast.parse(source))]:
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if sessions(path)], ids=named)
def test_the_interactive_sessions_of_a_document_go_as_shown(document: Path) -> None:
    session = doctest.DocTestParser().get_doctest(sessions(document), {}, named(document), str(document), 0)
    assert doctest.DocTestRunner().run(session).failed == 0


def test_the_documents_hold_what_the_committed_results_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    tables = importlib.import_module("tables")
    rendered, stale = [], []

    def compare(document: Path, name: str, content: str) -> None:
        text = document.read_text("utf-8")
        rendered.append(name)
        if tables.replaced(text, name, content, document.name) != text:
            stale.append(f"{name} of {named(document)}")

    monkeypatch.setattr(tables, "render", compare)
    tables.main()
    assert rendered and not stale, "make docs"


def test_an_ablation_is_told_of_validation_characters_once_all_of_it_was_scored_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    tables = importlib.import_module("tables")
    monkeypatch.setattr(tables, "RESULTS", tmp_path)

    def write(name: str, **model: object) -> None:
        split = "validation" if name.endswith("-validation") else "test"
        result = {"command": "of either study", "split": split, "changes": {"model": model}}
        (tmp_path / f"sprites-{name}.json").write_text(json.dumps(result))

    for kept in ("", "-validation"):
        write(f"skew-symmetric{kept}", operator="skew-symmetric")
        write(f"pairs-2{kept}", pairs=2)
        if kept:
            assert list(tables.ablated()) == ["skew-symmetric", "no-action-in-decoder", "pairs-2"]
        write(f"no-action-in-decoder{kept}", class_in_decoder=False)
        assert list(tables.ablated()) == [
            f"{name}{kept}" for name in ("skew-symmetric", "no-action-in-decoder", "pairs-2")
        ]


def test_the_readme_of_symplectic_ops_names_everything_it_offers() -> None:
    door = ROOT / "packages/symplectic-ops/src/symplectic_ops/__init__.py"
    offered = re.findall(r"^from .* import .* as (\w+)$", door.read_text("utf-8"), re.MULTILINE)
    named_there = re.findall(r"`(\w+)`", (ROOT / "packages/symplectic-ops/README.md").read_text("utf-8"))
    assert len(offered) > 40 and not set(offered) - {"__version__"} - set(named_there)
