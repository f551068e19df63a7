"""What a reader does with a transcript: go, find, fold, select, copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from textual.message import Message

from qwentui.tui.transcript.body import HEAD
from qwentui.tui.transcript.cursor import Cursor
from qwentui.tui.transcript.items import UserItem
from qwentui.tui.transcript.paint import Span
from qwentui.tui.transcript.reply import ReplyBody
from qwentui.tui.transcript.search import Search
from qwentui.tui.transcript.selectable import SelectablePane

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwentui.tui.transcript.body import Line
    from qwentui.tui.transcript.palette import Palette

_MATCH = Style(reverse=True)
_CURRENT_MATCH = Style(reverse=True, bold=True, underline=True)


class Reader(SelectablePane):
    """A pane with a cursor on messages and code blocks, a search, folds and a selection."""

    class PagerRequested(Message, namespace="transcript"):
        """The reader wants a message in a pager.

        Attributes:
            text: The source of the message.
        """

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class SearchChanged(Message, namespace="transcript"):
        """The search goes on, or ended.

        Attributes:
            text: What is searched; empty when the search ended.
            ordinal: Which match is the current one, counted from 1; 0 when none is.
            count: How many matches are known.
            complete: Whether all of the transcript is counted.
        """

        def __init__(self, text: str, ordinal: int, count: int, *, complete: bool) -> None:
            super().__init__()
            self.text = text
            self.ordinal = ordinal
            self.count = count
            self.complete = complete

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(palette, id=id)
        self._cursor = Cursor(self._document)
        self._search: Search | None = None

    # Messages and code blocks

    def action_next_message(self) -> None:
        """Put the cursor on the next message."""
        self._go(self._cursor.next_message, 1)

    def action_previous_message(self) -> None:
        """Put the cursor on the message before."""
        self._go(self._cursor.next_message, -1)

    def action_next_block(self) -> None:
        """Put the cursor on the next code block."""
        self._go(self._cursor.next_block, 1)

    def action_previous_block(self) -> None:
        """Put the cursor on the code block before."""
        self._go(self._cursor.next_block, -1)

    @property
    def at_cursor(self) -> int | None:
        """The message at the cursor, or else the last one; None where there is none."""
        return self._cursor.message()

    def text_of(self, index: int) -> str:
        """The source text of an item."""
        return self._document.text(index)

    def action_copy_message(self) -> None:
        """Copy the message at the cursor, or else the last one."""
        index = self._cursor.message()
        if index is not None:
            self.post_message(self.Copied(self._document.text(index), "message"))

    def action_copy_answer(self) -> None:
        """Copy the last answer."""
        index = self._cursor.last_answer()
        if index is not None:
            self.post_message(self.Copied(self._document.text(index), "answer"))

    def action_copy_block(self) -> None:
        """Copy the code block at the cursor, or else the last one."""
        with self._window.steady():
            block = self._cursor.block()
        self.show()
        if block is not None:
            self.post_message(self.Copied(block.text, "code block"))

    def action_page_message(self) -> None:
        """Ask for the message at the cursor, or else the last one, in a pager."""
        index = self._cursor.message()
        if index is not None:
            self.post_message(self.PagerRequested(self._document.text(index)))

    def action_toggle_fold(self) -> None:
        """Fold or unfold the code block at the cursor, or else a thinking."""
        target = self._cursor.target
        body = None if target is None else self._document.body(target.item)
        if target is not None and target.block is not None and isinstance(body, ReplyBody):
            if body.can_fold(target.block):
                self._fold(target.item, target.block)
            return
        index = self._cursor.thinking(self._window.seen)
        if index is not None:
            self._fold(index, None)

    def action_dismiss(self) -> None:
        """Take the selection away, or else the search, or else the cursor."""
        if self._caret is not None or self.text_selection is not None:
            self.unselect()
        elif self._search is not None:
            self.action_search_clear()
        else:
            self._cursor.target = None
            self.refresh()

    # Search

    def search(self, text: str) -> None:
        """Search `text` and go to the nearest match; nothing to search ends the search.

        A search that is under way goes on from its match, so that it can follow what is typed.
        """
        if not text.split():
            self.action_search_clear()
            return
        before = self._search.current if self._search is not None else None
        self._search = Search(self._document, text)
        self.wake()
        if before is not None:
            self._seek(1, before[0])
        elif self.following:
            self.action_search_previous()
        else:
            self.action_search_next()

    def show_item(self, index: int, text: str) -> None:
        """Bring an item into view, and search `text` from there on, if there is any."""
        self.unselect()
        self._bring(index, 0, 0)
        if text.split():
            self._search = Search(self._document, text)
            self.wake()
            self._seek(1, index)
        self.refresh()

    def action_search_next(self) -> None:
        """Go to the next match."""
        self._seek(1, self._window.seen.start)

    def action_search_previous(self) -> None:
        """Go to the match before."""
        self._seek(-1, self._window.seen.stop - 1)

    def action_search_clear(self) -> None:
        """End the search."""
        if self._search is not None:
            self._search = None
            self.post_message(self.SearchChanged("", 0, 0, complete=True))
            self.refresh()

    def pressed(self, y: int) -> None:
        """Fold or unfold what the line at row `y` stands for, else put the cursor there."""
        index, row = self._document.heights.find(y)
        body = self._document.body(index)
        found = None if body is None else body.at(row)
        if found is not None and (found[0].part == HEAD or found[0].fold is not None):
            self._fold(index, None if found[0].part == HEAD else found[0].fold)
        elif found is not None:
            with self._window.steady():
                self._cursor.put(index, row)
            self.show()
            self.refresh()

    def cursor(self) -> tuple[int, int] | None:
        """The item and the row that the cursor's mark stands at."""
        return self._cursor.row()

    def spans(self, index: int, row: int, y: int, line: Line) -> list[Span]:
        """The matches in a row, under the selected part."""
        search = self._search
        if search is None:
            return super().spans(index, row, y, line)
        gutter = len(line.gutter.text)
        marks = [
            Span(
                gutter + match.start,
                gutter + match.end,
                _CURRENT_MATCH if search.current == (index, match.number) else _MATCH,
            )
            for match in search.matches(index, row)
        ]
        return [*marks, *super().spans(index, row, y, line)]

    def forget(self, index: int) -> None:
        """The items from `index` on are others."""
        self.unselect()
        if self._search is not None:
            self._search.forget(index)
            self.wake()
        target = self._cursor.target
        if target is not None and target.item >= index:
            self._cursor.target = None

    def tell_search(self) -> None:
        """Say how far the search is."""
        search = self._search
        if search is not None:
            message = self.SearchChanged(search.text, search.ordinal, search.count, complete=search.complete)
            self.post_message(message)

    def _seek(self, step: int, start: int) -> None:
        if self._search is None or not self._document.width:
            return
        with self._window.steady():
            found = self._search.move(max(start, 0), step)
        if found is not None:
            self._bring(*found, found[1])
        self.tell_search()
        self.refresh()

    def _go(self, move: Callable[[int, range], bool], step: int) -> None:
        """Move the cursor, and bring what it is on into view."""
        with self._window.steady():
            rows = self._cursor.rows() if move(step, self._window.seen) else None
        if rows is not None:
            self._bring(*rows)
        self.show()
        self.refresh()

    def _bring(self, index: int, first: int, last: int) -> None:
        """Scroll so that the rows `first` to `last` of an item are in view, or as many as can be."""
        window = self._window
        top = self._document.heights.top(index)
        if not window.top <= top + first <= top + last < window.top + window.height:
            tall = last - first >= window.height // 2
            window.show(index, first, 1 if tall else window.height // 3)
        self.show()

    def _fold(self, index: int, block: int | None) -> None:
        folds = self._document.folds(index)
        item = self._document.items[index]
        if block is None and isinstance(item, UserItem):
            folds.toggle_all(len(item.files))
        elif block is None:
            folds.thinking_open = not folds.thinking_open
        else:
            folds.blocks ^= {block}
        self.unselect()
        with self._window.steady():
            self._document.refold(index)
        self.show()
        self.wake()
        self.refresh()
