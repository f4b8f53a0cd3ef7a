"""Text whose structure matters, made by hypothesis: layouts, tables, file names, references, command lines."""

from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

Made = TypeVar("Made")

BATCH = 100  # examples made together: to begin takes longer than to go on
_made: dict[tuple[int, int], list[object]] = {}


def one(strategy: st.SearchStrategy[Made], chance: Random) -> Made:
    """An example, a function of the strategy and of `chance` alone."""
    number = chance.randrange(20 * BATCH)
    key = id(strategy), number // BATCH
    if key not in _made:
        _made[key] = list[object](_examples(strategy, key[1]))
    found = _made[key]
    example: Made = found[number % len(found)]  # type: ignore[assignment]
    return example


def _examples(strategy: st.SearchStrategy[Made], start: int) -> list[Made]:
    found: list[Made] = []

    @seed(start)
    @settings(
        max_examples=BATCH,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Made) -> None:
        found.append(example)

    collect()
    return found


_texts = st.text(max_size=20) | st.text(st.characters(categories=["Cc", "Cs", "Cf", "Zl"]), max_size=4)
_numbers = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, 2**64, 10**30, 10**400, -1, 0])


def _toml_string(text: str) -> str:
    return (
        '"' + "".join(sign if sign.isalnum() and sign.isascii() else f"\\u{ord(sign):04x}"[:6] for sign in text) + '"'
    )


_keys = st.sampled_from(["cell", "duration", "loop", "actions", "row", "frames"]) | _texts.map(_toml_string)
_values = st.recursive(
    _numbers.map(str) | st.booleans().map(lambda value: str(value).lower()) | _texts.map(_toml_string),
    lambda inner: st.lists(inner, max_size=5).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=8,
)
_side = st.sampled_from(["32"] * 9 + ["1", "2", "8", "16", "64", "0", "-1", "1e3", str(2**63), str(10**30)])
_action = st.tuples(
    st.sampled_from(["walk", "jump"]) | _texts.map(_toml_string),
    st.integers(0, 1) | st.integers(0, 1) | st.integers(0, 1) | st.integers(-1, 40) | _numbers,
    st.none() | st.none() | st.lists(st.integers(0, 3), min_size=1) | st.lists(st.integers(-1, 40), max_size=40),
    st.none() | st.none() | st.integers(-1, 10**5) | _numbers | st.lists(st.integers(-1, 500), max_size=4),
).map(
    lambda said: (
        f"[actions.{said[0]}]\nrow = {said[1]}\n"
        + ("" if said[2] is None else f"frames = {said[2]}\n")
        + ("" if said[3] is None else f"duration = {said[3]}\n")
    )
)
LAYOUTS = st.tuples(
    st.tuples(_side, _side).map(lambda sides: f"cell = [{sides[0]}, {sides[1]}]\n"),
    st.just("")
    | st.just("")
    | st.lists(st.tuples(_keys, _values).map(" = ".join), max_size=2).map(lambda lines: "\n".join([*lines, ""])),
    st.lists(_action, max_size=4).map("".join),
).map("".join)

