from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwentui.chat.errors import SettingsError
from qwentui.store.paths import shipped
from qwentui.store.themes import load_theme, theme_names

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = theme_names([shipped("themes")])


def test_three_real_themes_come_along_one_light_one_for_16_colours() -> None:
    themes = [load_theme(name, [shipped("themes")]) for name in SHIPPED]
    assert len(themes) >= 3
    assert any(not theme.dark for theme in themes)
    assert any(theme.ansi for theme in themes)
    assert [theme.name for theme in themes] == list(SHIPPED)


def test_the_users_theme_goes_before_ours(tmp_path: Path) -> None:
    ours = (shipped("themes") / "qwentui-dark.toml").read_text()
    (tmp_path / "qwentui-dark.toml").write_text(ours.replace("#8ab4d8", "#123456"))
    theme = load_theme("qwentui-dark", [tmp_path, shipped("themes")])
    assert theme.colors.primary == "#123456"


@pytest.mark.parametrize("text", ["x = [", "name = 3", 'name = "t"\ndark = true\n[colors]\nprimary = "#fff"'])
def test_a_broken_theme_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"mine\.toml is broken"):
        load_theme("mine", [tmp_path])


def test_an_unknown_theme_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingsError) as caught:
        load_theme("nope", [shipped("themes")])
    assert "qwentui-light" in caught.value.hint
