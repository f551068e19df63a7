"""Selecting text with the mouse, by words, and with keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.message import Message
from textual.selection import Selection

from qwentui.tui.transcript.paint import Span
from qwentui.tui.transcript.pane import Pane
from qwentui.tui.transcript.plain import text_of
from qwentui.tui.transcript.selection import Caret, selected_text, word_at

if TYPE_CHECKING:
    from textual import events

    from qwentui.tui.phrases import What
    from qwentui.tui.transcript.body import Line


class SelectablePane(Pane):
    """A pane with a selection: Textual's own for the mouse, and one that keys move.

    While keys select, the keys that scroll move the selection's end instead.
    """

    class Copied(Message, namespace="transcript"):
        """The reader copies text.

        Attributes:
            text: The text; of a message or a block its source.
            what: What it is.
        """

        def __init__(self, text: str, what: What) -> None:
            super().__init__()
            self.text = text
            self.what = what

    _caret: Caret | None = None

    @property
    def selecting(self) -> bool:
        """Whether keys move a selection."""
        return self._caret is not None

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, for Textual's own copying too."""
        with self._window.steady():
            text = selected_text(self._document, selection, self._window.shift)
        self.show()
        return text, "\n"

    @property
    def selected(self) -> str:
        """The selected text, "" where nothing is."""
        selection = self.text_selection
        found = None if selection is None else self.get_selection(selection)
        return "" if found is None else found[0]

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - it may be an old one
        """Draw the selection. Textual tells this late, when there may be another one already."""
        if self.text_selection is None:
            self._caret = None
        self.refresh()

    def action_select_lines(self) -> None:
        """Begin to select rows with keys, or go on by rows."""
        self._select(lines=True)

    def action_select_characters(self) -> None:
        """Begin to select characters with keys, or go on by characters."""
        self._select(lines=False)

    def action_copy_selection(self) -> None:
        """Copy what is selected, and end the selection."""
        selection = self.text_selection
        if selection is not None:
            text, _ = self.get_selection(selection) or ("", "")
            self.unselect()
            self.post_message(self.Copied(text, "selection"))

    def unselect(self) -> None:
        """Take the selection away."""
        self._caret = None
        if self.is_attached and self in self.screen.selections:
            self.screen.clear_selection()

    def action_scroll_up(self) -> None:
        """Scroll one row up, or move the selection's end."""
        if not self._move(0, -1):
            super().action_scroll_up()

    def action_scroll_down(self) -> None:
        """Scroll one row down, or move the selection's end."""
        if not self._move(0, 1):
            super().action_scroll_down()

    def action_scroll_left(self) -> None:
        """Move the selection's end one character to the left."""
        if not self._move(-1, 0):
            super().action_scroll_left()

    def action_scroll_right(self) -> None:
        """Move the selection's end one character to the right."""
        if not self._move(1, 0):
            super().action_scroll_right()

    def action_page_up(self) -> None:
        """Scroll one window up, or move the selection's end."""
        if not self._move(0, -self._window.height):
            super().action_page_up()

    def action_page_down(self) -> None:
        """Scroll one window down, or move the selection's end."""
        if not self._move(0, self._window.height):
            super().action_page_down()

    def on_click(self, event: events.Click) -> None:
        """Select a word by two clicks and a row by three, not the whole transcript."""
        event.prevent_default()
        if event.chain == 1:
            if self.text_selection is None:
                self.pressed(self.scroll_offset.y + event.y)
            return
        _, offset = self.screen.get_widget_and_offset_at(event.screen_x, event.screen_y)
        if offset is None:
            return
        text = self._text_at(offset.y)
        start, end = word_at(text, offset.x) if event.chain == 2 else (0, len(text))  # noqa: PLR2004 - a double click
        self._mark(Selection(Offset(start, offset.y), Offset(end, offset.y)))

    def pressed(self, y: int) -> None:
        """The reader clicked on row `y` of the document."""

    def spans(self, index: int, row: int, y: int, line: Line) -> list[Span]:
        """The selected part of a row."""
        selection = self.text_selection
        span = None if selection is None else selection.get_span(y)
        if span is None:
            return super().spans(index, row, y, line)
        start, end = span
        gutter = len(line.gutter.text)
        stop = gutter + len(text_of(line.row)) if end < 0 else end
        style = self.screen.get_component_rich_style("screen--selection")
        return [*super().spans(index, row, y, line), Span(max(start, gutter), stop, style)]

    def _lay_out(self, width: int) -> None:
        if width != self._document.width:
            self.unselect()
        super()._lay_out(width)

    def _select(self, *, lines: bool) -> None:
        if self._caret is None:
            at = self._first_caret()
            if at is None:
                return
            self._caret = Caret(at, at, lines)
        else:
            self._caret = replace(self._caret, lines=lines)
        self._mark(self._caret.selection)

    def _first_caret(self) -> Offset | None:
        """The cursor's row if it is in view, or else the last row in view that has text."""
        window, heights = self._window, self._document.heights
        rows = range(window.top, min(window.top + window.height, heights.total))
        cursor = self.cursor()
        marked = -1 if cursor is None else heights.top(cursor[0]) + cursor[1]
        lines = {y: self._document.line(*heights.find(y)) for y in rows}
        filled = [y for y, line in lines.items() if text_of(line.row).strip()]
        if not filled:
            return None
        y = marked if marked in rows else filled[-1]
        return Offset(len(lines[y].gutter.text), y - window.shift)

    def _move(self, columns: int, rows: int) -> bool:
        """Move the end of the selection; whether there is one to move."""
        caret, window = self._caret, self._window
        if caret is None:
            return False
        y = min(max(caret.at.y + window.shift + rows, 0), self._document.heights.total - 1)
        index, row = self._document.heights.find(y)
        screen = min(max(y - window.top, 0), window.height - 1)
        if screen != y - window.top:
            window.show(index, row, screen)
            self.show()
            y = self._document.heights.top(index) + row
        text = self._text_at(y - window.shift)
        gutter = len(self._document.line(index, row).gutter.text)
        x = min(max(caret.at.x + columns, gutter), max(len(text) - 1, gutter))
        self._caret = replace(caret, at=Offset(x, y - window.shift))
        self._mark(self._caret.selection)
        return True

    def _mark(self, selection: Selection) -> None:
        self.screen.selections = {self: selection}

    def _text_at(self, y: int) -> str:
        """The characters of a row that a selection names `y`, gutter included."""
        index, row = self._document.heights.find(y + self._window.shift)
        if index >= len(self._document.heights):
            return ""
        line = self._document.line(index, row)
        return line.gutter.text + text_of(line.row)
