"""The sink lets through nothing that commands, reorders or hides."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.tui.transcript.sink import clean

FORBIDDEN = {
    *range(0x09),
    *range(0x0B, 0x20),
    *range(0x7F, 0xA0),
    *range(0xD800, 0xE000),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xE0000, 0xE0080),
    *(0x200E, 0x200F, 0x061C, 0x200B, 0x2060, 0xFEFF, 0x2028, 0x2029, 0x180E, 0xAD),
}


def test_no_forbidden_character_passes_alone_or_between_letters() -> None:
    for code in FORBIDDEN:
        for text in (chr(code), f"a{chr(code)}b", f"👩{chr(code)}💻"):
            assert not {ord(character) for character in clean(text)[0]} & FORBIDDEN, hex(code)


def test_invisible_characters_pass_only_where_they_join() -> None:
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) == "Cf" and clean(chr(code))[0]:
            assert chr(code).isprintable() or code in VISIBLE_FORMATS, hex(code)


# Number signs and the like that are drawn, and joiners of notations that no chat uses.
VISIBLE_FORMATS = {
    *range(0x0600, 0x0606),
    *(0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD),
    *range(0x13430, 0x13440),
    *range(0x1BCA0, 0x1BCA4),
}


@pytest.mark.parametrize(
    ("text", "shown", "removed"),
    [
        ("plain\ttext\n", "plain\ttext\n", 0),
        ("\x1b]52;c;x\x07", "␛]52;c;x␇", 2),
        ("\x9b2J \x7f", "\ufffd2J ␡", 2),
        ("a\u202eb\u2066c", "abc", 2),
        ("a\u200bb\ufeff", "ab", 2),
        ("one\u2028two", "one two", 0),
        ("\ud83d", "\ufffd", 1),
        ("👩\u200d💻 ❤\ufe0f\u200d🔥", "👩\u200d💻 ❤\ufe0f\u200d🔥", 0),
        ("a\u200db", "ab", 1),
        ("👩\u200d a", "👩 a", 1),
        ("1\ufe0f\u20e3 1\ufe0f", "1\ufe0f\u20e3 1", 1),
        ("❤\ufe0e", "❤", 1),
        ("می\u200cخواهم", "می\u200cخواهم", 0),
        ("a\u200cb", "ab", 1),
        ("tag\U000e0041\U000e007f", "tag", 2),
    ],
)
def test_what_is_shown_and_counted(text: str, shown: str, removed: int) -> None:
    assert clean(text) == (shown, removed)


@given(st.text())
def test_filtering_twice_changes_nothing(text: str) -> None:
    once, _ = clean(text)
    assert clean(once) == (once, 0)
