"""A long line in the composer is drawn as Textual would draw it, row by row."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from qwentui.tui.widgets.long_lines import LongLines

LINE = "同城一般 1 天内送达, or later: e\u0301 \U0001f469\u200d\U0001f467 ok。" * 80
TEXT = f"first\n{LINE}\n\n{LINE}x"


class Page(App[None]):
    def compose(self) -> ComposeResult:
        yield LongLines(TEXT, soft_wrap=True, compact=True, highlight_cursor_line=False)


def cells(area: TextArea, y: int, *, own: bool) -> list[tuple[str, object]]:
    strip = area.render_line(y) if own else TextArea.render_line(area, y)
    return [
        (character, (style and (style.color, style.bgcolor, style.reverse, style.bold)))
        for text, style, _ in strip
        for character in text
    ]


@pytest.mark.parametrize(
    "selection",
    [
        Selection.cursor((0, 2)),
        Selection.cursor((1, 700)),
        Selection.cursor((1, len(LINE))),
        Selection((1, 5), (1, 900)),
        Selection((3, 40), (0, 1)),
        Selection((1, len(LINE)), (3, 0)),
    ],
)
async def test_it_looks_as_textual_draws_it(selection: Selection) -> None:
    async with Page().run_test(size=(60, 24)) as pilot:
        area = pilot.app.query_one(LongLines)
        area.cursor_blink = False
        area.selection = selection
        await pilot.pause()
        area.scroll_to(y=0, animate=False)
        for scroll in (0, 20, 40, area.wrapped_document.height - area.size.height):
            area.scroll_to(y=scroll, animate=False)
            await pilot.pause()
            for y in range(area.size.height):
                assert cells(area, y, own=True) == cells(area, y, own=False), (scroll, y)
