"""Selected rows as text, and a selection that is moved by keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.selection import Selection

from qwentui.tui.transcript.plain import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.tui.transcript.document import Document

_TO_THE_END = 1 << 30


def selected_text(document: Document, selection: Selection, shift: int) -> str:
    """The text of a selection: plain rows, joined where a wrap is known to have cut them.

    Args:
        document: What is selected from.
        selection: Rows and characters; a row counts from `shift` rows above the document's first.
        shift: See `Window.shift`.
    """
    start, end = selection
    if start is None and end is None:
        return "\n\n".join(document.text(index) for index in range(len(document.items)))
    first = 0 if start is None else start.y + shift
    last = document.heights.total - 1 if end is None else end.y + shift
    text = ""
    for y, joint, gutter, row in _rows(document, first, last):
        left = 0 if start is None or y != first else max(start.x - gutter, 0)
        right = len(row) if end is None or y != last else max(end.x - gutter, 0)
        part = row[left:right]
        text += part if y == first else joint + (part if joint == "\n" else part.lstrip())
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _rows(document: Document, first: int, last: int) -> Iterator[tuple[int, str, int, str]]:
    """Number, joint, width of the gutter and text of the rows `first` to `last`."""
    y = max(first, 0)
    while y <= last:
        index, row = document.heights.find(y)
        if index >= len(document.heights):
            return
        body = document.finish(index)
        while row < body.height and y <= last:
            line = body.line(row)
            yield y, body.joint(row), len(line.gutter.text), text_of(line.row)
            row, y = row + 1, y + 1


def word_at(text: str, x: int) -> tuple[int, int]:
    """The first and the last but one index of the word, or else the single character, at `x`."""
    if x >= len(text) or not (text[x].isalnum() or text[x] == "_"):
        return x, x + 1
    start = end = x
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return start, end


@dataclass(frozen=True, slots=True)
class Caret:
    """A selection that is moved by keys: from where it began to where it is, both included.

    Rows count as in `selected_text`; characters from the left edge, the gutter included.

    Attributes:
        start: Where it began.
        at: Where it is.
        lines: Whether whole rows are selected.
    """

    start: Offset
    at: Offset
    lines: bool = True

    @property
    def selection(self) -> Selection:
        """What is selected."""
        if not self.lines:
            first, last = sorted((self.start, self.at), key=lambda offset: (offset.y, offset.x))
            return Selection(first, Offset(last.x + 1, last.y))
        first, last = sorted((self.start, self.at), key=lambda offset: offset.y)
        return Selection(Offset(0, first.y), Offset(_TO_THE_END, last.y))
