from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from qwentui.store.settings import Settings, load_settings

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "config.toml"


def test_the_example_says_every_default_as_it_is() -> None:
    assert load_settings(EXAMPLE, {}) == Settings()


def test_the_example_leaves_no_setting_out() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    defaults = msgspec.to_builtins(Settings())
    stated = tomllib.loads(text)
    for section, keys in defaults.items():
        for key in keys:
            assert key in stated[section] or key in text, f"{section}.{key}"
