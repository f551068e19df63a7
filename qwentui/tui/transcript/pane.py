"""The widget that draws a window on a document: rows, scrolling, the reader's marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from qwentui.language import N_, _
from qwentui.tui.transcript.body import GUTTER
from qwentui.tui.transcript.document import Document
from qwentui.tui.transcript.paint import Look, Painter, highlight
from qwentui.tui.transcript.shortcut import Shortcut
from qwentui.tui.transcript.window import Window

if TYPE_CHECKING:
    from rich.style import Style

    from qwentui.tui.transcript.body import Line
    from qwentui.tui.transcript.paint import Span
    from qwentui.tui.transcript.palette import Palette

MEASURE = 108
"""The widest text that is good to read, in columns."""

_MARGIN = 1
_NARROWEST = 12
_HINT = N_("↓ more below (End)")


class Pane(ScrollView, can_focus=True):
    """Draws the rows in view, one strip each, and keeps no more than those."""

    # No scrollbar: as a widget of its own it would cut every row in two, which costs a third of a frame.
    DEFAULT_CSS = """
    Pane {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 0;
    }
    """
    ALLOW_SELECT = True

    class FollowChanged(Message, namespace="transcript"):
        """The reader reached the end, or left it.

        Attributes:
            following: Whether new text is followed.
        """

        def __init__(self, following: bool) -> None:
            super().__init__()
            self.following = following

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._palette = palette
        self._document = Document(palette)
        self._window = Window(self._document)
        self._painter = Painter()
        self._shortcut = Shortcut(self, self._rows)
        self._moving = False
        # Whether the rows on the screen have moved with the window.
        self._slid = False
        # The window's `shift` when it was shown last.
        self._shift = 0
        self._thumb = (0, 0)
        # The row below the last one drawn.
        self._last = 0
        self._drawing: Style | None = None
        self._cursor_row: tuple[int, int] | None = None
        self._told_following = True
        self._unseen = False

    @property
    def palette(self) -> Palette:
        """The styles; setting them draws everything again."""
        return self._palette

    @palette.setter
    def palette(self, palette: Palette) -> None:
        self._palette = palette
        self._lay_out(self._document.width)

    @property
    def following(self) -> bool:
        """Whether the end is in view and new text is followed."""
        return self._window.following

    @property
    def allow_select(self) -> bool:
        """Text can be selected with the mouse."""
        return True

    def on_resize(self) -> None:
        """Lay out again at the new width; what was read stays in view."""
        room = self.scrollable_content_region.size
        width = min(max(room.width - GUTTER - _MARGIN, _NARROWEST), MEASURE)
        if width != self._document.width:
            self._lay_out(width)
        self._window.resize(room.height)
        self.show()
        self.refresh()

    def notify_style_update(self) -> None:
        """Draw again on the new background."""
        super().notify_style_update()
        self._painter.clear()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Lay out what the reader scrolled to.

        Textual itself scrolls up when the pane grows, before it tells the new size: that is still the end.
        """
        grew = self._window.following and round(new_value) >= self.max_scroll_y
        if not self._moving and not grew and round(old_value) != round(new_value):
            self._window.scroll(round(new_value))
            self.show()
        if not self._slid:
            super().watch_scroll_y(old_value, self.scroll_y)

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:  # noqa: ANN401 - options are Textual's
        """Scroll at once: an animation would go to the terminal step by step."""
        super().scroll_to(x, y, **{**options, "animate": False})

    def scroll_end(self, **_options: Any) -> None:  # noqa: ANN401 - options are Textual's
        """Go to the end and follow it."""
        self._window.to_end()
        self.show()

    def show(self) -> None:
        """Scroll to where the window is, without the layout that a change of `virtual_size` asks for."""
        window = self._window
        if not self._document.width:
            return
        size = Size(self.size.width, window.total)
        self._moving = True
        # What is read stays where it is in the text as long as the end is followed and nothing came in above.
        steady = window.following and self._told_following and window.shift == self._shift
        self._shift = window.shift
        self._slid = steady and self._shortcut.slide(window.top - round(self.scroll_y))
        try:
            if size != self.virtual_size:
                self.set_reactive(Widget.virtual_size, size)
            thumb = window.thumb
            if thumb != self._thumb:
                self._thumb = thumb
                self._scroll_update(size)
            self.scroll_target_y = self.scroll_y = window.top
        finally:
            self._moving = self._slid = False
        if self._document.busy:
            self.wake()
        if window.following != self._told_following:
            self._told_following = window.following
            self.post_message(self.FollowChanged(window.following))
        if self._unseen and window.following:
            self._unseen = False
            self._refresh_rows(window.top + window.height - 1, window.top + window.height)

    def grown(self, index: int, row: int) -> None:
        """Draw an item again from `row` on, and all below it."""
        window = self._window
        bottom = window.top + window.height
        y = self._document.heights.top(index) + row
        last, self._last = max(self._last, window.total), window.total
        if y < bottom:
            self._refresh_rows(y, min(last, bottom))
        if last > bottom and not self._unseen and not window.following:
            self._unseen = True
            self._refresh_rows(bottom - 1, bottom)

    def spans(self, index: int, row: int, y: int, line: Line) -> list[Span]:  # noqa: ARG002 - for those who mark
        """What is marked in a row: nothing, here."""
        return []

    def cursor(self) -> tuple[int, int] | None:
        """The item and row that the cursor's mark stands at: none, here."""
        return None

    def wake(self) -> None:
        """There is something to do in the background: nobody does it, here."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw rows; positions for the mouse are left to `render_line`, which is asked for one row then."""
        self._drawing = self.rich_style
        self._cursor_row = self.cursor()
        try:
            return super().render_lines(crop)
        finally:
            self._drawing = None

    def _rows(self, first: int, stop: int) -> list[Strip]:
        self._drawing = self.rich_style
        self._cursor_row = self.cursor()
        try:
            return [self.render_line(y) for y in range(first, stop)]
        finally:
            self._drawing = None

    def render_line(self, y: int) -> Strip:
        """Draw row `y` of the widget."""
        base = self._drawing or self.rich_style
        window = self._window
        row_y = self.scroll_offset.y + y
        strip = self._strip(row_y, base)
        if self._unseen and y == window.height - 1:
            style = base + self._palette.bullet
            hint = f" {_(_HINT)} "
            room = max(self.scrollable_content_region.width - cell_len(hint), 0)
            strip = Strip([*strip.adjust_cell_length(room, base), Segment(hint, style)])
        return strip if self._drawing else strip.apply_offsets(0, row_y - window.shift)

    def _strip(self, y: int, base: Style) -> Strip:
        document = self._document
        index, row = document.heights.find(y)
        if index >= len(document.heights):
            return Strip([Segment(" ", base)])
        line = document.line(index, row)
        marker = self._palette.bullet if self._cursor_row == (index, row) else None
        strip = self._painter.strip((index, row), line, Look(base, document.is_unsent(index), marker))
        spans = self.spans(index, row, y - self._window.shift, line)
        return highlight(strip, spans) if spans else strip

    def _lay_out(self, width: int) -> None:
        self._painter.clear()
        if width:
            self._window.lay_out(width, self._palette)
            self.show()
            self.refresh()

    def _refresh_rows(self, first: int, stop: int) -> None:
        """Draw the rows `first` to `stop` of the document again, so far as they are in view."""
        top, bottom = max(first - self._window.top, 0), max(stop - self._window.top, 0)
        if not self._shortcut.paint(top, bottom):
            self.refresh(Region(0, top, self.size.width, max(bottom - top, 0)))
