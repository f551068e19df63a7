"""Themes: those that come along are whole, a user's file is filled in, and what is wrong in it is placed."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwentui.chat.errors import SettingsError
from qwentui.chat.sanitize import sanitize_whole
from qwentui.store.paths import shipped
from qwentui.store.settings_text import toml_value
from qwentui.store.theme_choice import automatic, choose, colors_of, is_light
from qwentui.store.theme_file import read_theme
from qwentui.store.theme_values import ANSI, SWITCHES, TABLES
from qwentui.store.themes import load_theme, load_themes, theme_names

OURS = shipped("themes")
SHIPPED = theme_names([OURS])
TRUE_COLOR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def written(folder: Path, text: str | bytes, name: str = "mine") -> Path:
    path = folder / f"{name}.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(folder: Path, text: str | bytes) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_theme(written(folder, text), OURS)
    return caught.value


def test_the_themes_that_come_along_are_whole_and_nothing_in_them_is_unknown() -> None:
    themes = load_themes([OURS])
    assert themes.broken == ()
    assert [theme.name for theme in themes.kept] == list(SHIPPED)
    assert [theme.warnings for theme in themes.kept] == [()] * len(SHIPPED)
    for name in SHIPPED:
        text = (OURS / f"{name}.toml").read_text()
        stated = [line.split(" =")[0] for line in text.splitlines() if " = " in line and line[0] != "#"]
        roles = [role for kind in TABLES.values() for role in kind.__struct_fields__]
        assert [key for key in stated if key not in SWITCHES] == roles, name


def test_there_are_light_ones_and_ones_for_16_colours() -> None:
    themes = load_themes([OURS]).kept
    assert {(theme.dark, theme.ansi) for theme in themes} == {
        (True, False),
        (False, False),
        (True, True),
        (False, True),
    }


def test_the_users_theme_goes_before_ours(tmp_path: Path) -> None:
    ours = (OURS / "qwentui-dark.toml").read_text()
    written(tmp_path, ours.replace("#8ab4d8", "#123456"), "qwentui-dark")
    assert load_theme("qwentui-dark", [tmp_path, OURS]).colors.primary == "#123456"
    assert theme_names([tmp_path, OURS]) == SHIPPED


def test_three_colours_are_a_whole_theme(tmp_path: Path) -> None:
    text = '[colors]\nprimary = "#268bd2"\nforeground = "#839496"\nbackground = "#002b36"\n'
    theme = read_theme(written(tmp_path, text), OURS)
    assert (theme.name, theme.dark, theme.ansi, theme.warnings) == ("mine", True, False, ())
    assert theme.colors.surface == theme.gauges.empty == "#002b36"
    assert theme.code.function == theme.gauges.plot == "#268bd2"
    assert theme.colors.panel == "#0c343f"
    assert theme.colors.error == load_theme("qwentui-dark", [OURS]).colors.error


def test_a_light_background_makes_a_light_theme(tmp_path: Path) -> None:
    theme = read_theme(written(tmp_path, 'colors.background = "#FFF"\n'), OURS)
    assert not theme.dark
    assert theme.colors.background == "#FFFFFF"
    assert theme.colors.foreground == load_theme("qwentui-light", [OURS]).colors.foreground


def test_an_empty_file_is_the_dark_theme_of_ours(tmp_path: Path) -> None:
    assert read_theme(written(tmp_path, ""), OURS).colors == load_theme("qwentui-dark", [OURS]).colors


def test_a_colour_of_the_terminal_makes_a_theme_of_those(tmp_path: Path) -> None:
    theme = read_theme(written(tmp_path, '[colors]\nbackground = "ansi_default"\nprimary = "#f00"\n'), OURS)
    assert theme.ansi
    assert (theme.colors.primary, theme.colors.dim) == ("#ff0000", "ansi_bright_black")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("x = [", "mine.toml is not valid TOML: invalid value (at end of document).", "Correct that place."),
        ("x = " + "[" * 9_000, "is not valid TOML: its brackets go too deep.", "Correct"),
        ("x = 1" + "0" * 5_000, "is not valid TOML: ", "Correct"),
        ("\n\ncolors = 3", "mine.toml, line 3: colors is 3, which is no table.", "[colors]"),
        ("dark = 1", "mine.toml, line 1: dark is 1, which is neither true nor false.", "Correct"),
        (
            'dark = true\n[colors]\n\nprimary = "red"\n',
            'line 4: colors.primary is "red", which',
            '"ansi_red"?',
        ),
        ('[code]\nkeyword = "#12345"', 'line 2: code.keyword is "#12345", which is no colour.', "#rrggbb"),
        ("[gauges]\n  bar  = [1]", "line 2: gauges.bar is [1], which is no colour.", "#rrggbb"),
        ('gauges.bar = "bright-green"', "line 1: gauges.bar is", '"ansi_bright_green"?'),
        ('colors = { dim = "" }', 'mine.toml, line 1: colors.dim is "", which is no colour.', "#rrggbb"),
        (
            'ansi = false\n[colors]\n"dim" = "ansi_blue"',
            "line 3: colors.dim is the terminal's own, while ansi is false.",
            "Remove the line",
        ),
        (b"dark = true\n# \xff\n", "mine.toml, line 2: this is not UTF-8.", "Save the file as UTF-8."),
        ("#" * 70_000, "is larger than 64 KiB.", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, text: str | bytes, message: str, hint: str
) -> None:
    error = refusal(tmp_path, text)
    assert message in error.message
    assert hint in error.hint


def test_the_first_of_several_wrong_places_is_named(tmp_path: Path) -> None:
    text = '[gauges]\nbar = "x"\n[colors]\ndim = "y"\nprimary = "z"\n'
    assert "line 2: gauges.bar" in refusal(tmp_path, text).message


def test_what_is_no_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    sentences = [broken.error.message for broken in load_themes([tmp_path]).broken]
    assert "gone.toml cannot be read: No such file" in sentences[0]
    assert sentences[1].endswith("mine.toml is no file.")


def test_an_unknown_key_is_warned_about_with_the_one_that_was_meant(tmp_path: Path) -> None:
    text = 'title = "x"\n[colours]\n[colors]\nprimry = "#fff"\n[gauges]\nbarr = "#fff"\n'
    theme = read_theme(written(tmp_path, text), OURS)
    place = tmp_path / "mine.toml"
    assert theme.warnings == (
        f"{place}, line 1: title is unknown.",
        f"{place}, line 2: colours is unknown; did you mean colors?",
        f"{place}, line 4: colors.primry is unknown; did you mean colors.primary?",
        f"{place}, line 6: gauges.barr is unknown; did you mean gauges.bar?",
    )


def test_an_unknown_theme_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingsError) as caught:
        load_theme("nope", [OURS])
    assert "qwentui-light" in caught.value.hint


def test_a_broken_theme_leaves_the_others(tmp_path: Path) -> None:
    shutil.copy(OURS / "qwentui-dark.toml", tmp_path / "good.toml")
    written(tmp_path, "dark = 3", "bad")
    written(tmp_path, "", ".hidden")
    themes = load_themes([tmp_path, tmp_path / "nowhere"])
    assert [theme.name for theme in themes.kept] == ["good"]
    assert [broken.path.stem for broken in themes.broken] == ["bad"]


# What a terminal gets


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        (TRUE_COLOR, "qwentui-dark"),
        ({"TERM": "xterm-256color"}, "qwentui-dark"),
        ({"TERM": "tmux-256color", "COLORFGBG": "0;15"}, "qwentui-light"),
        ({**TRUE_COLOR, "COLORFGBG": "0;default;7"}, "qwentui-light"),
        ({**TRUE_COLOR, "COLORFGBG": "15;default"}, "qwentui-dark"),
        ({**TRUE_COLOR, "COLORFGBG": "7;8"}, "qwentui-dark"),
        ({"TERM": "linux"}, "terminal-16"),
        ({"TERM": "xterm-16color"}, "terminal-16"),
        ({"TERM": "linux", "COLORFGBG": "0;15"}, "terminal-16-light"),
        ({}, "terminal-16"),
    ],
)
def test_without_a_wish_the_terminal_decides(environ: dict[str, str], theme: str) -> None:
    assert automatic(environ) == theme
    assert choose("auto", [OURS], environ).theme.name == theme


@given(st.dictionaries(st.sampled_from(["TERM", "COLORTERM", "COLORFGBG"]), st.text(max_size=12)))
def test_any_environment_gets_a_theme(environ: dict[str, str]) -> None:
    assert automatic(environ) in SHIPPED
    assert isinstance(is_light(environ), bool)
    assert colors_of(environ) in {16, 256, 1 << 24}


def test_what_the_user_named_goes_before_what_the_terminal_can() -> None:
    choice = choose("qwentui-paper", [OURS], {"TERM": "linux"})
    assert (choice.theme.name, choice.warnings) == ("qwentui-paper", ())


def test_no_color_leaves_none_unless_it_is_empty() -> None:
    assert choose("qwentui-paper", [OURS], {**TRUE_COLOR, "NO_COLOR": "1"}).theme.name == "terminal-mono"
    assert choose("auto", [OURS], {**TRUE_COLOR, "NO_COLOR": ""}).theme.name == "qwentui-dark"


def test_a_theme_that_cannot_be_had_is_told_about_and_the_usual_one_stands_in(tmp_path: Path) -> None:
    written(tmp_path, '[colors]\ndim = "grey"\n')
    choice = choose("mine", [tmp_path, OURS], {**TRUE_COLOR, "COLORFGBG": "0;15"})
    assert choice.theme.name == "qwentui-light"
    assert "mine.toml, line 2: colors.dim" in choice.warnings[0]
    assert choice.warnings[0].endswith("the colours are those of qwentui-light.")
    assert "There is no theme 'nope'." in choose("nope", [tmp_path, OURS], TRUE_COLOR).warnings[0]


def test_a_broken_file_under_the_name_of_ours_does_not_hide_ours(tmp_path: Path) -> None:
    written(tmp_path, "dark = 3", "qwentui-dark")
    choice = choose("auto", [tmp_path, OURS], TRUE_COLOR)
    assert choice.theme.path == OURS / "qwentui-dark.toml"
    assert "dark is 3" in choice.warnings[0]


# Whatever stands in a file


def _told(text: bytes) -> tuple[str, ...]:
    """What is said about a file; where it is a theme, all its colours are colours."""
    with TemporaryDirectory() as folder:
        try:
            theme = read_theme(written(Path(folder), text), OURS)
        except SettingsError as error:
            return (error.message,)
    for table in (theme.colors, theme.code, theme.gauges):
        for color in msgspec.to_builtins(table).values():
            assert color in ANSI or len(color) == 7
    return theme.warnings


def _is_placed(sentence: str) -> bool:
    return "mine.toml" in sentence and sentence[-1] in ".?" and sanitize_whole(sentence).text == sentence


KEYS = st.sampled_from(
    [*SWITCHES, *TABLES, *(role for kind in TABLES.values() for role in kind.__struct_fields__)]
)
COLORS = st.sampled_from(ANSI) | st.from_regex(r"#[0-9a-f]{3}([0-9a-f]{3})?", fullmatch=True)
VALUES = st.recursive(
    COLORS | st.booleans() | st.integers() | st.text(max_size=8).filter(str.isprintable),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_theme_or_a_sentence_with_a_place(data: bytes) -> None:
    assert all(map(_is_placed, _told(data)))


@settings(max_examples=100)
@given(st.dictionaries(KEYS | st.text(min_size=1, max_size=6), VALUES, max_size=6))
def test_any_toml_gives_a_theme_or_a_sentence_with_a_place(table: dict[str, object]) -> None:
    lines = [f"{toml_value(key)} = {toml_value(value)}\n" for key, value in table.items()]
    assert all(map(_is_placed, _told("".join(lines).encode())))
