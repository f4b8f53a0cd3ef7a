"""A judge on disk: one safetensors file whose header says what it is of, and how well it does."""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from ..config.reading import read_json
from ..errors import HamvaeError
from ..files import versions
from ..files.tensors import bytes_of, check_fit, shapes_of, stored, write_tensors
from ..runs.environment import provenance
from .config import JudgeConfig
from .network import Judge


def save_judge(path: str | Path, judge: Judge) -> None:
    """Write the judge, whole or not at all.

    Raises: UsageError, HamvaeError: as `atomic.write_bytes`.
    """
    config = json.dumps({"format": versions.newest(versions.JUDGE), **asdict(judge.config)})
    header = {"config": config, "environment": json.dumps(provenance())}
    write_tensors(Path(path), judge.state_dict(), header, kind=versions.JUDGE)


def load_judge(path: str | Path, device: torch.device | str = "cpu") -> Judge:
    """The judge that was saved, ready to judge.

    Raises:
        UsageError: nothing there.
        HamvaeError: the file is damaged, of another version of the format, or no judge.
    """
    path = Path(path)
    missing = f"There is no judge at '{path}'; train one with `hamvae judge train --data SOURCE`."
    with stored(path, kind=versions.JUDGE, missing=missing) as file:
        config = _config(file.words, path)
        expected = shapes_of(lambda: Judge(config))
        tensors, _ = file.read(bytes_of(expected))
    check_fit(expected, tensors, path)
    judge = Judge(config)
    judge.load_state_dict(tensors)
    return judge.to(device).eval().requires_grad_(False)


def _config(header: dict[str, str], path: Path) -> JudgeConfig:
    try:
        return read_json(JudgeConfig, header.get("config", "{}"), versions.JUDGE)
    except HamvaeError as error:
        raise HamvaeError(f"'{path}' cannot be used as a judge. {error}") from None
