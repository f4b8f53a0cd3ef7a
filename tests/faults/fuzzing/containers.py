"""Changes that know a format: what its checksums and lengths would otherwise turn away comes through to the reader."""

import json
import struct
import zlib
from collections.abc import Callable
from random import Random

from safetensors.torch import load

from hamvae_model.files.tensors import HASH, content_hash

from .mutations import BOUNDARIES, altered, damaged, misspelt

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def safetensors(data: bytes, chance: Random) -> bytes:
    """Another header before the same tensors: lying shapes, offsets and types, doubled keys, other words."""
    length = int.from_bytes(data[:8], "little")
    header, tensors = json.loads(data[8 : 8 + length]), data[8 + length :]
    text: str | None = None
    match chance.randrange(9):
        case 0 | 1:
            header = altered(header, chance)
        case 2:
            tensor = header[chance.choice([name for name in header if name != "__metadata__"])]
            tensor["shape"] = chance.choice(
                ([2**40], [2**32, 2**32], [], [0], [-1], [1] * 1000, [10**30], tensor["shape"][::-1])
            )
        case 3:
            tensor = header[chance.choice([name for name in header if name != "__metadata__"])]
            tensor["data_offsets"] = chance.choice(
                ([0, 2**50], [2**63, 0], [10, 0], [0, 0], [0, len(tensors)], [-4, 4])
            )
        case 4:
            tensor = header[chance.choice([name for name in header if name != "__metadata__"])]
            tensor["dtype"] = chance.choice(
                ("F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3", "F4", "OBJECT", "", 3)
            )
        case 5:
            name = chance.choice(list(header))
            header = {chance.choice(("", "../../escaped", "\x1b[2J", "model/", name + ".x")): header[name]} | header
        case 6:
            text = misspelt(json.dumps(header), chance)
        case 7:
            text = json.dumps(header)
            text = chance.choice(
                (text[:-1] + ',"a":' + "[" * 5000, text + " " * 10**6, "{" + text[1:-1] + "," + text[1:])
            )
        case 8:
            words = header.get("__metadata__", {})
            for key in words:
                if chance.random() < 0.5:
                    words[key] = chance.choice((misspelt(words[key], chance), "", "9" * 5000, "{" * 5000, "nan", "-1"))
    encoded = (json.dumps(header) if text is None else text).encode(errors="surrogatepass")
    said = chance.choice(BOUNDARIES) if chance.random() < 0.1 else len(encoded)
    made = said.to_bytes(8, "little") + encoded + tensors
    return rehashed(made) if chance.random() < 0.8 else made


