from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from qwentui.keyboard.keymap import DEFAULT
from qwentui.store.setting_words import allowed
from qwentui.store.settings import Settings, leaves, paths, read_settings
from qwentui.store.settings_text import DESCRIPTIONS, default_file

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "config.toml"


def test_the_example_is_what_the_program_writes() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == default_file()


def test_the_example_says_every_default_as_it_is() -> None:
    assert read_settings(EXAMPLE, {}).settings == Settings()


def test_what_is_commented_out_can_be_used_as_it_stands(tmp_path: Path) -> None:
    text = default_file()
    for key in ("temperature", "top_k", "top_p", "min_p", "repeat_penalty", "seed", "stop"):
        assert f"\n# {key} = " in text
        text = text.replace(f"\n# {key} = ", f"\n{key} = ")
    text = text.replace("# [profile.a10.server]\n# host", "[profile.a10.server]\nhost")
    path = tmp_path / "config.toml"
    path.write_text(text)
    settings = read_settings(path, {"QWENTUI_PROFILE": "a10"}).settings
    assert settings.server.host == "a10:11434"
    assert None not in [getattr(settings.model, key) for key in settings.model.__struct_fields__]


def test_every_key_is_described_and_nothing_else() -> None:
    assert [*DESCRIPTIONS, *(f"keys.{name}" for name in DEFAULT.keys)] == list(paths())
    stated = tomllib.loads(default_file())
    for key in leaves():
        section, _, name = key.partition(".")
        assert name in stated[section] or f"# {name} = " in default_file()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("model.name", "text"),
        ("model.think", '"default", "on" or "off"'),
        ("model.num_ctx", "a whole number, 1 or more"),
        ("model.temperature", "a number"),
        ("model.stop", 'a list of texts, as ["ONE", "TWO"]'),
        ("retry.jitter", "a number, from 0 to 1"),
        ("server.verify", "true or false"),
        ("server.headers", 'a table of texts, as { "NAME" = "VALUE" }'),
    ],
)
def test_what_a_key_may_be_is_said_in_words(key: str, words: str) -> None:
    assert allowed(leaves()[key]) == words


def test_words_are_found_for_every_key() -> None:
    assert all(allowed(kind) for kind in leaves().values())
