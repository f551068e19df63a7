from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import _character_to_key

from qwentui.keyboard.keymap import DEFAULT, names
from qwentui.keyboard.names import NoSuchKey, is_certain, is_typed, parsed, sent_as, spoken


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Ctrl+L", ("ctrl+l",)),
        ("ctrl+L, Esc", ("ctrl+l", "escape")),
        ("PageUp,PgDn", ("pageup", "pagedown")),
        ("control + shift + Up", ("ctrl+shift+up",)),
        ("shift+ctrl+up", ("ctrl+shift+up",)),
        ("Shift+J", ("J",)),
        ("G, g", ("G", "g")),
        ("Alt+X, alt+shift+x", ("alt+x", "alt+shift+x")),
        ("ctrl++", ("ctrl+plus",)),
        ("+", ("plus",)),
        ("?, question_mark", ("question_mark",)),
        ("Ctrl+_", ("ctrl+underscore",)),
        ("comma, less_than_sign", ("comma", "less_than_sign")),
        ("Space", ("space",)),
        ("Ctrl+Space", ("ctrl+@", "ctrl+space")),
        ("é, 天", ("é", "天")),
        ("F12", ("f12",)),
        ("Return", ("enter",)),
        ("", ()),
        ("  ", ()),
    ],
)
def test_keys_as_people_write_them(written: str, expected: tuple[str, ...]) -> None:
    assert parsed(written) == expected


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("hlep", "hlep"),
        ("f25", "f25"),
        ("ctrl+", "ctrl+"),
        ("hyperctrl+x", "hyperctrl+x"),
        ("f1,,f2", ""),
        ("f1, contrl+x", "contrl+x"),
        ("\x1b", "\x1b"),
        ("snowman", "snowman"),
        ("»", "»"),
    ],
)
def test_what_is_no_key_is_named(written: str, wrong: str) -> None:
    with pytest.raises(NoSuchKey) as caught:
        parsed(written)
    assert str(caught.value) == wrong


def test_characters_are_called_as_textual_calls_them() -> None:
    for character in (set(string.printable) - set(string.whitespace) - {","}) | set("éß天"):
        assert parsed(character) == (_character_to_key(character),)


def test_what_is_spoken_is_understood() -> None:
    for key in DEFAULT.keys.values():
        assert parsed(", ".join(DEFAULT.spoken(key.id))) == names(key)


@given(
    st.text(max_size=12) | st.sampled_from(["ctrl+", "alt+shift+", "F1", ","]).map(lambda text: text + "x")
)
def test_any_text_names_keys_or_is_refused(text: str) -> None:
    try:
        found = parsed(text)
    except NoSuchKey:
        return
    assert parsed(", ".join(spoken(name) for name in found)) == found
    assert parsed(",".join(found)) == found


def test_what_a_key_writes_and_what_a_terminal_makes_of_it() -> None:
    assert [is_typed(name) for name in ("x", "question_mark", "space", "enter", "ctrl+x", "f1")] == [
        *(True, True, True),
        *(False, False, False),
    ]
    assert [is_certain(name) for name in ("ctrl+b", "f10", "x", "f13", "ctrl+i", "ctrl+shift+x")] == [
        *(True, True),
        *(False, False, False, False),
    ]
    assert sent_as("ctrl+i") == "tab"
    assert sent_as("ctrl+left_square_bracket") == "escape"
    assert sent_as("ctrl+shift+p") == "ctrl+p"
    assert sent_as("ctrl+p") == ""
