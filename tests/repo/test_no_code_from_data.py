"""Nothing in the packages turns data into code: no unpickling, no evaluation, no shell."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "runpy", "code", "codeop"}
CALLS = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "builtins.eval"),
    *("torch.load", "torch.jit.load", "torch.package.PackageImporter", "torch.hub.load", "torch.export.load"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "shutil.unpack_archive", "tarfile.open", "zipfile.ZipFile"),
}


def found_in(source: str) -> Iterator[str]:
    """What in a module turns data into code, with its line."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        where = f"line {getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            yield from (f"{where}: import {name.name}" for name in node.names if name.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = {f"{node.module}.{name.name}" for name in node.names}
            if (node.module or "").split(".")[0] in MODULES or names & CALLS:
                yield f"{where}: from {node.module}"
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            shell = any(
                word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
                for word in node.keywords
            )
            pickles = any(
                word.arg == "allow_pickle" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
                for word in node.keywords
            )
            if called in CALLS or shell or pickles:
                yield f"{where}: {called}"


def test_no_package_turns_data_into_code(root: Path) -> None:
    modules = sorted(root.glob("packages/*/src/**/*.py"))
    assert len(modules) > 100
    assert not {
        str(path.relative_to(root)): what for path in modules if (what := list(found_in(path.read_text("utf-8"))))
    }


@pytest.mark.parametrize(
    "source",
    [
        *(
            "import pickle",
            "from pickle import loads",
            "import yaml.loader",
            "from torch import load",
            "torch.load(path)",
        ),
        *(
            "eval(text)",
            "exec(text)",
            "os.system(text)",
            "subprocess.run(text, shell=True)",
            "subprocess.run(x, shell=y)",
        ),
        *("np.load(path, allow_pickle=True)", "def f():\n    import marshal", "__import__(name)"),
    ],
)
def test_the_check_above_can_fail(source: str) -> None:
    assert list(found_in(source))


@pytest.mark.parametrize(
    "source", ["model.eval()", "re.compile(x)", "subprocess.run(words, shell=False)", "from .code import x"]
)
def test_the_check_above_finds_nothing_where_there_is_nothing(source: str) -> None:
    assert not list(found_in(source))
