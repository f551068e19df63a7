"""Which part of a document is in view, and how it stays there while the document changes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.tui.transcript.body import Anchor
    from qwentui.tui.transcript.document import Document
    from qwentui.tui.transcript.palette import Palette

# Blank rows below the last item.
_TAIL = 1


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the document and where it stands in the window.

    Attributes:
        index: The item.
        anchor: What the row shows; None while it is not laid out.
        row: The row of the item.
        height: The height of the item then.
        screen: The row of the window; it may lie outside.
        y: The row of the document then.
    """

    index: int
    anchor: Anchor | None
    row: int
    height: int
    screen: int
    y: int


class Window:
    """A window on a document.

    It follows the end while the reader is there. Else what is read stays where it is, whatever grows or
    shrinks above, and whenever an estimated height turns out to be another. All that is in view is laid out,
    or being laid out.

    Attributes:
        document: What is looked at.
        height: Rows of the window.
        top: The row of the document in the first row of the window.
        following: Whether the window stays at the end.
        shift: How many rows came in above the reader since the start. `y - shift` names a row for good,
            as far as nothing changes below the reader's place.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.height = 0
        self.top = 0
        self.following = True
        self.shift = 0
        # After a change of width, the item and the letter to return to, until that is laid out.
        self._letter: tuple[int, int] | None = None

    @property
    def total(self) -> int:
        """Rows of the document, with a blank one below."""
        return self.document.heights.total + _TAIL

    @property
    def end(self) -> int:
        """The last value that `top` can have."""
        return max(self.total - self.height, 0)

    @property
    def thumb(self) -> tuple[int, int]:
        """Where the thumb of a scrollbar begins, and how long it is, in eighths of a cell."""
        eighths = 8 * self.height
        return eighths * self.top // self.total, eighths * self.height // self.total

    @property
    def seen(self) -> range:
        """The items in view."""
        heights = self.document.heights
        first, _ = heights.find(self.top)
        last, _ = heights.find(self.top + self.height - 1)
        return range(first, min(last + 1, len(heights)))

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Keep the reader's place while the document changes inside the block."""
        place = self._place(self.top, 0)
        yield
        self._return_to(place)

    def scroll(self, top: int) -> None:
        """The reader scrolls to `top`, by the heights as they are known so far.

        Over a short way the rows that were in view keep their distance; over a long one the row at `top`
        comes into view.
        """
        self._letter = None
        up = self.top - top
        place = self._place(self.top, up) if 0 < up <= 2 * self.height else self._place(top, 0)
        self.following = top >= self.end
        self.top = top
        self._return_to(place)

    def show(self, index: int, row: int, screen: int) -> None:
        """Scroll so that a row of an item stands at row `screen` of the window."""
        self._letter = None
        self.document.settle(index)
        place = self._place(self.document.heights.top(index) + row, screen)
        self.following = False
        self._return_to(place)
        self.following = self.top >= self.end

    def to_end(self) -> None:
        """Go to the end and follow it."""
        self._letter = None
        self.following = True
        self._return_to(None)

    def resize(self, height: int) -> None:
        """Show another number of rows."""
        with self.steady():
            self.height = height

    def lay_out(self, width: int, palette: Palette) -> None:
        """Start again at another width or with other styles; the letter at the top stays there."""
        document = self.document
        place = self._place(self.top, 0)
        body = None if place is None else document.body(place.index)
        if self._letter is None and place is not None and body is not None and width != document.width:
            letters = body.letters_above(place.row)
            self._letter = (place.index, letters) if letters else None
        document.lay_out(width, palette)
        self._return_to(place)

    def _place(self, y: int, screen: int) -> Place | None:
        heights = self.document.heights
        if not len(heights):
            return None
        index, row = heights.find(min(max(y, 0), heights.total - 1))
        body = self.document.body(index)
        if body is not None and body.at(row) is not None:
            return Place(index, body.anchor(row), row, heights[index], screen, y)
        below = heights.top(index + 1)
        if index + 1 < len(heights) and below - y + screen < self.height:
            return self._place(below, below - y + screen)
        return Place(index, None, row, heights[index], screen, y)

    def _row_of(self, place: Place) -> int:
        """Where the row that a place names stands."""
        heights = self.document.heights
        index = min(place.index, len(heights) - 1)
        body = self.document.body(index)
        if body is None or place.anchor is None or (self._letter is not None and self._waits(index)):
            row = place.row * heights[index] // max(place.height, 1)
        elif self._letter is not None and self._letter[0] == index:
            row = body.row_of_letter(self._letter[1])
        else:
            row = body.find(place.anchor)
        return heights.top(index) + row

    def _return_to(self, place: Place | None) -> None:
        """Put a place where it stood, and lay out what is in view around it."""
        document = self.document
        if not len(document.heights):
            self.top = 0
            return
        if place is not None:
            document.settle(min(place.index, len(document.heights) - 1))
        while True:
            wanted = self.end if self.following or place is None else self._row_of(place) - place.screen
            self.top = min(max(wanted, 0), self.end)
            index = next((index for index in reversed(self.seen) if document.body(index) is None), None)
            if index is None:
                break
            document.settle(index)
        if place is not None:
            self.shift += self._row_of(place) - place.y
        if self._letter is not None and not self._waits(self._letter[0]):
            self._letter = None
        document.drop_unseen(self.seen)

    def _waits(self, index: int) -> bool:
        """Whether an item is being laid out."""
        return index in self.document.busy
