"""A text area in which a line may be very long: a pasted article is often one line."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import TextArea

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.style import Style

_LONG = 2_000
"""Characters from which on a line is drawn here: below that, Textual's own way costs little."""


class LongLines(TextArea):
    """Draws a row of a wrapped line at the cost of that row.

    Textual cuts the whole line into its rows again for each row that it draws, a fifth of a second for each
    key in 100 kB. Drawn here are lines without tabs, with the selection and the cursor; this text area
    highlights nothing else.
    """

    def render_line(self, y: int) -> Strip:
        """The row `y` of what is in view."""
        place = self._row_at(y + self.scroll_offset.y)
        line = None if place is None else self.document.get_line(place[0])
        if place is None or line is None or len(line) < _LONG or "\t" in line:
            return super().render_line(y)
        index, section = place
        offsets = [0, *self.wrapped_document.get_offsets(index), len(line)]
        start, end = offsets[section], offsets[section + 1]
        # The cursor may stand behind the last character.
        text = line[start:end] + (" " if end == len(line) else "")
        pieces = self._pieces(index, start, start + len(text))
        base = self.rich_style
        segments = [Segment(text[first - start : last - start], style) for first, last, style in pieces]
        width = self.scrollable_content_region.width
        return Strip(segments).adjust_cell_length(width).apply_style(base)

    def _row_at(self, y: int) -> tuple[int, int] | None:
        """The line, and which of its rows, at row `y` of the whole text; None below its end."""
        top = 0
        for index in range(self.document.line_count):
            rows = len(self.wrapped_document.get_offsets(index)) + 1
            if y < top + rows:
                return index, y - top
            top += rows
        return None

    def _pieces(self, index: int, start: int, end: int) -> Iterator[tuple[int, int, Style | None]]:
        """The characters from `start` to `end` of a line, parted where their style changes."""
        first, last = sorted(self.selection)
        selected = range(
            first[1] if first[0] == index else 0,
            last[1] if last[0] == index else len(self.document.get_line(index)),
        )
        if not first[0] <= index <= last[0]:
            selected = range(0)
        row, column = self.selection.end
        cursor = column if row == index and self.show_cursor and self.has_focus else -1
        borders = sorted({start, end, selected.start, selected.stop, cursor, cursor + 1})
        borders = [border for border in borders if start <= border <= end]
        for begin, stop in pairwise(borders):
            name = "cursor" if begin == cursor else "selection" if begin in selected else ""
            yield begin, stop, self.get_component_rich_style(f"text-area--{name}") if name else None
