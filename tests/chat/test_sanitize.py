from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.sanitize import HOSTILE, sanitize, sanitize_line


def test_control_characters_become_visible_and_are_counted() -> None:
    assert sanitize("a\x1b]0;PWNED\x07b") == ("a␛]0;PWNED␇b", 2)
    assert sanitize("\x9b2J\x7f") == ("\ufffd2J␡", 2)


def test_what_reorders_or_hides_vanishes() -> None:
    assert sanitize("user\u202egnp.exe") == ("usergnp.exe", 1)
    assert sanitize("zero\u200bwidth\ufeff \U000e0041tag") == ("zerowidth tag", 3)


def test_line_ends_are_made_one_kind_and_not_counted() -> None:
    assert sanitize("a\r\nb\u2028c\td") == ("a\nb\nc\td", 0)


def test_lone_surrogates_become_replacement_characters() -> None:
    text, removed = sanitize("a\ud800b")
    assert (text, removed) == ("a\ufffdb", 1)
    assert text.encode()


def test_every_control_of_unicode_is_stopped() -> None:
    every = "".join(map(chr, range(0x110000)))
    text = sanitize(every).text
    left = {c for c in text if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\t\n"}
    assert not left
    bidi = {
        c
        for c in text
        if unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    }
    assert not bidi


def test_chinese_emoji_and_combining_marks_pass_untouched() -> None:
    text = "你好，世界 👨‍👩‍👧 e\u0301 ☑️ हिन्दी"
    assert sanitize(text).text is text


@given(st.text(alphabet=st.characters()), st.data())
def test_a_stream_cut_anywhere_gives_the_same(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    first, second = sanitize(text[:cut]), sanitize(text[cut:])
    whole = sanitize(text)
    assert first.text + second.text == whole.text
    assert first.removed + second.removed == whole.removed
    assert not HOSTILE.search(whole.text)


def test_a_line_is_one_line_and_short() -> None:
    assert sanitize_line("a\n b\x1b\t c") == "a b␛ c"
    assert len(sanitize_line("x" * 10_000)) == 200
