"""Plain text laid out as rows: what the user typed, and notices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.segment import Segment

from qwentui.tui.transcript.sink import clean
from qwentui.tui.transcript.wrap import cells, wrap, wrap_open

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from qwentui.tui.transcript.markdown import CodeBlock
    from qwentui.tui.transcript.wrap import Row

# A line longer than this, in characters, is laid out before it ends.
_LONG_LINE = 4_000
# The bars and lines of quotes, code and tables.
_BAR = re.compile("[\u2500-\u259f|]")
# Characters at the end of a row and the beginning of the next that are looked up in the source.
_LOOK = 12


def text_of(row: Row) -> str:
    """The characters of a row."""
    return "".join(segment.text for segment in row)


def joint_in(source: str, above: str, below: str, width: int) -> str:
    """What a wrap took away between two rows of a Markdown text, if a wrap it was.

    It was one if the next word had no room in the row above and both words stand side by side in the source;
    else a newline is the answer that loses nothing.

    Args:
        source: The text without its marks of emphasis.
        above: A row of it.
        below: The row under that.
        width: Columns of a row.
    """
    if not above.strip() or not below.strip() or _BAR.match(below.lstrip()):
        return "\n"
    last, first = above.rsplit(maxsplit=1)[-1], below.split(maxsplit=1)[0]
    for joint in ("", " "):
        if cells(above + joint + first) > width and last[-_LOOK:] + joint + first[:_LOOK] in source:
            return joint
    return "\n"


class PlainFlow:
    """Text that is shown as it is, wrapped; it is fed and read like a `MarkdownFlow`.

    Attributes:
        rows: The rows so far.
        joints: What stands between a row and the one before it: a newline, or the spaces that a wrap took
            away, or nothing where it cut a word.
        removed: How many characters were dropped or made visible for safety.
    """

    code_blocks: Sequence[CodeBlock] = ()

    def __init__(self, width: int, style: Style) -> None:
        self.rows: list[Row] = []
        self.joints: list[str] = []
        self.removed = 0
        self._width = max(width, 2)
        self._style = style
        self._waiting = ""
        self._joint = "\n"

    def feed(self, text: str) -> None:
        """Take more text; it is laid out by the next `render`."""
        self._waiting += text

    def render(self) -> int:
        """Lay out the lines that are whole, or too long to wait; the first row that changed comes back."""
        first = len(self.rows)
        *lines, rest = self._waiting.split("\n")
        for line in lines:
            self._lay(line)
        self._waiting = self._lay_most(rest) if len(rest) > _LONG_LINE else rest
        return first

    def close(self) -> int:
        """Lay out the last line too; the first row that changed comes back."""
        first = self.render()
        self._lay(self._waiting)
        self._waiting = ""
        return first

    def add(self, row: Row) -> None:
        """Put a row of one's own at the end."""
        self.rows.append(row)
        self.joints.append("\n")

    def _lay(self, line: str) -> None:
        text = self._safe(line)
        self._add(text, wrap([Segment(text, self._style)], self._width) or [()])
        self._joint = "\n"

    def _lay_most(self, line: str) -> str:
        """Lay out all rows of an unfinished line but the last, which comes back."""
        text = self._safe(line)
        rows, rest = wrap_open([Segment(text, self._style)], self._width)
        self._add(text, rows)
        return text_of(rest)

    def _safe(self, line: str) -> str:
        text, removed = clean(line)
        self.removed += removed
        return text.expandtabs(4)

    def _add(self, text: str, rows: list[Row]) -> None:
        position = 0
        for row in rows:
            self.rows.append(row)
            self.joints.append(self._joint)
            end = position = position + len(text_of(row))
            while text[position : position + 1] == " ":
                position += 1
            self._joint = text[end:position]
