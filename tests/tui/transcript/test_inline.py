"""Inline Markdown: which runs get which flags."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tui.transcript.markdown_texts import DECODED, INLINE, TEXT, markdown

from qwentui.tui.transcript import inline
from qwentui.tui.transcript.emphasis import EMPHASIS as E
from qwentui.tui.transcript.emphasis import STRIKE as S
from qwentui.tui.transcript.emphasis import STRONG as B
from qwentui.tui.transcript.inline import CODE, HTML, LINK, URL, Run, parse

RUNS: dict[str, list[Run]] = {
    "*a* **b** ~~c~~": [("a", E), (" ", 0), ("b", B), (" ", 0), ("c", S)],
    "***a** b*": [("a", E | B), (" b", E)],
    "**a *b* c**": [("a ", B), ("b", E | B), (" c", B)],
    "snake_case_name _a_": [("snake_case_name ", 0), ("a", E)],
    "in*fix*ed": [("in", 0), ("fix", E), ("ed", 0)],
    "*a**b*": [("a**b", E)],
    "2 * 3 * 4": [("2 * 3 * 4", 0)],
    "10~20 ~a~": [("10~20 ~a~", 0)],
    "**注意：**请看": [("注意：", B), ("请看", 0)],
    "中**“文”**中": [("中", 0), ("“文”", B), ("中", 0)],
    "`a*b*` ``c`d``": [("a*b*", CODE), (" ", 0), ("c`d", CODE)],
    "` `` `": [("``", CODE)],
    "`a": [("`a", 0)],
    "\\*a\\*": [("*a*", 0)],
    "[*a*](b)": [("a", E | LINK), (" (b)", URL)],
    "*[a](b)*": [("a", E | LINK), (" (b)", E | URL)],
    "[a [b](c) d](e)": [("[a ", 0), ("b", LINK), (" (c)", URL), (" d](e)", 0)],
    "[a](<b c> 'd')": [("a", LINK), (" (b c 'd')", URL)],
    "[a](b(c)d)": [("a", LINK), (" (b(c)d)", URL)],
    "[![a](b)](c)": [("a", LINK), (" (b)", LINK | URL), (" (c)", URL)],
    "see https://a.b/c_d_(e). Then": [("see ", 0), ("https://a.b/c_d_(e)", LINK), (". Then", 0)],
    "**http://a.b**，好": [("http://a.b", B | LINK), ("，好", 0)],
    "见http://a.b。好": [("见", 0), ("http://a.b", LINK), ("。好", 0)],
    "<https://a.b> <a*b*>": [("https://a.b", LINK), (" ", 0), ("<a*b*>", HTML)],
    "a < b > c": [("a < b > c", 0)],
    "&lt;b&gt; &#x202e;": [("<b> ", 0)],
}


@pytest.mark.parametrize(("text", "expected"), RUNS.items(), ids=RUNS)
def test_runs(text: str, expected: list[Run]) -> None:
    assert list(parse(text).runs) == expected


def _joined(runs: list[Run]) -> list[Run]:
    joined: list[Run] = []
    for text, flags in runs:
        if joined and joined[-1][1] == flags:
            joined[-1] = (joined[-1][0] + text, flags)
        else:
            joined.append((text, flags))
    return joined


@settings(max_examples=500, deadline=None)
@given(markdown(INLINE, TEXT, DECODED, ["\n", "  \n", " "]), st.integers(0, 400))
def test_what_is_settled_parses_the_same_whatever_follows(text: str, end: int) -> None:
    found = inline.settled(text[:end])
    if found is not None:
        cut, parsed = found
        assert _joined([*parsed.runs, *parse(text[cut:]).runs]) == list(parse(text).runs)


def test_prose_settles_up_to_its_last_words_and_never_inside_an_open_mark() -> None:
    assert inline.settled("some words and *more* words") == (22, parse("some words and *more* "))
    assert inline.settled("some words and *more words") == (15, parse("some words and "))
    assert inline.settled("some `code that is not closed") == (5, parse("some "))
    assert inline.settled("unbroken") is None


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="*_~[]()`<>!\\& a中，\n", max_size=60))
def test_marks_without_meaning_stay(text: str) -> None:
    shown = "".join(part for part, _ in parse(text).runs)
    assert shown.count("a") == text.count("a")
    assert shown.count("，") == text.count("，")


@pytest.mark.parametrize(
    "text",
    [
        "see http://a.b/c_d.1\ufe0f\u20e3 there",
        "`1`\ufe0f\u20e3",
        "**a**\u0301 b",
        "`\U0001f469`\u200d\U0001f467",
        "`\U0001f1e9`\U0001f1ea",
    ],
)
def test_no_run_ends_inside_a_cluster(text: str) -> None:
    runs = [run for run, _ in parse(text).runs]
    assert cell_len("".join(runs)) == sum(map(cell_len, runs))
