"""Rules that hold for any Markdown, however it arrives."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tui.transcript.markdown_texts import (
    ANYTHING,
    CODE,
    INLINE,
    PALETTE,
    STRUCTURE,
    TEXT,
    WIDTHS,
    markdown,
)

from qwentui.tui.transcript.markdown import MarkdownFlow, Row, layout

CUTS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=12)


def _pieces(text: str, cuts: list[tuple[float, bool]]) -> list[tuple[str, bool]]:
    """The text cut at fractions of its length, each piece with whether to render after it."""
    places = sorted((int(place * len(text)), render) for place, render in cuts)
    bounds = [(0, False), *places, (len(text), True)]
    return [(text[start:end], render) for (start, _), (end, render) in pairwise(bounds)]


@settings(max_examples=300, deadline=None)
@given(ANYTHING, WIDTHS, CUTS)
@example("a\r\nb", 40, [(0.5, True)])
@example("```py\nx = '''\ny\n'''\nz", 40, [(0.3, True), (0.6, True)])
@example("| a |\n|---|\n" * 60, 12, [(0.5, True)])
@example("**open " + "word " * 1000, 40, [(0.2, True), (0.7, True)])
def test_a_text_in_pieces_looks_like_the_whole(text: str, width: int, cuts: list[tuple[float, bool]]) -> None:
    whole = layout(text, width, PALETTE)
    flow = MarkdownFlow(width, PALETTE)
    for piece, render in _pieces(text, cuts):
        flow.feed(piece)
        if render:
            flow.render()
    flow.close()
    assert list(flow.rows) == list(whole.rows)
    assert flow.code_blocks == whole.code_blocks
    assert flow.removed == whole.removed


@settings(max_examples=100, deadline=None)
@given(ANYTHING, WIDTHS)
def test_character_by_character_looks_like_the_whole(text: str, width: int) -> None:
    flow = MarkdownFlow(width, PALETTE)
    for character in text:
        flow.feed(character)
        flow.render()
    flow.close()
    assert list(flow.rows) == list(layout(text, width, PALETTE).rows)


@settings(max_examples=200, deadline=None)
@given(ANYTHING, WIDTHS, CUTS)
def test_rows_before_the_returned_index_are_those_of_before(
    text: str, width: int, cuts: list[tuple[float, bool]]
) -> None:
    flow = MarkdownFlow(width, PALETTE)
    shown: list[Row] = []
    for piece, _ in _pieces(text, cuts):
        flow.feed(piece)
        first = flow.render()
        assert shown[:first] == list(flow.rows[:first])
        assert first <= len(flow.rows)
        shown = list(flow.rows)
    first = flow.close()
    assert shown[:first] == list(flow.rows[:first])


def test_rendering_nothing_new_changes_no_row() -> None:
    flow = MarkdownFlow(40, PALETTE)
    assert flow.render() == 0
    flow.feed("a paragraph\n\nand another")
    assert flow.render() == 0
    assert flow.render() == len(flow.rows) == 3


@settings(max_examples=300, deadline=None)
@given(ANYTHING, WIDTHS)
def test_every_row_fits_and_holds_nothing_but_what_can_be_drawn(text: str, width: int) -> None:
    for row in layout(text, width, PALETTE).rows:
        joined = "".join(segment.text for segment in row)
        assert cell_len(joined) == sum(cell_len(segment.text) for segment in row) <= width
        assert all(segment.text for segment in row)
        assert all(segment.style is not None and segment.style.link is None for segment in row)
        assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in joined)
        assert not set(joined) & set("\u202e\u200b\u2028\ud800")


@settings(max_examples=300, deadline=None)
@given(markdown(STRUCTURE, INLINE, TEXT, CODE), WIDTHS)
def test_no_letter_is_lost(text: str, width: int) -> None:
    flow = layout(text, width, PALETTE)
    shown = Counter(
        segment.text[at] for row in flow.rows for segment in row for at in range(len(segment.text))
    )
    for block in flow.code_blocks:
        shown.update(block.language)
    letters = Counter(letter for letter in text if letter.isalpha())
    assert not letters - shown


@settings(max_examples=100, deadline=None)
@given(ANYTHING, WIDTHS)
def test_code_blocks_stand_where_they_say_in_order(text: str, width: int) -> None:
    flow = layout(text, width, PALETTE)
    last = -1
    for block in flow.code_blocks:
        assert last < block.first_row <= block.last_row < len(flow.rows)
        last = block.last_row


def test_a_closed_text_takes_no_more() -> None:
    flow = layout("done", 40, PALETTE)
    with pytest.raises(RuntimeError, match="ended"):
        flow.feed("more")
    assert flow.close() == len(flow.rows)


def test_half_open_markup_waits_until_it_is_decided() -> None:
    flow = MarkdownFlow(40, PALETTE)
    flow.feed("Fruit\n-")
    flow.render()
    assert ["".join(segment.text for segment in row) for row in flow.rows] == ["Fruit"]
    assert flow.rows[0][0].style == PALETTE.text
    flow.feed(" apples")
    flow.render()
    assert ["".join(segment.text for segment in row) for row in flow.rows] == ["Fruit", "• apples"]


def test_only_the_open_block_is_laid_out_again() -> None:
    flow = MarkdownFlow(40, PALETTE)
    flow.feed("one\n\ntwo\n\n" + "```\n" + "line\n" * 100)
    flow.render()
    before = len(flow.rows)
    flow.feed("more\n")
    assert flow.render() == before
