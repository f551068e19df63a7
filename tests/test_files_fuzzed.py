"""Garbage in every file that the program reads: a sentence that names the place, or a working program.

Each kind begins as a good file, is damaged at random (bytes taken out, put in, turned round, cut off; values of TOML
changed for others), or is nothing but random bytes, and goes through the commands that a user would run on it.
"""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_gguf import write_gguf

from qwentui.backends.gguf import read_gguf
from qwentui.chat.errors import QwentuiError
from qwentui.cli import cli
from qwentui.store.prompt_history import append_prompt, load_prompts
from qwentui.store.themes import load_theme

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
CONVERSATIONS = json.dumps(
    [
        {
            "id": "a1",
            "title": "订单",
            "create_time": 1.7e9,
            "current_node": "n2",
            "mapping": {
                "n1": {
                    "id": "n1",
                    "children": ["n2"],
                    "message": {
                        "author": {"role": "user"},
                        "content": {"content_type": "text", "parts": ["问"]},
                    },
                },
                "n2": {
                    "id": "n2",
                    "parent": "n1",
                    "message": {
                        "author": {"role": "assistant"},
                        "content": {"content_type": "text", "parts": ["答"]},
                    },
                },
            },
        }
    ]
).encode()
SESSION = (
    b'{"type":"session","qwentui":1,"id":"1nghk4ksrp","title":"t","head":"m2","tags":["shop"]}\n'
    b'{"type":"message","qwentui":1,"session":"1nghk4ksrp","id":"m1","parent":null,"role":"user","content":"q"}\n'
    b'{"type":"message","qwentui":1,"session":"1nghk4ksrp","id":"m2","parent":"m1","role":"assistant",'
    b'"content":"a","finish_reason":"stop"}\n'
)
OPENAI = b'{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}\n'
ROLE = b"---\nmodel: qwen3\ntemperature: 0.5\n---\nYou are a shell expert.\n"
MODELFILE = (ROOT / "examples" / "Modelfile").read_bytes()
VALUES = (
    "0",
    "-1",
    "1e400",
    "nan",
    "true",
    '"x"',
    '""',
    "[]",
    "{}",
    "[1, [2]]",
    "1979-05-27",
    '"\\u0000"',
    "99999999999999999999",
)


@dataclass(frozen=True)
class Kind:
    """A kind of file: a good one, where it lies below the user's home, and the commands that read it."""

    good: bytes
    place: str
    commands: tuple[tuple[str, ...], ...]


KINDS = {
    "settings": Kind(
        (ROOT / "examples" / "config.toml").read_bytes(),
        "config/qwentui/config.toml",
        (("config", "show"), ("config", "set", "model.num_ctx", "4096"), ("config", "unset", "screen.theme")),
    ),
    "persona": Kind(
        next((ROOT / "examples" / "personas").glob("*.toml")).read_bytes(),
        "config/qwentui/personas/one.toml",
        (("persona", "list"), ("persona", "list", "--json"), ("persona", "show", "one")),
    ),
    "role": Kind(ROLE, "role.md", (("persona", "import", "FILE"),)),
    "Modelfile": Kind(MODELFILE, "Modelfile", (("persona", "import", "FILE", "--name", "m"),)),
    "chats": Kind(SESSION * 2, "chats.jsonl", (("import", "FILE"), ("sessions",))),
    "fine-tuning lines": Kind(OPENAI * 2, "chats.jsonl", (("import", "FILE"), ("sessions", "--json"))),
    "conversations.json": Kind(CONVERSATIONS, "conversations.json", (("import", "FILE"), ("export",))),
    "database": Kind(
        b"SQLite format 3\0" + bytes(4080),
        "data/qwentui/sessions.db",
        (("sessions",), ("stats",), ("export",)),
    ),
}


def damaged(good: bytes, dice: random.Random) -> bytes:
    """A good file after some accidents."""
    data = bytearray(good)
    for _ in range(dice.randrange(1, 5)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(6):
            case 0:
                del data[at : at + dice.randrange(1, 40)]
            case 1:
                data[at:at] = dice.randbytes(dice.randrange(1, 12))
            case 2:
                data = data[:at]
            case 3:
                data[at:at] = dice.choice(
                    (b"\x00", b"\xff", b"\r", b'"', b"'''", b"]", b"\n[", b"=", "\u202e".encode())
                )
            case 4:
                lines = data.split(b"\n")
                dice.shuffle(lines)
                data = bytearray(b"\n".join(lines))
            case _:
                data = bytearray(other_value(data, dice))
    return bytes(data)


def other_value(data: bytes | bytearray, dice: random.Random) -> bytes:
    """TOML or JSON in which one value is another."""
    lines = bytes(data).split(b"\n")
    stated = [number for number, line in enumerate(lines) if b"=" in line or b":" in line]
    if stated:
        number = dice.choice(stated)
        mark = b"=" if b"=" in lines[number] else b":"
        key = lines[number].split(mark)[0].lstrip(b"# ")
        lines[number] = key + mark + b" " + dice.choice(VALUES).encode()
    return b"\n".join(lines)


ACCIDENTS = st.one_of(st.binary(max_size=300), st.integers(0, 2**32).map(random.Random))


def file_of(good: bytes, accident: bytes | random.Random) -> bytes:
    return accident if isinstance(accident, bytes) else damaged(good, accident)


def run(home: Path, *arguments: str) -> Result:
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    return CliRunner().invoke(cli, arguments, env={"HOME": str(home), **folders})


def refusal(read: Callable[[], object], otherwise: str) -> str:
    """What a file is refused with, `otherwise` when it is not."""
    try:
        read()
    except QwentuiError as error:
        return error.message
    return otherwise


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=60, deadline=None)
@given(accident=ACCIDENTS)
def test_a_command_works_or_says_what_is_wrong(name: str, accident: bytes | random.Random) -> None:
    kind = KINDS[name]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = home / kind.place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file_of(kind.good, accident))
        for command in kind.commands:
            result = run(home, *(str(path) if word == "FILE" else word for word in command))
            told = result.exception
            if isinstance(told, QwentuiError):
                assert told.message
            elif told is not None:
                assert isinstance(told, SystemExit | click.ClickException), result.exc_info


@settings(max_examples=100, deadline=None)
@given(accident=ACCIDENTS)
def test_a_theme_is_one_or_says_where_it_is_not(accident: bytes | random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.toml"
        path.write_bytes(file_of((ROOT / "themes" / "qwentui-dark.toml").read_bytes(), accident))
        assert str(path) in refusal(lambda: load_theme("mine", (Path(folder),)), str(path))


@settings(max_examples=100, deadline=None)
@given(accident=ACCIDENTS)
def test_the_history_of_prompts_gives_what_can_be_read(accident: bytes | random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.jsonl"
        path.write_bytes(file_of(b'"one"\n"two \\n lines"\n' * 3, accident))
        assert all(isinstance(prompt, str) for prompt in load_prompts(path))
        append_prompt(path, "new")
        assert load_prompts(path)[-1:] == ["new"]


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(path)
    return path.read_bytes()[:9000]


@settings(max_examples=100, deadline=None)
@given(accident=ACCIDENTS)
def test_a_model_file_is_read_or_refused(gguf: bytes, accident: bytes | random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        path.write_bytes(file_of(gguf, accident))
        assert "model.gguf" in refusal(lambda: read_gguf(path), "model.gguf")
