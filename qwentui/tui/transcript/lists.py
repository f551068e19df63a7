"""Containers: block quotes and list items, what continues them and what stands left of their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment

from qwentui.tui.transcript.lines import ListItem, indent_of, quoted, strip_columns
from qwentui.tui.transcript.page import Margin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.tui.transcript.palette import Palette

_QUOTE = ">"
_BAR = "▎ "
_BULLETS = "•◦▪"
DEEPEST = 16
"""Quotes and items inside each other; a mark deeper than that is text."""


@dataclass(frozen=True, slots=True)
class Container:
    """An open block quote or list item.

    Attributes:
        kind: ``>`` for a quote, else the bullet or delimiter of its list.
        offset: Columns that an item's lines are indented.
        number: Number of an item in an ordered list.
        margin: The left of all rows inside it after its first.
    """

    kind: str
    offset: int
    number: int
    margin: Margin

    @property
    def is_item(self) -> bool:
        """Whether it is a list item."""
        return self.kind != _QUOTE


def matched(stack: Sequence[Container], text: str) -> tuple[int, str]:
    """How many of the open containers the line belongs to, and the line without their marks and indents."""
    blank = not text.strip(" \t")
    for depth, container in enumerate(stack):
        if not container.is_item:
            behind = quoted(text)
            if behind is None:
                return depth, text
            text = behind
            blank = not text.strip(" \t")
        elif not blank:
            if indent_of(text) < container.offset:
                return depth, text
            text = strip_columns(text, container.offset)
        else:
            text = strip_columns(text, container.offset)
    return len(stack), text


def quote(margin: Margin, palette: Palette, width: int) -> tuple[Container, Margin]:
    """A block quote inside ``margin``, and the margin of its first row."""
    bar = Segment(_BAR, palette.quote_bar)
    inner = _widened(margin, bar, bar, width)
    return Container(_QUOTE, 0, 0, inner.spent()), inner


def item(
    found: ListItem, before: Container | None, margin: Margin, palette: Palette, *, depth: int, width: int
) -> tuple[Container, Margin]:
    """A list item inside ``margin``, and the margin of its first row.

    Args:
        found: The line that begins it.
        before: The item before it in the same list, which decides its number.
        margin: The margin of the containers around it.
        palette: The styles.
        depth: How many items are around it.
        width: Cells of a row with its margin.
    """
    number = before.number + 1 if before and found.number >= 0 else found.number
    mark = f"{number}{found.kind} " if number >= 0 else _BULLETS[depth % len(_BULLETS)] + " "
    first, rest = Segment(mark, palette.bullet), Segment(" " * len(mark), palette.text)
    inner = _widened(margin, first, rest, width)
    return Container(found.kind, found.offset, number, inner.spent()), inner


def boxed(margin: Margin, *, done: bool) -> Margin:
    """``margin`` with a task's box in place of its bullet."""
    bullet = margin.first[-1]
    box = Segment("☑ " if done else "☐ ", bullet.style)
    return Margin((*margin.first[:-1], box), margin.rest, margin.cells)


def _widened(margin: Margin, first: Segment, rest: Segment, width: int) -> Margin:
    """``margin`` with one more mark, or unchanged where that would leave too little for the text."""
    size = len(first.text)
    if margin.cells + size > width - max(width // 3, 2):
        return margin
    return margin.plus(first, rest, size)
