"""How each kind of block looks, as plain rows."""

from __future__ import annotations

import pytest
from tui.transcript.markdown_texts import PALETTE, rows

from qwentui.tui.transcript.markdown import layout

SHAPES = {
    "headings by marks and by underline": (
        "# One\n## Two ##\nTitle\n=====\nSub\n---\ntext",
        ["One", "", "Two", "", "Title", "", "Sub", "", "text"],
    ),
    "a hash without a space is text": ("#tag", ["#tag"]),
    "paragraphs join their lines": ("one\ntwo\n\nthree", ["one two", "", "three"]),
    "lines of Chinese join without a space": ("中文\n中文\nabc", ["中文中文 abc"]),
    "hard breaks by spaces, backslash and tag": ("a  \nb\\\nc<br>d", ["a", "b", "c", "d"]),
    "nested bullets": ("- a\n- b\n  - c\n    - d\n  - e", ["• a", "• b", "  ◦ c", "    ▪ d", "  ◦ e"]),
    "ordered items count on from the first": ("9. a\n1. b\n1) c", ["9. a", "10. b", "1) c"]),
    "blank lines between items are kept": ("- a\n\n- b", ["• a", "", "• b"]),
    "a list may stand right below its paragraph": ("see:\n- a", ["see:", "• a"]),
    "an item of several blocks": (
        "1. one\n\n   more\n\n   - in\n2. two",
        ["1. one", "", "   more", "", "   ◦ in", "2. two"],
    ),
    "items on one line": ("- - a", ["• ◦ a"]),
    "empty items keep their marks": ("-\n- b\n-", ["• ", "• b", "• "]),
    "tasks": ("- [ ] a\n- [x] b\n1. [X] c", ["☐ a", "☑ b", "1. ☑ c"]),
    "quotes nest, and paragraphs in them go on lazily": (
        "> a\nb\n>\n> > c\n\nd",
        ["▎ a b", "▎ ", "▎ ▎ c", "", "d"],
    ),
    "a list in a quote in a list": ("- > 1. a\n  >    b", ["• ▎ 1. a b"]),
    "a rule fills the width": ("a\n\n* * *\nb", ["a", "", "─" * 40, "", "b"]),
    "raw HTML is shown line by line": ("<div>\n *a*\n</div>\n\n*b*", ["<div>", " *a*", "</div>", "", "b"]),
    "inline HTML is text": ('a <b x="*">b</b> *c*', ['a <b x="*">b</b> c']),
    "definitions and references are shown as written": ("[a][b]\n\n[b]: /c", ["[a][b]", "", "[b]: /c"]),
    "links show their address": ('[a](http://b "t") <c@d.e>', ['a (http://b "t") c@d.e']),
    "an address that is its own text is shown once": ("[http://b](http://b)", ["http://b"]),
    "images show their text and address": ("![alt](http://b/c.png)", ["alt (http://b/c.png)"]),
    "an empty link is shown as written": ("[]()", ["[]()"]),
    "open marks are shown": ("**a `b [c](d ~~e", ["**a `b [c](d ~~e"]),
    "entities are decoded, unknown ones shown": ("&lt;&copy;&#65; &nope; &amp", ["<©A &nope; &amp"]),
    "an indented block": ("a\n\n    b\n\n      c\n\nd", ["a", "", "▏ b", "▏ ", "▏   c", "", "d"]),
    "tabs in code stop every four columns": ("```\na\tb\n\tc\n```", ["▏ a   b", "▏     c"]),
    "fences of tildes hold backticks": ("~~~\n```\n~~~", ["▏ ```"]),
    "an unclosed fence ends with the text": ("```\na", ["▏ a"]),
    "an empty fence keeps a row": ("```\n```", ["▏ "]),
    "an info string that says more is shown": ("```py f.py\na\n```", ["▏ py f.py", "▏ a"]),
    "a fence in an item ends with the item": ("- a\n  ```\n  b\nc", ["• a", "  ▏ b", "", "c"]),
    "a fence in a quote": ("> ```\n> a\n> ```\nb", ["▎ ▏ a", "", "b"]),
}


@pytest.mark.parametrize(("text", "expected"), SHAPES.values(), ids=SHAPES)
def test_shape(text: str, expected: list[str]) -> None:
    assert rows(text) == expected


def test_headings_have_the_styles_of_their_levels() -> None:
    for level in range(1, 7):
        row = layout("#" * level + " a", 40, PALETTE).rows[0]
        assert row[0].style == PALETTE.heading(level)


def test_a_narrow_screen_drops_margins_before_text() -> None:
    deep = rows("> > > > > > - - - - text", 12)
    assert "".join(deep).endswith("text")
    assert all(len(row) <= 12 for row in deep)


def test_marks_beyond_sixteen_containers_are_text() -> None:
    assert rows("> " * 20 + "a", 80) == ["▎ " * 16 + "> > > > a"]


def test_an_endless_line_is_one_paragraph() -> None:
    shown = rows("word " * 5000, 50)
    assert shown == ["word " * 9 + "word"] * 500


def test_an_endless_paragraph_pairs_marks_across_its_pieces() -> None:
    flow = layout("plain **strong** text " * 1000, 60, PALETTE)
    text = "".join("".join(segment.text for segment in row) + " " for row in flow.rows)
    assert text.split() == ["plain", "strong", "text"] * 1000
    bold = [segment.text for row in flow.rows for segment in row if segment.style and segment.style.bold]
    assert bold == ["strong"] * 1000


def test_what_the_sink_takes_out_is_counted_once() -> None:
    flow = layout("a\u202eb &#x202e;c\n\n```\n\x1b[2J\n```\n\n| \x9b |\n|---|\n", 40, PALETTE)
    assert flow.removed == 4
    assert ["".join(segment.text for segment in row) for row in flow.rows] == [
        "ab c",
        "",
        "▏ ␛[2J",
        "",
        "\ufffd",
        "─",
    ]