def with_words(data: bytes, change: Callable[[dict[str, str]], dict[str, str]]) -> bytes:
    """The same tensors with other words in the header of a safetensors file, and the hash of both."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = change(header.get("__metadata__", {}))
    encoded = json.dumps(header).encode()
    return rehashed(len(encoded).to_bytes(8, "little") + encoded + data[8 + length :])


def rehashed(data: bytes) -> bytes:
    """The same with the hash that belongs to it, as somebody sees to who means harm; unreadable data as they are."""
    try:
        tensors, length = load(data), int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        words = {key: word for key, word in header["__metadata__"].items() if key != HASH}
        header["__metadata__"] = words | {HASH: content_hash(tensors, words)}
    except Exception:  # whatever is wrong with it is for the reader to find out
        return data
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data[8 + length :]


def png(data: bytes, chance: Random) -> bytes:
    """Chunks changed, doubled, moved or left out, with checksums that are right."""
    chunks, at = [], len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return damaged(data, chance)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(chunks))
        name, content = chunks[at]
        match chance.randrange(7):
            case 0 | 1:
                chunks[at] = (name, damaged(content, chance))
            case 2:
                chunks[at:at] = [chunks[at]] * chance.choice((1, 20, 500))
            case 3 if len(chunks) > 1:
                del chunks[at]
            case 4:
                chance.shuffle(chunks)
            case 5:
                sides = [chance.choice((0, 1, 4000, 6000, 30_000, 2**31 - 1)) for _ in range(2)]
                head = struct.pack(
                    ">IIBBBBB", *sides, chance.choice((1, 8, 16)), chance.choice((0, 2, 3, 4, 6)), 0, 0, 0
                )
                chunks[0] = (b"IHDR", head)
            case _:
                bomb = zlib.compress(bytes(chance.choice((10**5, 10**7))))
                extra = chance.choice(
                    (
                        (b"zTXt", b"a\0\0" + bomb),
                        (b"iCCP", b"a\0\0" + bomb),
                        (b"tEXt", b"hamvae-frames\0" + b"9" * 5000),
                        (b"tEXt", b"hamvae-frames\x0032"),
                        (b"eXIf", chance.randbytes(60)),
                        (b"fdAT", content),
                        (b"IDAT", bomb),
                    )
                )
                chunks.insert(at, extra)
    return SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def gif(data: bytes, chance: Random) -> bytes:
    """Sizes of the screen and of frames, delays and flags changed, frames repeated."""
    changed = bytearray(data)
    frames = [at for at in range(len(changed) - 10) if changed[at] == 0x2C and at > 12]
    match chance.randrange(4):
        case 0:
            changed[6:10] = struct.pack("<HH", *(chance.choice((0, 1, 5000, 8000, 65535)) for _ in range(2)))
        case 1 if frames:
            at = chance.choice(frames)
            changed[at + 1 : at + 9] = struct.pack("<HHHH", *(chance.choice((0, 1, 32, 5000, 65535)) for _ in range(4)))
        case 2:
            changed[-1:-1] = changed[30:-1] * chance.choice((2, 30, 300))
        case _:
            at = changed.find(b"!\xf9\x04")
            changed[at + 3 : at + 7] = chance.randbytes(4)
    return damaged(bytes(changed), chance) if chance.random() < 0.3 else bytes(changed)


def boxes(data: bytes, chance: Random) -> bytes:
    """An MP4 in which the fields of a box of the header lie: sizes, durations, counts, dimensions."""
    changed = bytearray(data)
    names = (
        b"moov",
        b"mvhd",
        b"tkhd",
        b"mdhd",
        b"stsd",
        b"stts",
        b"stsz",
        b"stsc",
        b"stco",
        b"avc1",
        b"avcC",
        b"ftyp",
        b"mdat",
        b"elst",
    )
    found = [(changed.find(name), name) for name in names if name in changed]
    if not found:
        return damaged(data, chance)
    for _ in range(chance.choice((1, 2, 4))):
        at, _ = chance.choice(found)
        match chance.randrange(4):
            case 0:
                changed[at - 4 : at] = struct.pack(">I", chance.choice(BOUNDARIES) % 2**32)
            case 1 | 2:
                place = at + 4 + 4 * chance.randrange(12)
                changed[place : place + 4] = struct.pack(
                    ">I", chance.choice((*BOUNDARIES, chance.randrange(2**16))) % 2**32
                )
            case _:
                changed[at : at + 4] = chance.choice((b"free", b"soun", chance.choice(names), b"\0\0\0\0"))
    return bytes(changed)


def riff(data: bytes, chance: Random) -> bytes:
    """A WebP or AVI with chunks doubled or lying about their sizes and the canvas."""
    changed = bytearray(data)
    match chance.randrange(4):
        case 0 if b"VP8X" in data:
            at = data.find(b"VP8X") + 12
            changed[at : at + 6] = b"".join(
                chance.choice((0, 1, 5000, 16383, 2**24 - 1)).to_bytes(3, "little") for _ in range(2)
            )
        case 1:
            spots = [at for name in (b"ANMF", b"VP8L", b"ANIM", b"LIST", b"strh") if (at := data.find(name)) > 0]
            at = chance.choice(spots or [12])
            changed[at + 4 : at + 8] = struct.pack("<I", chance.choice(BOUNDARIES) % 2**32)
        case 2:
            at = data.find(b"ANMF")
            if at > 0:
                changed += changed[at:] * chance.choice((1, 30, 300))
                changed[4:8] = struct.pack("<I", len(changed) - 8)
        case _:
            return damaged(data, chance)
    return bytes(changed)
