"""Doors that behave as no door may, one in each way: the watch over the others must see every one of them."""

import os
import time
from pathlib import Path

from hamvae_model import HamvaeError


def hang() -> None:
    time.sleep(600)


def grow() -> None:
    held = bytearray(1200 * 2**20)
    held[::4096] = bytes(len(held[::4096]))


def wait() -> None:
    time.sleep(11)


def labour() -> None:
    began = time.process_time()
    while time.process_time() < began + 11:
        pass


def crash() -> None:
    os.abort()


def traceback() -> None:
    raise KeyError("nobody foresaw this")


def escape() -> None:
    Path("../outside/escaped.txt").write_text("here")


def execute() -> None:
    os.system("true")


def babble() -> None:
    error = HamvaeError("")
    error.args = ("two\nlines",)
    raise error


EXAMPLES = {
    f"bad example {make.__name__}": make
    for make in (hang, wait, labour, grow, crash, traceback, escape, execute, babble)
}
