"""Code blocks: highlighting that goes on from line to line, and the source for copying."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui.transcript.markdown_texts import CODE, PALETTE, rows

from qwentui.tui.transcript.highlight import Draft, highlighter, warm
from qwentui.tui.transcript.markdown import CodeBlock, MarkdownFlow, layout
from qwentui.tui.transcript.wrap import cells

if TYPE_CHECKING:
    from rich.style import Style

LANGUAGES = [
    *("python", "js", "ts", "tsx", "jsx", "json", "yaml", "toml", "ini", "bash", "sh", "zsh", "powershell"),
    *(
        "console",
        "sql",
        "html",
        "xml",
        "css",
        "scss",
        "c",
        "cpp",
        "csharp",
        "java",
        "kotlin",
        "swift",
        "go",
        "rust",
    ),
    *(
        "ruby",
        "php",
        "perl",
        "lua",
        "r",
        "scala",
        "dart",
        "diff",
        "docker",
        "make",
        "nginx",
        "markdown",
        "latex",
    ),
    *(
        "haskell",
        "elixir",
        "clojure",
        "proto",
        "graphql",
        "pycon",
        "jinja",
        "vim",
        "awk",
        "objective-c",
        "vue",
    ),
]


def _styles(text: str, code: str) -> list[Style | None]:
    """The styles of the segments that hold ``code``."""
    return [
        segment.style for row in layout(text, 80, PALETTE).rows for segment in row if code in segment.text
    ]


def test_tokens_have_the_styles_of_their_class() -> None:
    text = '```python\nclass A:  # note\n    def total(self): return len("s") + 12\n```'
    assert _styles(text, "class") == [PALETTE.keyword]
    assert _styles(text, "# note") == [PALETTE.comment]
    assert _styles(text, "total") == [PALETTE.function]
    assert _styles(text, '"s"') == [PALETTE.string]
    assert _styles(text, "12") == [PALETTE.number]
    assert _styles(text, "len") == [PALETTE.builtin]


@pytest.mark.parametrize(
    ("language", "before", "inside", "after", "style"),
    [
        ("python", 'x = """a', "if inside", '"""', "string"),
        ("js", "/* a", "if inside", "*/", "comment"),
        ("js", "x = `a", "if inside", "`", "string"),
        ("c", "int x; /* a", "if inside", "*/", "comment"),
        ("go", "/* a", "if inside", "*/", "comment"),
        ("rust", "/* a", "if inside", "*/", "comment"),
        ("css", "/* a", "b {inside", "*/", "comment"),
        ("sql", "/* a", "select inside", "*/", "comment"),
        ("html", "<!-- a", "<b>inside", "-->", "comment"),
    ],
)
def test_what_spans_lines_goes_on_and_ends(
    language: str, before: str, inside: str, after: str, style: str
) -> None:
    text = f"```{language}\n{before}\n{inside}\n{after}\nif plain\n```"
    assert _styles(text, "inside") == [getattr(PALETTE, style)]
    assert getattr(PALETTE, style) not in _styles(text, "plain")


def test_php_needs_no_opening_tag() -> None:
    assert _styles("```php\nfunction f() {}\n```", "function") == [PALETTE.keyword]


def test_a_diff_shows_what_was_added_and_removed() -> None:
    text = "```diff\n-old\n+new\n```"
    assert _styles(text, "old") == [PALETTE.deleted]
    assert _styles(text, "new") == [PALETTE.inserted]


def test_an_unknown_language_is_plain() -> None:
    assert _styles("```nonesuch\nif x\n```", "if x") == [PALETTE.code_block]
    assert highlighter("nonesuch") is None
    warm("nonesuch")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_usual_language_keeps_every_character(language: str) -> None:
    found = highlighter(language)
    assert found is not None
    state = found.start
    for line in [
        "",
        "a = 'b'",
        '  "unclosed',
        "/* c",
        "*/ x: {1, [2]}",
        "<p>&amp;</p>",
        "\t- key: |",
        "#!@$%^",
        "终",
    ]:
        tokens, state = found.line(line, state)
        assert "".join(text for _, text in tokens) == line


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["python", "c", "yaml", "ruby", "html"]), st.lists(st.sampled_from(CODE), max_size=12))
def test_any_code_keeps_every_character(language: str, parts: list[str]) -> None:
    found = highlighter(language)
    assert found is not None
    state = found.start
    for line in "".join(parts).split("\n"):
        tokens, state = found.line(line, state)
        assert "".join(text for _, text in tokens) == line


@pytest.mark.parametrize("emoji", ["1\ufe0f\u20e3", "👩\u200d💻", "🇩🇪", "👍🏽", "e\u0301"])
@pytest.mark.parametrize("language", ["python", "c", "html", "json"])
def test_no_token_ends_inside_an_emoji(language: str, emoji: str) -> None:
    found = highlighter(language)
    assert found is not None
    for text in (f"x = {emoji} + 1", emoji, f"'{emoji}{emoji}'"):
        tokens, _ = found.line(text, found.start)
        assert "".join(part for _, part in tokens) == text
        assert sum(cells(part) for _, part in tokens) == cells(text)


def test_a_draft_of_a_growing_line_ends_as_the_line() -> None:
    found = highlighter("python")
    assert found is not None
    line = "    return sum(order.price * (1 + tax) for order in orders)  # gross"
    draft = Draft()
    for end in range(len(line) + 1):
        tokens = draft.line(found, line[:end], found.start)
        assert "".join(text for _, text in tokens) == line[:end]
    assert tokens == found.line(line, found.start)[0]


def test_the_source_is_kept_for_copying() -> None:
    text = "a\n\n~~~ make all\nx:\n\techo\n\n\n~~~\n\n1. b\n   ```\n     c\n   d\n   ```"
    assert list(layout(text, 40, PALETTE).code_blocks) == [
        CodeBlock(2, 6, "make", "x:\n\techo\n\n"),
        CodeBlock(9, 10, "", "  c\nd"),
    ]


def test_long_lines_are_cut_at_the_width_and_copied_whole() -> None:
    line = "x" * 3000
    flow = layout(f"```\n{line}\n```", 102, PALETTE)
    assert len(flow.rows) == 30
    assert flow.code_blocks[0].text == line


def test_an_open_fence_knows_its_source_so_far() -> None:
    flow = MarkdownFlow(40, PALETTE)
    flow.feed("```py\na\nb")
    flow.render()
    assert list(flow.code_blocks) == [CodeBlock(0, 1, "py", "a\nb")]


def test_a_fence_needs_as_many_marks_to_close() -> None:
    assert rows("````\n```\n````\na") == ["▏ ```", "", "a"]
