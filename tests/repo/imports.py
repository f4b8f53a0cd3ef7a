"""Who imports whom inside the packages, read from their text: also in functions and under TYPE_CHECKING.

    python -m tests.repo.imports [CHECKOUT]

prints for each package how many files stand at its top, its import circles, its longest file and its longest function.
"""

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from .conftest import ROOT

PACKAGES = {
    name: ROOT / "packages" / name.replace("_", "-") / "src" / name
    for name in ("symplectic_ops", "hamvae_model", "hamvae_cli")
}


def modules(home: Path) -> dict[str, Path]:
    """Dotted name -> file of every module of the package in folder `home`."""
    found = {}
    for path in sorted(home.rglob("*.py")):
        parts = path.relative_to(home.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(home: Path) -> dict[str, set[str]]:
    """Module -> the modules of the same package that it imports.

    ``from .network import Network`` is an arrow to the folder, whatever file the name comes from, unless the name is
    a module of its own.
    """
    known = modules(home)
    return {name: imported(path.read_text("utf-8"), name, path, known) for name, path in known.items()}


def imported(source: str, name: str, path: Path, known: Iterable[str]) -> set[str]:
    """The modules among `known` that the text of module `name` imports."""
    here = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                found.add(whole if (whole := f"{base}.{alias.name}") in known else base)
    return (found & set(known)) - {name}


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """The strongly connected parts of more than one module (Tarjan, 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in graph.get(name, ()):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            part = set(stack[stack.index(name) :])
            del stack[stack.index(name) :]
            if len(part) > 1:
                found.append(part)

    for name in graph:
        if name not in order:
            visit(name)
    return found


def functions(path: Path) -> dict[str, int]:
    """Name -> lines of every function of a file, its decorators and docstring among them."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[node.name] = (node.end_lineno or first) - first + 1
    return found


def lines(path: Path) -> int:
    """How many a file has."""
    return len(path.read_text("utf-8").splitlines())


def main(checkout: Path) -> None:
    """Print the counts of a checkout."""
    for package, home in PACKAGES.items():
        there = checkout / home.relative_to(ROOT)
        files = modules(there)
        longest = max(files.values(), key=lines)
        length, name, path = max((n, name, path) for path in files.values() for name, n in functions(path).items())
        counts = [
            f"{len(list(there.glob('*.py')))} files at the top",
            f"{len(circles(arrows(there)))} import circles",
            f"longest file {longest.relative_to(there)} ({lines(longest)} lines)",
            f"longest function {name} of {path.relative_to(there)} ({length} lines)",
        ]
        print(f"{package}: {', '.join(counts)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
