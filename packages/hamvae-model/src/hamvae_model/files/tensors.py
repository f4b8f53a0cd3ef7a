"""Tensors in one safetensors file with words in its header: written whole with a hash, and read back strictly."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import DamagedError, HamvaeError, UsageError
from ..limits import HEADER_LIMIT
from . import versions
from .atomic import write_bytes
from .bounded import check_ordinary

HASH = "sha256"
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
NAMED = 3  # differences, in a sentence
UNREADABLE = (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RuntimeError)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str], *, kind: str) -> None:
    """Write them from wherever they are, whole or not at all, with the version of this `kind` and a hash.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`.
    """
    portable = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    words = {"format": versions.newest(kind), **header}
    write_bytes(path, to_safetensors(portable, metadata={**words, HASH: content_hash(portable, words)}))


class Stored:
    """A file whose header was read.

    Attributes:
        words: the header, without the hash.
    """

    def __init__(self, path: Path, words: dict[str, str], file: Any) -> None:
        self._path, self._file = path, file
        self._hash = words.pop(HASH, None)
        self.words = words

    def read(self, room: int) -> tuple[dict[str, Tensor], dict[str, str]]:
        """The tensors and the header, as they were written.

        Args: room: the most bytes that the tensors of a file with this header take.

        Raises: DamagedError: it is longer, or not what was written.
        """
        path = self._path
        if path.stat().st_size > HEADER_LIMIT + room:
            raise DamagedError(f"'{path}' is longer than its configuration says; use another copy.")
        tensors = {name: self._file.get_tensor(name) for name in sorted(self._file.keys())}
        if not all(tensor.isfinite().all() for tensor in tensors.values() if tensor.dtype in FLOATS):
            raise DamagedError(f"'{path}' is damaged: it holds numbers that are not finite; use another copy.")
        if self._hash != content_hash(tensors, self.words):
            raise DamagedError(f"'{path}' is damaged: its content does not match its hash; use another copy.")
        return tensors, self.words


@contextmanager
def stored(path: Path, *, kind: str, missing: str) -> Iterator[Stored]:
    """A file for the time of the block: first its header, and then, if that is what is wanted, its tensors.

    Args: missing: the sentence for no such file.

    Raises:
        UsageError: no such file, or none that can be opened.
        DamagedError: it is not what was written.
        HamvaeError: it is of another kind, or of a version that is not read.
    """
    with _opened(path, missing) as file:
        yield Stored(path, _words(file, path, kind), file)


def read_header(path: Path, *, kind: str, missing: str) -> dict[str, str]:
    """The header alone, without a look at the tensors or the hash.

    Raises: UsageError, HamvaeError: as `stored`.
    """
    with _opened(path, missing) as file:
        return _words(file, path, kind)


def content_hash(tensors: Mapping[str, Tensor], words: Mapping[str, str]) -> str:
    """SHA-256 of the words and of every tensor's name, type, shape and bytes, in the order of their names.

    Args:
        tensors: on the CPU, contiguous.
        words: of the header, without the hash.
    """
    digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


class _Undrawn(TorchFunctionMode):
    """Leaves tensors without numbers as they are: torch would load its compiler, for a second, to fill them."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        drawn = func in (Tensor.normal_, Tensor.uniform_) or getattr(func, "__module__", "") == nn.init.__name__
        tensor = args[0] if args else kwargs.get("tensor")
        if drawn and isinstance(tensor, Tensor) and tensor.is_meta:
            return tensor
        return func(*args, **kwargs)


def shapes_of(make: Callable[[], nn.Module]) -> dict[str, Tensor]:
    """The state of the module that `make` makes: names, shapes and types, which take no memory."""
    with torch.device("meta"), _Undrawn():
        return dict(make().state_dict())


def bytes_of(tensors: Mapping[str, Tensor]) -> int:
    """Bytes of the numbers in them."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())


def check_fit(expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Compare names, types and shapes with those that are expected.

    Raises: HamvaeError: they differ; it says in what.
    """
    wanted, found = ({name: _described(tensor) for name, tensor in some.items()} for some in (expected, tensors))
    odd = [
        f"{name} is {found[name]} and not {wanted[name]}"
        for name in wanted.keys() & found.keys()
        if found[name] != wanted[name]
    ]
    odd += [f"{name} is missing" for name in wanted.keys() - found.keys()]
    odd += [f"{name} has no place" for name in found.keys() - wanted.keys()]
    odd.sort()
    if odd:
        more = f", and {len(odd) - NAMED} more differ" if len(odd) > NAMED else ""
        raise HamvaeError(
            f"The tensors in '{path}' do not fit the configuration stored with them: {', '.join(odd[:NAMED])}{more}; "
            "use another copy."
        )


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


@contextmanager
def _opened(path: Path, missing: str) -> Iterator[Any]:
    """The file as safetensors reads it: a tensor at a time, so that a large one is in memory once."""
    try:
        check_ordinary(path, None)
        if os.fsencode(path).decode(errors="replace") != str(path):
            raise UsageError(f"'{path}' has a name that is not UTF-8 text, and safetensors cannot open it; rename it.")
        with path.open("rb") as header:  # Python tells more exactly than safetensors why a file cannot be opened
            length, begins = int.from_bytes(header.read(8), "little"), header.read(1)
        if begins != b"{" and path.suffix != ".safetensors":
            raise UsageError(
                f"'{path}' is not a weights file of hamvae, which are safetensors; name one, or a run folder."
            )
        if begins != b"{":
            raise ValueError("it does not begin as safetensors do")
        if length > HEADER_LIMIT:
            raise ValueError(f"its header is said to have {length} bytes, and at most {HEADER_LIMIT} are read")
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError:
        raise UsageError(missing) from None
    except IsADirectoryError:
        raise UsageError(f"'{path}' is a folder; name a file.") from None
    except UNREADABLE as error:
        raise DamagedError(f"'{path}' is damaged and cannot be read ({error}); use another copy.") from None
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read ({error.strerror or error}).") from None


def _words(file: Any, path: Path, kind: str) -> dict[str, str]:
    words: dict[str, str] = file.metadata() or {}
    try:
        versions.check(kind, words.get("format"))
    except HamvaeError as error:
        raise HamvaeError(f"'{path}' cannot be used. {error}") from None
    return words
