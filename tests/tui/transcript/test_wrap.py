"""Rows: where they break and how wide they are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from tui.transcript.markdown_texts import TEXT, WIDTHS

from qwentui.tui.transcript import wrap as module
from qwentui.tui.transcript.wrap import chop, chop_open, clusters, safe_cut, wrap, wrap_open

PROSE = st.lists(
    st.one_of(st.sampled_from([*TEXT, " ", "  "]), st.text(alphabet="ab 中，（", max_size=9)), max_size=20
)


def _wrapped(text: str, width: int) -> list[str]:
    return ["".join(segment.text for segment in row) for row in wrap([Segment(text)], width)]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one  two", 5, ["one", "two"]),
        ("a verylongword b", 6, ["a", "verylo", "ngword", "b"]),
        ("a\nb c", 10, ["a", "b c"]),
        ("中文中文", 5, ["中文", "中文"]),
        ("中文，中文", 4, ["中", "文，", "中文"]),
        ("中文（中）", 6, ["中文", "（中）"]),
        ("他说“你好”。", 7, ["他说“你", "好”。"]),
        ("他说“你好”。", 6, ["他说", "“你", "好”。"]),
        ("中文word中文", 6, ["中文", "word中", "文"]),
        ("使用 Python 3", 8, ["使用", "Python 3"]),
        ("，，，，", 4, ["，，", "，，"]),
        ("ae\u0301e\u0301", 2, ["ae\u0301", "e\u0301"]),
        ("👩‍💻👩‍💻👩‍💻", 4, ["👩‍💻👩‍💻", "👩‍💻"]),
        ("🇨🇳🇨🇳", 3, ["🇨🇳", "🇨🇳"]),
        ("❤️❤️❤️", 4, ["❤️❤️", "❤️"]),
        ("", 4, []),
    ],
)
def test_breaks(text: str, width: int, expected: list[str]) -> None:
    assert _wrapped(text, width) == expected


@settings(max_examples=300, deadline=None)
@given(PROSE, WIDTHS)
def test_rows_fit_and_only_spaces_are_left_out(parts: list[str], width: int) -> None:
    line = [Segment(part) for part in parts]
    rows = wrap(line, width)
    text = "".join(parts)
    assert all(sum(cell_len(segment.text) for segment in row) <= width for row in rows)
    assert "".join(segment.text for row in rows for segment in row).replace(" ", "") == text.replace(" ", "")
    assert "".join(segment.text for row in chop(line, width) for segment in row) == text


@settings(max_examples=300, deadline=None)
@given(PROSE, PROSE, WIDTHS)
def test_rows_of_an_open_line_are_those_of_the_whole(begun: list[str], rest: list[str], width: int) -> None:
    first = [Segment(part) for part in [*begun, " "]]
    more = [Segment(part) for part in ["word", *rest]]
    rows, carry = wrap_open(first, width)
    plain = [_plain(row) for row in [*rows, *wrap([*carry, *more], width)]]
    assert plain == [_plain(row) for row in wrap([*first, *more], width)]
    rows, carry = chop_open(first, width)
    plain = [_plain(row) for row in [*rows, *chop([*carry, *more], width)]]
    assert plain == [_plain(row) for row in chop([*first, *more], width)]


def _plain(row: tuple[Segment, ...]) -> str:
    return "".join(segment.text for segment in row)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_clusters_cover_the_text_and_its_width(text: str) -> None:
    spans = clusters(text)
    assert "".join(text[start:end] for start, end, _ in spans) == text
    assert sum(size for _, _, size in spans) == cell_len(text)


def test_a_cut_spares_clusters() -> None:
    text = "a" * 9 + "👩‍💻" + "b" * 9
    assert [safe_cut(text, limit) for limit in (9, 10, 11, 12, 13)] == [9, 9, 9, 12, 13]


def test_a_long_cluster_is_one_row_and_an_endless_one_is_not() -> None:
    assert len(wrap([Segment("a" + "\u0301" * 100 + "b")], 4)) == 1
    assert len(wrap([Segment("a" + "\u0301" * 10_000)], 4)) > 4


def test_the_fast_path_agrees_with_the_width_table() -> None:
    for code in range(0x20, 0x2A6E0):
        character = chr(code)
        if module._even().match(character):
            assert cell_len(character) == (2 if module._wide().match(character) else 1), hex(code)
