"""Markdown to test with: real fragments, broken ones and garbage, and rows as plain text."""

from __future__ import annotations

from hypothesis import strategies as st

from qwentui.tui.transcript.markdown import layout
from qwentui.tui.transcript.palette import Palette

PALETTE = Palette.from_colors()

STRUCTURE = [
    *("# ", "## ", "###### ", "---\n", "===\n", "***\n", "\n", "\n\n", "  \n", "\\\n", "  ", "    ", "\t"),
    *(
        "- ",
        "* ",
        "+ ",
        "1. ",
        "2) ",
        "10. ",
        "-\n",
        "> ",
        ">",
        "> > ",
        "- [ ] ",
        "\n- ",
        "\n  ",
        "\n> ",
        "\n1. ",
    ),
    *(
        "```",
        "```\n",
        "```py\n",
        "~~~\n",
        "\n```\n",
        "``` js title\n",
        "\n    ",
        "<div>\n",
        "</div>\n",
        "<!-- ",
    ),
    *("| a | b |\n|---|:-:|\n", "|", "| ", "\n| c | d |", "|---|---|\n", "\\|", "a | b\n--- | ---\n"),
]
INLINE = [
    *(
        "**",
        "*",
        "***",
        "__",
        "_",
        "~~",
        "~",
        "`",
        "``",
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "](http://b.c/d)",
        "<",
        ">",
    ),
    *("[a](http://b.c)", "<http://a.b>", "http://a.b/c_d.", "www.a.b", "\\", "\\*", "!", "&", ";"),
]
TEXT = [
    *("word ", "two words ", "long" * 40, "a b c d " * 30, " and", "plain", ".", ", ", "“q”", "it's "),
    *("中文", "，", "。", "“你好”", "（括号）", "中" * 150, "《书》", "……", "——"),
    *("😀", "👩‍💻", "🇨🇳", "❤️", "e\u0301", "한국어", "\u0301", "1\ufe0f\u20e3"),
]
DECODED = ["&amp;", "&#x202e;", "&#27;", "&copy;", "&nope;", "&#10;", "<br>"]
HOSTILE = ["\x1b[2J", "\x9b", "\u202e", "\u200d", "\u200b", "\r", "\r\n", "\x00", "\u2028", "\ud800", "\x85"]
CODE = ['x = """', '"""\n', "/* c", "*/\n", "def f(x):\n", "<!--", "-->", "'", "{", "}\n", "// c\n", "# c\n"]


def markdown(*fragments: list[str], most: int = 24) -> st.SearchStrategy[str]:
    """Texts put together from fragments, with some characters of any kind between them."""
    known = [fragment for group in fragments for fragment in group]
    return st.lists(st.sampled_from(known), max_size=most).map("".join)


ANYTHING = st.one_of(
    markdown(STRUCTURE, INLINE, TEXT, DECODED, HOSTILE, CODE),
    st.lists(st.one_of(st.sampled_from(STRUCTURE + INLINE + TEXT), st.text(max_size=6)), max_size=20).map(
        "".join
    ),
)
WIDTHS = st.sampled_from([4, 7, 12, 40, 80])


def rows(text: str, width: int = 40) -> list[str]:
    """The rows of a whole text, without their styles."""
    return ["".join(segment.text for segment in row) for row in layout(text, width, PALETTE).rows]
