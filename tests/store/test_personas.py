from __future__ import annotations

import getpass
import os
import socket
from datetime import date
from typing import TYPE_CHECKING

import pytest

from qwentui.chat.errors import SettingsError
from qwentui.chat.sampling import Sampling
from qwentui.store.paths import shipped
from qwentui.store.personas import SIZE_LIMIT, load_personas, resolved

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def test_a_file_says_all_that_a_persona_is(tmp_path: Path) -> None:
    keys = 'model = "qwen3"\nthink = "off"\ntemperature = 0.2\ntop_k = 9\nstop = ["x"]\nnum_ctx = 4096\n'
    write(tmp_path, a='name = "客\\u202e服"\nsystem = " Be. "\ngreeting = "Hi"\nlanguage = "中文"\n' + keys)
    [kept] = load_personas(tmp_path).kept
    persona = kept.persona
    assert (persona.name, persona.system, persona.greeting) == ("客服", "Be.", "Hi")
    assert (persona.model, persona.think, persona.num_ctx) == ("qwen3", False, 4096)
    assert persona.sampling == Sampling(temperature=0.2, top_k=9, stop=("x",))
    assert resolved(kept).system == "Be.\n\nAnswer in 中文."


def test_without_a_folder_there_are_none_and_it_says_where_to_get_some(tmp_path: Path) -> None:
    personas = load_personas(tmp_path / "none")
    assert (personas.kept, personas.broken) == ((), ())
    with pytest.raises(SettingsError, match="add --examples"):
        personas.find("x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('system = "x"\nmodel = [\n}', r"bad\.toml is not valid TOML.*line 3"),
        ('description = "x"', r"bad\.toml: object missing required field `system`"),
        ('system = ""', r"bad\.toml, system: "),
        ('system = "x"\ntemperature = "hot"', r"bad\.toml, temperature: expected.* \(at line 2\)"),
        ('system = "x"\ncolour = 1', r"bad\.toml: object contains unknown field `colour` \(at line 2\)"),
        ('system = """\nthink = 1\n"""\nthink = 3', r"bad\.toml, think: .*\(at line 4\)"),
        ("system = 'x'\nstop = [\n 1]", r"bad\.toml, stop\[0\]: .*\(at line 2\)"),
        ('system = "x"\nthink = "maybe"', r"bad\.toml, think: "),
        ('system = "x"\nnum_ctx = 0', r"bad\.toml, num_ctx: .*\(at line 2\)"),
        ("#" * (SIZE_LIMIT + 1), r"bad\.toml is larger than 256 KiB"),
    ],
)
def test_a_broken_file_is_named_and_the_others_work(tmp_path: Path, text: str, reason: str) -> None:
    write(tmp_path, bad=text, good='system = "x"')
    personas = load_personas(tmp_path)
    assert [kept.persona.name for kept in personas.kept] == ["good"]
    [broken] = personas.broken
    assert broken.path.name == "bad.toml"
    with pytest.raises(SettingsError, match=reason):
        personas.find("Bad")
    assert personas.find("go").persona.name == "good"


def test_what_is_no_text_or_no_file_is_broken_too(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"system = '\xff'")
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    said = [str(broken.error) for broken in load_personas(tmp_path).broken]
    assert ["not UTF-8" in said[0], "is no file" in said[1], "is no file" in said[2]] == [True] * 3


def test_several_that_fit_are_a_question(tmp_path: Path) -> None:
    write(tmp_path, python='system = "x"', pytest='system = "x"')
    with pytest.raises(SettingsError, match="Several personas fit 'py': pytest, python"):
        load_personas(tmp_path).find("py")


def test_the_prompt_is_filled_in_when_a_chat_begins(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("about {date}\r\n", encoding="utf-8")
    write(tmp_path, a='system = "{date} {user} {host} {file:notes.md} {x}"')
    [kept] = load_personas(tmp_path).kept
    day, _, rest = resolved(kept).system.partition(" ")
    assert date.fromisoformat(day).year >= 2026
    assert rest == f"{getpass.getuser()} {socket.gethostname()} about {{date}} {{x}}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.md", "does not exist"),
        (".", "is no file"),
        ("nul", "is not text"),
        ("big", "larger than 256 KiB"),
    ],
)
def test_a_named_file_that_cannot_be_read_is_said(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "nul").write_bytes(b"a\0b")
    (tmp_path / "big").write_bytes(b"x" * (SIZE_LIMIT + 1))
    write(tmp_path, a=f'system = "{{file:{name}}}"')
    [kept] = load_personas(tmp_path).kept
    with pytest.raises(SettingsError, match=reason):
        resolved(kept)


def test_six_real_ones_come_along() -> None:
    personas = load_personas(shipped("examples") / "personas")
    assert not personas.broken
    assert len(personas.kept) == 6
    for kept in personas.kept:
        assert kept.persona.description
        assert len(resolved(kept).system) > 400
    expert = personas.find("ecommerce").persona
    assert expert.name == "电商客服专家"
    assert expert.system.startswith("你是一名资深电商客服专家，熟悉淘宝、天猫、京东、拼多多平台规则")
