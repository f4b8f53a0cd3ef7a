"""Who imports whom inside the packages, read from their text: also in functions and under TYPE_CHECKING."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

from .conftest import ROOT

PACKAGES = {
    name: ROOT / "packages" / name.replace("_", "-") / "src" / name
    for name in ("symplectic_ops", "hamvae_model", "hamvae_cli")
}


def modules(package: str) -> dict[str, Path]:
    """Dotted name -> file of every module of a package."""
    home = PACKAGES[package]
    found = {}
    for path in sorted(home.rglob("*.py")):
        parts = path.relative_to(home.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(package: str) -> dict[str, set[str]]:
    """Module -> the modules that it imports of all three packages.

    ``from .network import Network`` is an arrow to the folder, whatever file the name comes from, unless the name is
    a module of its own.
    """
    known = set().union(*(modules(name) for name in PACKAGES))
    return {name: imported(path.read_text("utf-8"), name, path, known) for name, path in modules(package).items()}


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
