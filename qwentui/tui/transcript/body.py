"""The rows of one item at one width, in sections that can be folded."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment

from qwentui.tui.transcript.items import MarkItem, NoticeItem, UserItem
from qwentui.tui.transcript.pieces import Pieces
from qwentui.tui.transcript.plain import PlainFlow, text_of
from qwentui.tui.transcript.sink import clean
from qwentui.tui.transcript.wrap import cells, clusters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from qwentui.tui.transcript.palette import Palette
    from qwentui.tui.transcript.wrap import Row

GUTTER = 3
"""Columns left of the text of every item."""

BLANK = Segment(" " * GUTTER)
"""The gutter of what has no bar."""

_DECORATION = re.compile(r"[\s\u2500-\u257f]+")
_SIGNS = {"info": "·", "warning": "!", "error": "✗"}


class Section(NamedTuple):
    """A run of rows of the same kind: `rows[start : start + size]`.

    Attributes:
        part: Which part of the item this is; parts stand in this order.
        gutter: What stands left of each row.
        rows: Rows, of which the section shows some.
        start: The first row shown.
        size: How many are shown.
        part_row: Which row of the part the first one stands for.
        quiet: Whether the rows are drawn dimmed.
        fold: Which code block this is the rest of, when it stands for the hidden rows of one.
    """

    part: int
    gutter: Segment
    rows: Sequence[Row]
    start: int
    size: int
    part_row: int
    quiet: bool = False
    fold: int | None = None


LEAD, HEAD, THINKING, TEXT, FOOT = range(5)


class Line(NamedTuple):
    """One row as it is drawn: the gutter, the text, whether it is dimmed."""

    gutter: Segment
    row: Row
    quiet: bool


class Anchor(NamedTuple):
    """A row named by what it shows, so that it can be found after rows came or went."""

    part: int
    row: int


def one_line(text: str, limit: int) -> str:
    """Text that may be drawn, in one line of at most `limit` cells."""
    line = " ".join(clean(text[: limit * 8])[0].split())
    if cells(line) <= limit:
        return line
    width, end = 1, 0
    for _, stop, size in clusters(line):
        width += size
        if width > limit:
            break
        end = stop
    return f"{line[:end]}…"


def rule(label: str, width: int, style: Style) -> Row:
    """A dotted line across, with a label in it."""
    text = f" {one_line(label, width - 6)} " if label else ""
    left = (width - cells(text)) // 2
    return (Segment("┄" * left + text + "┄" * (width - left - cells(text)), style),)


class Body:
    """The rows of an item.

    Attributes:
        width: Columns for the text, without the gutter.
        palette: The styles.
        floor: The least height, in rows, while not all is laid out.
    """

    def __init__(self, width: int, palette: Palette) -> None:
        self.width = width
        self.palette = palette
        self.floor = 0
        self._lead: tuple[Row, ...] = ((),)
        self._pieces: list[Pieces] = []
        self._sections: list[Section] = []
        self._tops: list[int] = [0]

    @property
    def busy(self) -> bool:
        """Whether there is something to lay out."""
        return any(pieces.busy for pieces in self._pieces)

    @property
    def waiting(self) -> int:
        """How many characters wait to be laid out."""
        return sum(pieces.waiting for pieces in self._pieces)

    @property
    def height(self) -> int:
        """Rows of the item, blank row above included."""
        return max(self._tops[-1], self.floor)

    @property
    def removed(self) -> int:
        """How many characters were dropped or made visible for safety."""
        return sum(pieces.flow.removed for pieces in self._pieces)

    def set_border(self, label: str | None) -> None:
        """Draw a rule above the item, or none."""
        above = () if label is None else (rule(label, self.width, self.palette.dim), ())
        self._lead = ((), *above)
        self.compose()

    def step(self, deadline: float) -> int:
        """Lay out what waits until `deadline` (of `perf_counter`); the first row that changed comes back."""
        raise NotImplementedError

    def compose(self) -> None:
        """Put the sections together again after a part of them changed."""
        if not self.busy:
            self.floor = 0
        lead = Section(LEAD, BLANK, self._lead, 0, len(self._lead), 0)
        self._sections = [lead, *(section for section in self.sections() if section.size)]
        self._tops = [0, *accumulate(section.size for section in self._sections)]

    def sections(self) -> list[Section]:
        """The sections below the rule and the blank row, from top to bottom."""
        raise NotImplementedError

    def at(self, row: int) -> tuple[Section, int] | None:
        """The section that holds a row of the item, and the row within it; None where nothing stands yet."""
        place = bisect_right(self._tops, row) - 1
        if place >= len(self._sections):
            return None
        return self._sections[place], row - self._tops[place]

    def line(self, row: int) -> Line:
        """A row of the item as it is drawn."""
        found = self.at(row)
        if found is None:
            return Line(BLANK, (), quiet=False)
        section, offset = found
        return Line(section.gutter, section.rows[section.start + offset], section.quiet)

    def joint(self, row: int) -> str:  # noqa: ARG002 - what is known of it depends on the kind of item
        """What stands between a row and the one above: a newline where nothing else is known."""
        return "\n"

    def anchor(self, row: int) -> Anchor:
        """What a row shows."""
        found = self.at(row)
        if found is None:
            return Anchor(FOOT + 1, row - self._tops[-1])
        section, offset = found
        return Anchor(section.part, section.part_row + offset)

    def find(self, anchor: Anchor) -> int:
        """The row that shows what `anchor` names, or else the one after it."""
        for section, top in zip(self._sections, self._tops, strict=False):
            if section.part > anchor.part:
                return top
            if section.part == anchor.part and anchor.row < section.part_row + section.size:
                return top + max(anchor.row - section.part_row, 0)
        return max(self._tops[-1] - 1, 0)

    def letters_above(self, row: int) -> int:
        """How many letters stand above a row: a place that does not depend on the width."""
        return sum(len(_DECORATION.sub("", text_of(self.line(above).row))) for above in range(row))

    def row_of_letter(self, count: int) -> int:
        """The row that holds the letter number `count`."""
        for row in range(self._tops[-1]):
            count -= len(_DECORATION.sub("", text_of(self.line(row).row)))
            if count < 0:
                return row
        return max(self._tops[-1] - 1, 0)


class PlainBody(Body):
    """The rows of what users and notices say, and of marks."""

    def __init__(self, item: UserItem | NoticeItem | MarkItem, width: int, palette: Palette) -> None:
        super().__init__(width, palette)
        self._gutter = Segment(" ▎ ", palette.bullet) if isinstance(item, UserItem) else BLANK
        self._foot = self._foot_rows(item.footer if isinstance(item, UserItem) else "")
        self._flow = PlainFlow(width, self._style(item))
        if isinstance(item, MarkItem):
            self._flow.add(rule(item.text, width, palette.dim))
        else:
            sign = f"{_SIGNS[item.severity]} " if isinstance(item, NoticeItem) else ""
            pieces = Pieces(self._flow)
            pieces.feed(sign + item.text)
            pieces.end()
            self._pieces.append(pieces)
        self.compose()

    def _style(self, item: UserItem | NoticeItem | MarkItem) -> Style:
        if not isinstance(item, NoticeItem):
            return self.palette.text
        colours = {"info": self.palette.dim, "warning": self.palette.warning, "error": self.palette.error}
        return colours[item.severity]

    def step(self, deadline: float) -> int:
        """Lay out what waits until `deadline` (of `perf_counter`); the first row that changed comes back."""
        changed = min((pieces.step(deadline) for pieces in self._pieces), default=0)
        self.compose()
        return len(self._lead) + changed

    def _foot_rows(self, footer: str) -> tuple[Row, ...]:
        if not footer:
            return ()
        text = one_line(footer, self.width)
        return ((Segment(" " * (self.width - cells(text)) + text, self.palette.dim),),)

    def sections(self) -> list[Section]:
        """The text, and the line below it if there is one."""
        rows = self._flow.rows
        return [
            Section(TEXT, self._gutter, rows, 0, len(rows), 0),
            Section(FOOT, self._gutter, self._foot, 0, len(self._foot), 0),
        ]

    def joint(self, row: int) -> str:
        """What stands between a row and the one above: a newline, or what the wrap took away."""
        number = row - len(self._lead)
        return self._flow.joints[number] if 0 <= number < len(self._flow.joints) else "\n"