_cells = (
    st.sampled_from(
        [
            "walk/hero.gif",
            "jump/hero.gif",
            "walk/ghost.webp",
            "heroes.png",
            "heroes.png#walk",
            "../../etc/passwd",
            "train",
            "test",
        ]
    )
    | _texts
)
_columns = st.sampled_from(["clip", "identity", "split", "colour"]) | _texts
TABLES = st.tuples(
    st.lists(_columns, max_size=6).map(lambda cells: ["clip", *cells]),
    st.lists(st.lists(_cells, min_size=1, max_size=6), max_size=6),
    st.sampled_from([",", ",", ",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
).map(lambda said: said[3].join(said[2].join(row) for row in [said[0], *said[1]]))

_NAMES = [
    *(
        "a\nb.gif",
        "a\x1b[2Jb.gif",
        "\udcff.gif",
        "\u202egif.exe.png",
        "a#b.gif",
        "#1:2",
        "a:b.gif",
        "-o.gif",
        "--help.png",
        " .gif",
    ),
    *(
        "..gif",
        "con.gif",
        "sheet.toml",
        "hero.toml",
        "a.toml",
        "clips.csv",
        "{action}.gif",
        "$(touch escaped).gif",
        "%s.png",
    ),
    *(
        "x" * 250 + ".gif",
        "🦊.png",
        "frames",
        "1.png",
        "0.png",
        "a.GIF",
        "a.mp4",
        "a\tb",
        "a\\b.gif",
        "folder:a.gif",
        "'; rm.gif",
    ),
]
FILE_NAMES = st.sampled_from(_NAMES) | st.tuples(
    st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=20),
    st.sampled_from([".gif", ".png", "", ".mp4"]),
).map("".join).filter(lambda name: name not in (".", ".."))

_parts = (
    st.sampled_from(["", "0:2", "2:", ":", ":99999999999999999999", "9:1", "walk", "-1:2", "1:2:3", "²:³"]) | _texts
)
_clips = st.sampled_from(
    [
        *(
            "a.gif",
            "a.png",
            "builtin",
            "builtin:test/3/walk-left",
            "builtin:test/99999999/walk-left",
            "builtin:test/-1/walk-left",
        ),
        *(
            "builtin:train/²/walk-left",
            "builtin:/3/",
            "sprites:test/1/walk-left",
            "folder:walk/hero.gif",
            "mug:x",
            "nothing.gif",
        ),
        *(
            "",
            ".",
            "..",
            "/",
            "/dev/null",
            "/dev/zero",
            "/proc/self/mem",
            "-",
            "~",
            "a.gif/b.gif",
            "x" * 5000,
            "a\0b.gif",
            "\udcff.gif",
        ),
        *(
            "builtin:test/" + "9" * 5000 + "/walk-left",
            "a\n.gif",
            "file:///etc/passwd",
            "http://127.0.0.1/a.gif",
            "concat:a.gif|a.gif",
        ),
    ]
)
REFERENCES = st.tuples(_clips | _texts, st.none() | _parts).map(
    lambda said: said[0] if said[1] is None else f"{said[0]}#{said[1]}"
)

_paths = st.sampled_from(
    [
        *(
            "run",
            "clips",
            "a.gif",
            "a.png",
            "a.mp4",
            "judge.safetensors",
            "run/weights.safetensors",
            "run/config.json",
            "nothing",
        ),
        *(
            "",
            ".",
            "..",
            "/",
            "/dev/null",
            "/dev/full",
            "/proc/nothing",
            "a\0b",
            "\udcff",
            "x" * 5000,
            "a\x1b[2Jb",
            "a\nb",
            "-",
            "--",
        ),
    ]
)
_outputs = st.sampled_from(
    [
        "out.gif",
        "out.png",
        "out.webp",
        "out.mp4",
        "out.apng",
        "out.json",
        "{action}.gif",
        "nowhere/out.gif",
        "out",
        "a\0.gif",
        "/dev/full.gif",
        "\udcff.gif",
        "a\nb.gif",
        "a\x1b[2Jb.gif",
        "a\u202eb.png",
        "x" * 300 + ".gif",
        "run.gif",
        ".gif",
        "{action}/x.gif",
        "..",
        "clips/out.png",
    ]
)
_number = st.sampled_from(
    [
        *(
            "1",
            "2",
            "16",
            "0",
            "-1",
            "1e999",
            "nan",
            "inf",
            "-inf",
            "1e-320",
            "1e308",
            "0.5",
            "2.5",
            "x",
            "",
            "1_0",
            "٣",
            "0x10",
        ),
        *("9" * 20, "9" * 400, "9" * 5000, str(2**31), str(2**63), str(2**64), "1e-9", "10000001"),
    ]
)
_name = (
    st.sampled_from(
        ["walk-left", "slash-front", "all", "walk", "auto", "image", "cpu", "demo", "builtin", "folder", "mug"]
    )
    | _texts
)

_LOOK = {
    **dict.fromkeys(("--frames", "--fps", "--speed", "--start", "--scale", "--loop"), _number),
    **{"--reverse": st.none(), "--transparent": st.none(), "--device": _name, "--root": _paths, "-o": _outputs},
}
_CLIPS = {
    "--length": _number,
    "--clips-repeat": st.none(),
    "--clip-fps": _number,
    "--background": _name | st.sampled_from(["#fff", "#12345678", "hsl(1,2%,3%)", "rgb(999,0,0)"]),
}
_LEARN = {
    "--data": _name,
    "--root": _paths,
    "--preset": _name,
    "--labels": _name,
    "--seed": _number,
    **_CLIPS,
    "--skip-bad": st.none(),
}
_OPTIONS: dict[str, tuple[list[st.SearchStrategy[str]], dict[str, st.SearchStrategy[str | None]]]] = {
    "reconstruct": ([_paths], {"--clip": REFERENCES, "--action": _name, "--side-by-side": st.none(), **_LOOK}),
    "swap": (
        [_paths],
        {"--content": REFERENCES, "--motion": REFERENCES, "--action": _name, "--side-by-side": st.none(), **_LOOK},
    ),
    "generate": ([_paths], {"--image": REFERENCES, "--action": _name, "--pose": _name, **_LOOK}),
    "sample": ([_paths], {"--action": _name, "--count": _number, "--prior": _name, "--seed": _number, **_LOOK}),
    "inspect": ([_paths], {"--json": st.none()}),
    "judge show": ([_paths], {"--json": st.none()}),
    "data check": ([_paths], {"--data": _name, "--preset": _name, "--labels": _name, "--json": st.none(), **_CLIPS}),
    "data preview": (
        [_paths | _name],
        {"--count": _number, "--scale": _number, "-o": _outputs, "--data": _name, **_CLIPS},
    ),
    "train": ([], {"--run": _paths, "--resume": _paths, "--operator": _name, **_LEARN}),
    "judge train": ([], {"-o": _outputs, **_LEARN}),
    "evaluate": (
        [_paths],
        {"--judge": _paths, "--figures": _paths, "--root": _paths, "--samples": _number, "--seeds": _number},
    ),
    "demo": ([], {"-o": _paths, "--seed": _number}),
    "completion": ([_name], {}),
    "data list": ([], {"--json": st.none()}),
}
# What would take long because it was asked for: the last one counts.
_SHORT = {
    "train": ["--steps", "1"],
    "judge train": ["--steps", "1"],
    "demo": ["--steps", "nothing"],
    "evaluate": ["--characters", "1", "--table", "nothing"],
}
_SOUND = {
    "reconstruct": ["run", "--clip", "a.gif", "--action", "walk-left", "-o", "out.gif"],
    "swap": ["run", "--content", "a.png", "--motion", "a.gif", "--action", "walk-left", "-o", "out.png"],
    "generate": ["run", "--image", "a.png", "--action", "walk-left", "-o", "out.gif"],
    "sample": ["run", "--action", "walk-left", "-o", "out.gif"],
    "train": ["--data", "builtin", "--preset", "demo", "--run", "new"],
    "data preview": ["clips", "-o", "out.png", "--length", "2"],
    "data check": ["clips", "--preset", "demo", "--length", "2"],
    "inspect": ["run"],
    "judge show": ["judge.safetensors"],
}


def _lists(name: str) -> st.SearchStrategy[list[str]]:
    """A command with options of its own and odd values; half of the time it would be sound without them."""
    places, options = _OPTIONS[name]
    option = st.one_of(
        *(
            values.map(lambda value, key=key: [key] if value is None else [key, value])
            for key, values in options.items()
        ),
        _texts.map(lambda text: [text]),
    )
    some = st.lists(option, max_size=5).map(lambda chosen: [word for words in chosen for word in words])
    begun = st.tuples(*places).map(list)
    sound = st.just(_SOUND[name]) if name in _SOUND else begun
    return st.tuples(begun | sound, some).map(lambda said: [*name.split(), *said[0], *said[1], *_SHORT.get(name, [])])


COMMANDS = st.one_of(*map(_lists, _OPTIONS), st.lists(_texts | _name | _paths, max_size=4))
