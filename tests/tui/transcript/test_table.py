"""Tables: columns, alignment, narrow screens, many rows."""

from __future__ import annotations

from tui.transcript.markdown_texts import PALETTE, rows

from qwentui.tui.transcript.markdown import MarkdownFlow, layout


def test_columns_are_aligned_and_as_wide_as_their_cells() -> None:
    assert rows("| Item | n | Price |\n|:--|:-:|--:|\n| Tee | 2 | 9 |\n| 茶叶 | 10 | 12.50 |") == [
        "Item │ n  │ Price",
        "─────┼────┼──────",
        "Tee  │ 2  │     9",
        "茶叶 │ 10 │ 12.50",
    ]


def test_cells_hold_inline_markdown_and_escaped_bars() -> None:
    assert rows("a | b\n--|--\n**x** | `y\\|z`\n<b> | p<br>q") == [
        "a   │ b  ",
        "────┼────",
        "x   │ y|z",
        "<b> │ p  ",
        "    │ q  ",
    ]


def test_missing_cells_are_empty_and_extra_ones_join_the_last() -> None:
    assert rows("| a | b |\n|---|---|\n| c |\n| d | e | f |") == [
        "a │ b    ",
        "──┼──────",
        "c │      ",
        "d │ e | f",
    ]


def test_a_wide_table_wraps_inside_its_cells() -> None:
    shown = rows("| k | text |\n|---|---|\n| a | one two three four five |", 16)
    assert shown == [
        "k │ text        ",
        "──┼─────────────",
        "a │ one two     ",
        "  │ three four  ",
        "  │ five        ",
    ]
    assert rows("| 键 | 文 |\n|---|---|\n| a | 一二三四五六七八 |", 12)[2:] == [
        "a  │ 一二三 ",
        "   │ 四五六 ",
        "   │ 七八   ",
    ]


def test_a_screen_too_narrow_for_columns_shows_the_source() -> None:
    assert rows("| a | b | c |\n|---|---|---|\n| d | e | f |", 12) == ["| a | b | c", "|", "| d | e | f", "|"]


def test_a_table_may_follow_its_sentence() -> None:
    assert rows("Here:\n| a |\n|---|\n| b |\n\nDone.") == ["Here:", "", "a", "─", "b", "", "Done."]


def test_a_delimiter_row_of_another_count_makes_no_table() -> None:
    assert rows("| a | b |\n|---|") == ["| a | b | |---|"]


def test_widths_are_fixed_after_forty_rows() -> None:
    table = "| n | text |\n|---|---|\n" + "| 1 | ab |\n" * 50 + "| 2 | a longer text |\n"
    shown = rows(table)
    assert shown[:2] == ["n │ text", "──┼─────"]
    assert shown[-5:] == ["1 │ ab  ", "2 │ a   ", "  │ long", "  │ er  ", "  │ text"]


def test_rows_of_a_long_table_are_final_one_by_one() -> None:
    flow = MarkdownFlow(40, PALETTE)
    flow.feed("| n | text |\n|---|---|\n" + "| 1 | ab |\n" * 200)
    flow.render()
    before = len(flow.rows)
    flow.feed("| 2 | c |\n")
    assert flow.render() == before
    assert len(flow.rows) == before + 1


def test_the_head_has_its_style() -> None:
    head, _, body = layout("| a |\n|---|\n| b |", 40, PALETTE).rows
    assert head[0].style == PALETTE.table_head
    assert body[0].style == PALETTE.text
